package emulator

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// exec is one call, or one part of a call, while it is carried out.
type exec struct {
	org       *Org
	call      *call
	now       time.Time
	version   string
	header    http.Header // of this part
	composite bool        // this is a part
	tx        *txn
}

// perform carries a call out under the lock. A nil reply means that its effect
// comes later, and its answer never.
func (o *Org) perform(c *call, now time.Time) *reply {
	switch c.route.kind {
	case kindToken:
		return o.token(c, now)
	case kindVersions:
		return o.versionList()
	case kindSOAP:
		return o.soap(c, now)
	case kindUnknown:
		return notFound().reply()
	}
	cost := 1
	if c.route.kind == kindBatch {
		cost = max(len(c.parsed.requests), 1)
	}
	r := o.rest(c, cost, now)
	if r != nil {
		o.report(r.header, r.status, now)
	}
	return r
}

func (o *Org) rest(c *call, cost int, now time.Time) *reply {
	token, _ := strings.CutPrefix(c.in.header.Get("Authorization"), "Bearer ")
	if err := o.admit(c, token, cost, now); err != nil {
		return err.reply()
	}
	if err := o.checkVersion(c.route.version); err != nil {
		return err.reply()
	}
	x := &exec{org: o, call: c, now: now, version: c.route.version, header: c.in.header, tx: &txn{}}
	run := func(at time.Time) *reply {
		x.now = at
		r := x.dispatch(c.in.method, c.route, c.in.url.Query(), c.in.body)
		o.commit(x.tx)
		return r
	}
	if c.planned == FaultLateEffect && c.strike(FaultLateEffect) {
		late := o.options.Profile.LateFor
		if late <= 0 {
			late = 30 * time.Second
		}
		o.pending = append(o.pending, lateEffect{at: now.Add(late), run: func(at time.Time) { run(at) }})
		return nil
	}
	return run(now)
}

// dispatch finds who answers. It is used for calls and for their parts alike.
func (x *exec) dispatch(method string, r route, query url.Values, body []byte) *reply {
	if (r.kind == kindRow || r.kind == kindObject) && x.call.breaks(r.object) {
		return unexpected().reply()
	}
	switch r.kind {
	case kindResources:
		return allow(method, http.MethodGet, func() *reply { return x.resources() })
	case kindLimits:
		return allow(method, http.MethodGet, x.limits)
	case kindGlobal:
		return allow(method, http.MethodGet, x.describeGlobal)
	case kindDescribe:
		return allow(method, http.MethodGet, func() *reply { return x.describe(r.object) })
	case kindQuery:
		return allow(method, http.MethodGet, func() *reply { return x.query(query.Get("q"), r.all) })
	case kindPage:
		return allow(method, http.MethodGet, func() *reply { return x.page(r.id) })
	case kindObject:
		return allow(method, http.MethodPost, func() *reply { return x.createRow(r.object, body) })
	case kindRow:
		return x.row(method, r, query, body)
	case kindCollections:
		return x.collections(method, r, query, body)
	case kindComposite:
		return allow(method, http.MethodPost, x.runComposite)
	case kindBatch:
		return allow(method, http.MethodPost, x.runBatch)
	default:
		return notFound().reply()
	}
}

func allow(method, only string, then func() *reply) *reply {
	if method != only {
		return methodNotAllowed(method, only)
	}
	return then()
}

func methodNotAllowed(method, allowed string) *reply {
	r := failure(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED",
		"HTTP Method '"+method+"' not allowed. Allowed are "+allowed).reply()
	r.header.Set("Allow", allowed)
	return r
}

const oldestVersion = 31

// checkVersion tells a retired version (410) from one that never was (404).
func (o *Org) checkVersion(version string) *apiError {
	n, err := strconv.ParseFloat(version, 64)
	newest, broken := strconv.ParseFloat(o.options.APIVersion, 64)
	if err != nil || broken != nil || n > newest || n != float64(int(n)) || !strings.HasSuffix(version, ".0") {
		return notFound()
	}
	if n < oldestVersion {
		return failure(http.StatusGone, "GONE", "API version retired")
	}
	return nil
}

// versionList answers /services/data, which is free and needs no session.
func (o *Org) versionList() *reply {
	type item struct {
		Label   string `json:"label"`
		URL     string `json:"url"`
		Version string `json:"version"`
	}
	newest, err := strconv.ParseFloat(o.options.APIVersion, 64)
	if err != nil {
		return unexpected().reply()
	}
	var list []item
	for v := oldestVersion; v <= int(newest); v++ {
		version := strconv.Itoa(v) + ".0"
		list = append(list, item{"Release " + version, "/services/data/v" + version, version})
	}
	return jsonReply(http.StatusOK, list)
}

func (x *exec) resources() *reply {
	base := "/services/data/v" + x.version
	return jsonReply(http.StatusOK, map[string]string{
		"composite": base + "/composite", "limits": base + "/limits", "query": base + "/query",
		"queryAll": base + "/queryAll", "sobjects": base + "/sobjects",
	})
}

// limits answers /limits, which wants View Setup and Configuration.
func (x *exec) limits() *reply {
	o := x.org
	if o.denied["limits/read"] {
		return failure(http.StatusForbidden, "FORBIDDEN", "You do not have access to the limits resource").reply()
	}
	type limit struct{ Max, Remaining int }
	l := o.options.Limits
	full := func(n int) limit { return limit{n, n} }
	return jsonReply(http.StatusOK, map[string]limit{
		"DailyApiRequests":     {l.DailyAPI, max(l.DailyAPI-o.org.reported(x.now, l.CounterLag), 0)},
		"DailyBulkApiBatches":  full(15_000),
		"DailyBulkV2QueryJobs": full(10_000),
		"DataStorageMB":        full(1_024),
		"FileStorageMB":        full(1_024),
		"MassEmail":            full(5_000),
		"SingleEmail":          full(5_000),
	})
}
