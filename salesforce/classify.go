package salesforce

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// Response is one answer of the org, or one element of a composite answer, as
// the classifier sees it. Everything but Status may be missing.
type Response struct {
	Method string
	Path   string
	Status int // 0 = the request was sent and no answer came
	Header http.Header
	Body   []byte
	At     time.Time

	ReadOnly  bool           // a POST that changes nothing, such as a composite of queries
	Composite bool           // one call that carries many mutations: an early failure says little about each
	Halted    bool           // an element of a batch that was halted: its 412 means "not executed"
	Seen      bool           // the record in question was seen before
	Known     []weir.Reading // usage as known before, for answers that carry none
}

// Verdict is what an answer means.
type Verdict struct {
	Category   weir.Category
	Operator   weir.OperatorCategory
	Scope      weir.Scope
	Retryable  bool
	Code       string // as Salesforce spelled it, without namespace prefix
	Effect     weir.Effect
	Readings   []weir.Reading
	RetryAfter time.Duration
	Fields     []string        // API names only
	Elements   []weir.Category // of an answer with many elements, in their order
	Detail     pii.Secret      // the org's own words, which echo values
	Row        int             // the row of the table that decided

	status int
}

// Fault returns what failed, or nil when nothing did.
func (v Verdict) Fault() *weir.Fault {
	if v.Category == weir.Success {
		return nil
	}
	return &weir.Fault{
		Category: v.Category, Code: v.Code, Status: v.status, Scope: v.Scope, Effect: v.Effect,
		Retryable: v.Retryable, RetryAfter: v.RetryAfter, Fields: v.Fields,
	}
}

// facts is a response brought to the form that the table's rules ask about.
type facts struct {
	status    int
	method    string
	kind      kind
	halted    bool
	seen      bool
	nearLimit bool
	mutates   bool
	many      bool // many mutations in one call
}

// finding is one error that an answer reports.
type finding struct {
	code   string
	text   string // lower case, white space collapsed
	words  string // as the org wrote it
	fields []string
	oauth  bool
}

// Classify says what an answer means. It never fails and never panics: what no
// rule of the table knows is UnknownClient.
func Classify(r Response) Verdict {
	env := unwrap(r)
	readings := mergeReadings(ParseReadings(r.Header, r.At), env.readings)
	f := facts{
		status: r.Status, method: r.Method, kind: env.kind, halted: r.Halted, seen: r.Seen,
		nearLimit: nearLimit(readings, r.Known), mutates: mutating(r), many: r.Composite,
	}
	v := judge(f, env)
	v.Readings, v.RetryAfter = readings, waitOf(readings)
	return v
}

// waitOf is the wait that an answer asks for; 0 = none.
func waitOf(readings []weir.Reading) (wait time.Duration) {
	for _, r := range readings {
		if r.Kind == weir.ReadRetryAfter {
			wait = time.Duration(r.Used) * time.Second
		}
	}
	return wait
}

func mutating(r Response) bool {
	switch strings.ToUpper(r.Method) {
	case "":
		return r.Status == 0 && !r.ReadOnly // nothing is known: assume the worst
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return !r.ReadOnly
}

// nearLimit says whether an allocation is used up to 95 %: then a throttle
// without a tell-tale text is the daily one.
func nearLimit(now, before []weir.Reading) bool {
	use := func(list []weir.Reading) (known, near bool) {
		for _, r := range list {
			if r.Limit > 0 && (r.Kind == weir.ReadDaily || r.Kind == weir.ReadApp) {
				known = true
				near = near || r.Used >= r.Limit-r.Limit/20
			}
		}
		return known, near
	}
	known, near := use(now)
	if !known {
		_, near = use(before)
	}
	return near
}

// judge applies the table to every error of an answer.
func judge(f facts, env envelope) Verdict {
	if env.items != nil {
		return judgeItems(f, env)
	}
	if len(env.findings) == 0 {
		return decide(f, finding{text: env.page})
	}
	var v Verdict
	var words []string
	for i, x := range env.findings {
		next := decide(f, x)
		words = append(words, x.words)
		fields := append(v.Fields, next.Fields...)
		if i == 0 || traitsOf(next.Category).rank > traitsOf(v.Category).rank {
			v = next
		}
		v.Fields = fields
	}
	v.Fields = fieldNames(v.Fields)
	v.Detail = pii.NewString(strings.Join(words, "\n"))
	return v
}

// judgeItems looks at every element of an answer that has many. Rows of a bulk
// result that failed alike speak with one voice; everything else that failed
// in part is a partial failure, whose elements must be looked at.
func judgeItems(f facts, env envelope) Verdict {
	var elements []weir.Category
	var worst Verdict
	var fields []string
	failed, alike := 0, true
	for _, item := range env.items {
		g := f
		g.halted, g.kind, g.many = g.halted || env.halted, item.env.kind, false
		if item.status != 0 {
			g.status = item.status
		}
		v := judge(g, item.env)
		elements = append(elements, v.Category)
		if v.Category == weir.Success {
			continue
		}
		failed++
		fields = append(fields, v.Fields...)
		alike = alike && (failed == 1 || v.Category == worst.Category)
		if failed == 1 || traitsOf(v.Category).rank > traitsOf(worst.Category).rank {
			worst = v
		}
	}
	f.kind = env.kind
	if failed == 0 {
		v := decide(f, finding{})
		v.Elements = elements
		return v
	}
	if !env.rows || !alike {
		worst = verdict(f, rule{category: weir.PartialFailure, doubt: true}, finding{code: worst.Code})
	}
	worst.Fields = fieldNames(fields)
	worst.Elements = elements
	return worst
}

// decide finds the first rule that matches one error.
func decide(f facts, x finding) Verdict {
	for _, r := range table {
		if r.matches(f, x) {
			return verdict(f, r, x)
		}
	}
	return verdict(f, rule{category: weir.UnknownClient}, x) // the table's last rule matches everything
}

func verdict(f facts, r rule, x finding) Verdict {
	t := traitsOf(r.category)
	v := Verdict{
		Category: r.category, Operator: r.category.Operator(), Scope: t.scope, Retryable: t.retry,
		Code: safeCode(x.code), Fields: fieldNames(x.fields), Effect: weir.EffectNone, Row: r.row, status: f.status,
		Detail: pii.NewString(x.words),
	}
	if r.scope != "" {
		v.Scope = r.scope
	}
	switch {
	case r.category == weir.Success && f.mutates:
		v.Effect = weir.EffectApplied
	case r.doubt && f.mutates && (f.many || x.code == "" || f.status == 0 || r.category == weir.PartialFailure):
		// An error with a code is the org's own word that it rolled back. A
		// page of a gateway is not, and neither is one error for many records.
		v.Effect = weir.EffectUnknown
	}
	return v
}

var codeShape = regexp.MustCompile(`^[A-Za-z0-9_.\-]{1,80}$`)

// safeCode keeps a code only if it looks like one: a hostile answer could hide
// a subject's value there.
func safeCode(code string) string {
	if codeShape.MatchString(code) {
		return code
	}
	return ""
}

// fieldNames keeps what looks like API names, each once, at most fifty.
func fieldNames(names []string) []string {
	var out []string
	for _, n := range names {
		if len(out) < 50 && fieldPath.MatchString(n) && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
