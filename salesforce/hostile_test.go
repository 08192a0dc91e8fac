package salesforce_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

// asked sends a query and a deletion, and returns what either came to.
func asked(t *testing.T, c *salesforce.Client) (read, write salesforce.Answer, row *weir.Fault) {
	t.Helper()
	read, q := c.Query(t.Context(), []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}}}, func(int, salesforce.Row) error { return nil })
	write, m := c.Mutate(t.Context(), []salesforce.Mutation{{Object: "Contact", ID: "003000000000001AAA", Delete: true}})
	if q[0].Fault == nil && read.Fault == nil {
		return read, write, m[0].Fault
	}
	if read.Fault == nil {
		read.Fault = q[0].Fault
	}
	return read, write, m[0].Fault
}

// TestBrokenAnswersAreNoSuccess gives a query and a deletion answers that are
// not what they say. The query has found nothing, and the deletion is in doubt,
// so that the engine reads the record back before it does anything else.
func TestBrokenAnswersAreNoSuccess(t *testing.T) {
	whole := elements(element(0, 200, "", `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Contact"},"Id":"003000000000001AAA"}]}`))
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for _, c := range []struct{ name, label, body, code string }{
		{"nothing", "application/json", "", salesforce.CodeBrokenAnswer},
		{"cut in the head", "application/json", whole[:5], salesforce.CodeBrokenAnswer},
		{"cut in a row", "application/json", whole[:60], salesforce.CodeBrokenAnswer},
		{"cut at the end", "application/json", whole[:len(whole)-20], salesforce.CodeBrokenAnswer},
		{"cut in an escape", "application/json", `{"compositeResponse":[{"body":"\u00`, salesforce.CodeBrokenAnswer},
		{"labelled HTML", "text/html", whole, salesforce.CodeBrokenAnswer},
		{"a page", "application/json", "<html><body>hello</body></html>", salesforce.CodeBrokenAnswer},
		{"text", "application/json", "hello", salesforce.CodeBrokenAnswer},
		{"a picture", "image/png", "\x89PNG\r\n\x1a\n\x00\x00", salesforce.CodeBrokenAnswer},
		{"XML", "application/xml", "<a/>", salesforce.CodeBrokenAnswer},
		{"null", "application/json", "null", salesforce.CodeBrokenAnswer},
		{"UTF-16", "application/json", "\xff\xfe{\x00}\x00", salesforce.CodeBrokenAnswer},
		{"not UTF-8", "application/json", "{\"compositeResponse\":[{\"\xff\":1}]}", salesforce.CodeBrokenAnswer},
		{"NUL", "application/json", "\x00" + whole, salesforce.CodeBrokenAnswer},
		{"no element", "application/json", `{"compositeResponse":[]}`, salesforce.CodeMismatch},
		{"a comma more", "application/json", `{"compositeResponse":[{},]}`, salesforce.CodeBrokenAnswer},
		{"deep", "application/json", `{"x":` + deep(10_000) + `}`, salesforce.CodeAnswerTooLarge},
		{"deep instead of elements", "application/json", `{"compositeResponse":` + deep(10_000) + `}`, salesforce.CodeBrokenAnswer},
		{"deep in a row", "application/json", elements(element(0, 200, "", `{"totalSize":1,"done":true,"records":[`+deep(10_000)+`]}`)), salesforce.CodeAnswerTooLarge},
		{"deep and never closed", "application/json", `{"x":` + strings.Repeat(`{"a":`, 1_000_000), salesforce.CodeAnswerTooLarge},
	} {
		o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.label)
			_, _ = io.WriteString(w, c.body)
		})
		read, write, row := asked(t, o.client(t))
		if codeOf(read.Fault) != c.code || read.Fault.Effect != weir.EffectNone {
			t.Errorf("%s: the query gave %+v, want %s", c.name, read.Fault, c.code)
		}
		if write.Fault == nil || row == nil || row.Effect != weir.EffectUnknown {
			t.Errorf("%s: the deletion gave %+v, %+v", c.name, write.Fault, row)
		}
	}
}

// TestHostileHeaders sends absurd limits with every kind of answer. None ends a
// wait early, none asks for an endless one, and what was cut is marked.
func TestHostileHeaders(t *testing.T) {
	const week = 7 * 24 * 3600
	huge := "1" + strings.Repeat("0", 30)
	name, refused := strings.Repeat("n", 60<<10), `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentPerOrgLongTxn Limit exceeded."}]`
	for _, c := range []struct {
		name    string
		header  map[string][]string
		kind    weir.ReadingKind
		used    int64
		clamped bool
	}{
		{"negative wait", map[string][]string{"Retry-After": {"-" + huge}}, weir.ReadRetryAfter, 0, true},
		{"endless wait", map[string][]string{"Retry-After": {huge}}, weir.ReadRetryAfter, week, true},
		{"wait until the past", map[string][]string{"Retry-After": {"Thu, 01 Jan 1970 00:00:00 GMT"}}, weir.ReadRetryAfter, 0, false},
		{"wait until the year 9999", map[string][]string{"Retry-After": {"Fri, 31 Dec 9999 23:59:59 GMT"}}, weir.ReadRetryAfter, week, true},
		{"two waits, longer first", map[string][]string{"Retry-After": {"90", "5"}}, weir.ReadRetryAfter, 90, false},
		{"two waits, longer last", map[string][]string{"Retry-After": {"5", "90"}}, weir.ReadRetryAfter, 90, false},
		{"two waits in two spellings", map[string][]string{"Retry-After": {"90"}, "Retry_After": {"0"}}, weir.ReadRetryAfter, 90, false},
		{"a wait and nonsense", map[string][]string{"Retry-After": {"90", "soon"}}, weir.ReadRetryAfter, 90, false},
		{"nonsense that is long", map[string][]string{"Retry-After": {"90", strings.Repeat("9", 30<<10)}}, weir.ReadRetryAfter, week, true},
		{"negative usage", map[string][]string{"Sforce-Limit-Info": {"api-usage=-" + huge + "/15000"}}, weir.ReadDaily, 0, true},
		{"endless usage", map[string][]string{"Sforce-Limit-Info": {"api-usage=" + huge + "/15000"}}, weir.ReadDaily, 1e12, true},
		{"endless limit", map[string][]string{"Sforce-Limit-Info": {"api-usage=1/" + huge}}, weir.ReadDaily, 1, true},
		{"usage twice", map[string][]string{"Sforce-Limit-Info": {"api-usage=14000/15000", "api-usage=1/15000"}}, weir.ReadDaily, 14000, false},
		{"usage twice in one line", map[string][]string{"Sforce-Limit-Info": {"api-usage=1/15000; api-usage=14000/15000"}}, weir.ReadDaily, 14000, false},
		{"a name of 60 KiB", map[string][]string{"Sforce-Limit-Info": {"per-app-api-usage=1/2(appName=" + name + "); api-usage=3/4"}}, weir.ReadDaily, 3, false},
		{"a thousand items", map[string][]string{"Sforce-Limit-Info": {strings.Repeat("x=1/2;", 5000) + "api-usage=3/4"}}, weir.ReadDaily, 3, false},
		{"negative remainder", map[string][]string{"X-Rate-Limit-Remaining": {"-" + huge}}, weir.ReadRemaining, 0, true},
		{"endless remainder", map[string][]string{"X-Rate-Limit-Remaining": {huge}}, weir.ReadRemaining, 1e12, true},
		{"remainder twice", map[string][]string{"X-Rate-Limit-Remaining": {"0", "100"}}, weir.ReadRemaining, 0, false},
		{"endless concurrency", map[string][]string{"X-Rate-Limit-Concurrent": {huge + "/" + huge}}, weir.ReadConcurrent, 1e12, true},
	} {
		for _, status := range []int{200, 403, 429} {
			o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), c.header)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, map[int]string{200: `{}`, 403: refused, 429: ""}[status])
			})
			a, _ := o.client(t).Limits(t.Context())
			var got weir.Reading
			for _, r := range a.Readings {
				if r.Kind == c.kind {
					got = r
				}
			}
			if got.Kind != c.kind || got.Used != c.used || got.Clamped != c.clamped || a.Calls != 1 {
				t.Errorf("%s with %d: %+v, want %d", c.name, status, got, c.used)
			}
			if f := a.Fault; status != 200 && (f == nil || f.RetryAfter < 0 || f.RetryAfter > week*time.Second) {
				t.Errorf("%s with %d: %+v", c.name, status, f)
			}
		}
	}
}

// TestHeadersOfAnySize cuts headers off at 64 KiB. What was sent is in doubt.
func TestHeadersOfAnySize(t *testing.T) {
	for _, c := range []struct {
		name string
		fill func(http.Header)
	}{
		{"one of 64 KiB", func(h http.Header) { h.Set("Retry-After", strings.Repeat("9", 64<<10)) }},
		{"one of 1 MiB", func(h http.Header) { h.Set("X-Rate-Limit-Remaining", strings.Repeat("x", 1<<20)) }},
		{"a hundred thousand", func(h http.Header) {
			for i := range 100_000 {
				h.Add("X-Rate-Limit-Remaining", strconv.Itoa(i))
			}
		}},
	} {
		o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
			c.fill(w.Header())
			reply(w, 200, elements(element(0, 204, "", "null")))
		})
		read, write, row := asked(t, o.client(t))
		if codeOf(read.Fault) != salesforce.CodeNoAnswer || categoryOf(read.Fault) != weir.PlatformFault {
			t.Errorf("%s: the query gave %+v", c.name, read.Fault)
		}
		if write.Fault == nil || categoryOf(row) != weir.UnknownOutcome || row.Effect != weir.EffectUnknown {
			t.Errorf("%s: the deletion gave %+v", c.name, row)
		}
	}
}

// TestMarkupIsRefused sends the XML that parsers are attacked with, as the
// answer to a SOAP call and as an error. No entity is resolved, no file is read
// and no host is asked; a purge whose answer is refused is in doubt.
func TestMarkupIsRefused(t *testing.T) {
	other := newStranger(t)
	const envelope = `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><e:Body><emptyRecycleBinResponse><result><id>%s</id><success>true</success></result></emptyRecycleBinResponse></e:Body></e:Envelope>`
	id := "003000000000001AAA"
	good := fmt.Sprintf(envelope, id)
	laughs := `<!DOCTYPE l [<!ENTITY a "ha">`
	for c := 'b'; c <= 'm'; c++ {
		laughs += fmt.Sprintf(`<!ENTITY %c "%s">`, c, strings.Repeat("&"+string(c-1)+";", 10))
	}
	for name, body := range map[string]string{
		"billion laughs":        laughs + `]>` + fmt.Sprintf(envelope, "&m;"),
		"billion laughs, named": `<?xml version="1.0"?>` + laughs + `]><l>&m;</l>`,
		"quadratic":             `<!DOCTYPE q [<!ENTITY a "` + strings.Repeat("a", 50_000) + `">]><q>` + strings.Repeat("&a;", 50_000) + `</q>`,
		"file":                  `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + fmt.Sprintf(envelope, "&f;"),
		"other host":            `<!DOCTYPE x SYSTEM "` + other.URL + `/x.dtd">` + good,
		"parameter entity":      `<!DOCTYPE x [<!ENTITY % p SYSTEM "` + other.URL + `/p">%p;]>` + good,
		"entity without DTD":    fmt.Sprintf(envelope, "&nosuch;"),
		"inner subset":          `<!DOCTYPE e:Envelope []>` + good,
		"style sheet":           `<?xml-stylesheet href="` + other.URL + `/x.xsl"?>` + good,
		"inclusion":             `<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="` + other.URL + `/x"/></x>`,
		"other charset":         `<?xml version="1.0" encoding="UTF-7"?>` + good,
		"UTF-16":                "\xfe\xff\x00<\x00a\x00/\x00>",
		"deep":                  strings.Repeat("<a>", 100_000),
		"deep and closed":       strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000),
		"wide":                  `<a>` + strings.Repeat("<b/>", 200_000) + `</a>`,
		"two roots":             good + good,
		"cut":                   good[:len(good)/2],
		"success twice":         strings.Replace(good, "<success>true</success>", "<success>false</success><success>true</success>", 1),
		"other namespace":       strings.Replace(good, "urn:partner.soap.sforce.com", "urn:evil", 1),
		"other id":              fmt.Sprintf(envelope, "003000000000009AAA"),
	} {
		for _, status := range []int{200, 500} {
			o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/xml")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			})
			c := o.client(t, func(o *salesforce.Options) { o.ErrorCap = 8 << 20 })
			a, items := c.EmptyRecycleBin(t.Context(), []string{id})
			if a.Fault == nil && items[0].Fault == nil || items[0].Fault == nil || items[0].Fault.Effect == weir.EffectApplied {
				t.Errorf("%s with %d was taken for a success", name, status)
			}
			if status == 200 && items[0].Fault != nil && items[0].Fault.Effect != weir.EffectUnknown {
				t.Errorf("%s: %+v, want doubt", name, items[0].Fault)
			}
			if a, _ := c.Limits(t.Context()); a.Fault == nil || strings.Contains(string(a.Detail.Reveal()), "root:") {
				t.Errorf("%s with %d: %+v", name, status, a.Fault)
			}
		}
	}
	o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, good) })
	if a, items := o.client(t).EmptyRecycleBin(t.Context(), []string{id}); a.Fault != nil || items[0].Fault != nil {
		t.Errorf("the good answer was refused: %+v", a.Fault)
	}
	if connections, _, _ := other.heard(); connections != 0 {
		t.Errorf("%d connections to the other host", connections)
	}
}

// bombs are answers that are small on the wire and large in memory, or that
// never end.
func bombs() map[string]func(http.ResponseWriter) {
	packed := func(w http.ResponseWriter, head, body string, n int) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, head)
		for range n {
			if _, err := io.WriteString(z, body); err != nil {
				return // the client has gone, as it should
			}
		}
		_ = z.Close()
	}
	plain := func(w http.ResponseWriter, head, body string, n int) {
		_, _ = io.WriteString(w, head)
		for range n {
			if _, err := io.WriteString(w, body); err != nil {
				return
			}
		}
	}
	megabyte := strings.Repeat("a", 1<<20)
	return map[string]func(http.ResponseWriter){
		"4 GiB in one string": func(w http.ResponseWriter) { packed(w, `{"a":"`, megabyte, 4096) },
		"4 GiB of blanks":     func(w http.ResponseWriter) { packed(w, ``, strings.Repeat(" ", 1<<20), 4096) },
		"4 GiB of rows":       func(w http.ResponseWriter) { packed(w, `{"a":[`, strings.Repeat(`{"Id":"1"},`, 100_000), 4000) },
		"4 GiB of brackets":   func(w http.ResponseWriter) { packed(w, ``, strings.Repeat("[", 1<<20), 4096) },
		"4 GiB of XML":        func(w http.ResponseWriter) { packed(w, `<a>`, strings.Repeat("<b/>", 1<<18), 4096) },
		"60 MiB of objects":   func(w http.ResponseWriter) { plain(w, `{"a":[`, strings.Repeat(`{},`, 1<<18), 80) },
		"60 MiB of lists":     func(w http.ResponseWriter) { plain(w, `[`, strings.Repeat(`[],`, 1<<18), 80) },
		"60 MiB of names": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"a":0`)
			for i := range 6_000_000 {
				if _, err := fmt.Fprintf(w, `,"%d":0`, i); err != nil {
					return
				}
			}
		},
		"never ends": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"a":"`)
			for {
				if _, err := io.WriteString(w, megabyte); err != nil {
					return
				}
			}
		},
	}
}

// bombVariable names the org that a child process of TestBombs calls.
const bombVariable = "WEIR_TEST_BOMB"

// TestBombs lets a process of its own meet each bomb, as the answer to every
// kind of call, and reads the process's peak of resident memory from the kernel.
// `make prove-input` lets them come with a bad status as well.
func TestBombs(t *testing.T) {
	if url := os.Getenv(bombVariable); url != "" {
		meetBomb(t, url)
		return
	}
	empty := peakOf(t, "")
	for name, explode := range bombs() {
		for _, status := range []int{200, 500} {
			if status == 500 && os.Getenv("WEIR_PROVE") != "long" {
				continue // an error's page is cut at 64 KiB, whatever it holds
			}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/services/oauth2/token" && r.Header.Get("X-Bomb") == "" {
					reply(w, 200, `{"access_token":"t"}`)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				if status != 200 {
					w.WriteHeader(status)
				}
				explode(w)
			}))
			peak := peakOf(t, srv.URL)
			srv.Close()
			t.Logf("%s with %d: peak %d MiB (%d MiB without a bomb)", name, status, peak>>10, empty>>10)
			if limit := memoryFactor * (100 << 10); peak > limit {
				t.Errorf("%s with %d: a peak of %d KiB, want at most %d", name, status, peak, limit)
			}
		}
	}
}

func meetBomb(t *testing.T, url string) {
	defer func() {
		if status, err := os.ReadFile("/proc/self/status"); err == nil {
			t.Logf("%s", status)
		}
	}()
	if url == "none" {
		return
	}
	c, err := salesforce.New(salesforce.Options{InstanceURL: url, Auth: salesforce.ClientCredentials{ID: "x", Secret: pii.NewString("y")}})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Limits(t.Context())
	read, write, row := asked(t, c)
	purge, _ := c.EmptyRecycleBin(t.Context(), []string{"003000000000001AAA"})
	for _, f := range []*weir.Fault{a.Fault, read.Fault, write.Fault, row, purge.Fault} {
		if f == nil {
			t.Error("a bomb was taken for a success")
		}
	}
}

// peakOf runs this test in a child and returns its peak in KiB.
func peakOf(t *testing.T, url string) int {
	t.Helper()
	if url == "" {
		url = "none"
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBombs$", "-test.v")
	cmd.Env = append(os.Environ(), bombVariable+"="+url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := highWater().FindSubmatch(out)
	if m == nil {
		t.Skip("this system does not tell a process's peak of memory")
	}
	peak, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return peak
}

// highWater finds the kernel's word on the peak. The exit status holds one too,
// which counts the parent's memory before the exec.
func highWater() *regexp.Regexp { return regexp.MustCompile(`VmHWM:\s+(\d+) kB`) }
