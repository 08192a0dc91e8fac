package emulator

import (
	"net/http"
	"net/url"
	"strings"
)

// The kinds of call, as they stand in the log and in the truth.
const (
	kindToken       = "token"
	kindVersions    = "versions"
	kindResources   = "resources"
	kindLimits      = "limits"
	kindGlobal      = "describe-global"
	kindDescribe    = "describe"
	kindQuery       = "query"
	kindPage        = "query-page"
	kindObject      = "object"
	kindRow         = "row"
	kindCollections = "collections"
	kindComposite   = "composite"
	kindBatch       = "batch"
	kindSOAP        = "soap"
	kindUnknown     = "unknown"
)

// route is a path taken apart. The template never holds an id or a value.
type route struct {
	kind     string
	template string
	version  string
	object   string
	id       string // of a row, or a query locator
	all      bool   // queryAll
}

// splitRoute takes a path apart. What it does not know has kindUnknown.
func splitRoute(path string) route {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, p := range parts {
		if plain, err := url.PathUnescape(p); err == nil {
			parts[i] = plain
		}
	}
	if len(parts) < 2 || parts[0] != "services" {
		return route{kind: kindUnknown, template: "/…"}
	}
	switch {
	case len(parts) == 3 && parts[1] == "oauth2" && parts[2] == "token":
		return route{kind: kindToken, template: "/services/oauth2/token"}
	case len(parts) >= 4 && parts[1] == "Soap" && parts[2] == "u":
		return route{kind: kindSOAP, template: "/services/Soap/u/{version}", version: parts[3]}
	case len(parts) == 2 && parts[1] == "data":
		return route{kind: kindVersions, template: "/services/data"}
	case len(parts) >= 3 && parts[1] == "data" && strings.HasPrefix(parts[2], "v"):
		r := resource(parts[3:])
		r.version = parts[2][1:]
		r.template = "/services/data/{version}" + r.template
		return r
	default:
		return route{kind: kindUnknown, template: "/services/…"}
	}
}

func resource(parts []string) route {
	if len(parts) == 0 {
		return route{kind: kindResources}
	}
	switch head, rest := parts[0], parts[1:]; {
	case head == "limits" && len(rest) == 0:
		return route{kind: kindLimits, template: "/limits"}
	case head == "query" || head == "queryAll":
		r := route{kind: kindQuery, template: "/" + head, all: head == "queryAll"}
		if len(rest) == 1 {
			r.kind, r.id = kindPage, rest[0]
			r.template += "/{locator}"
		}
		if len(rest) < 2 {
			return r
		}
	case head == "sobjects":
		return sobject(rest)
	case head == "composite" && len(rest) == 0:
		return route{kind: kindComposite, template: "/composite"}
	case head == "composite" && len(rest) == 1 && rest[0] == "batch":
		return route{kind: kindBatch, template: "/composite/batch"}
	case head == "composite" && rest[0] == "sobjects" && len(rest) == 1:
		return route{kind: kindCollections, template: "/composite/sobjects"}
	case head == "composite" && rest[0] == "sobjects" && len(rest) == 2:
		return route{kind: kindCollections, template: "/composite/sobjects/{object}", object: rest[1]}
	}
	return route{kind: kindUnknown, template: "/…"}
}

func sobject(rest []string) route {
	switch {
	case len(rest) == 0:
		return route{kind: kindGlobal, template: "/sobjects"}
	case len(rest) == 1:
		return route{kind: kindObject, template: "/sobjects/{object}", object: rest[0]}
	case len(rest) == 2 && rest[1] == "describe":
		return route{kind: kindDescribe, template: "/sobjects/{object}/describe", object: rest[0]}
	case len(rest) == 2:
		return route{kind: kindRow, template: "/sobjects/{object}/{id}", object: rest[0], id: rest[1]}
	default:
		return route{kind: kindUnknown, template: "/sobjects/…"}
	}
}

// call is one HTTP call on its way through the org.
type call struct {
	in      *incoming
	route   route
	entry   *Call
	parsed  *compositeBody // of a composite or a batch
	methods map[string]bool
	objects map[string]bool
	hasBody bool // its answer is JSON

	writes, updates          int // what it may change, counted beforehand
	seenWrites, seenUpdates  int
	planned                  Fault
	rule                     *rule  // that planned it; nil when chance did
	targetWrite, targetTouch int    // which write, and which update, a fault hits
	broken                   string // the object that fails in it, where one does
	session                  *session
}

// api says whether the call counts against limits and meets chance.
func (c *call) api() bool {
	switch c.entry.Kind {
	case kindToken, kindVersions, kindUnknown:
		return false
	default:
		return true
	}
}

// strike lets the planned fault happen, once, if it is of this kind.
func (c *call) strike(kind Fault) bool {
	if c.planned != kind || c.entry.Fault != "" {
		return false
	}
	c.entry.Fault = kind
	return true
}

// survey looks a call over before anything is done: what it may change decides
// which faults it can meet.
func (c *call) survey() {
	c.methods, c.objects = map[string]bool{c.in.method: true}, make(map[string]bool)
	c.note(c.in.method, c.route, c.in.url.Query(), c.in.body)
	c.hasBody = c.in.method == http.MethodGet || c.route.kind != kindRow
	switch c.route.kind {
	case kindComposite, kindBatch:
		c.parsed = parseComposite(c.route.kind, c.in.body)
		for _, s := range c.parsed.requests {
			c.methods[s.method] = true
			c.note(s.method, s.route, s.query, s.body)
		}
	case kindSOAP:
		c.writes += soapIDs(c.in.body)
	}
}

func (c *call) note(method string, r route, query url.Values, body []byte) {
	if r.object != "" {
		c.objects[r.object] = true
	}
	n := 0
	switch {
	case r.kind == kindRow && method != http.MethodGet, r.kind == kindObject && method == http.MethodPost:
		n = 1
	case r.kind == kindCollections && r.object == "":
		n = collectionSize(method, query, body, c.objects)
	}
	c.writes += n
	if method == http.MethodPatch {
		c.updates += n
	}
}
