package salesforce_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

func TestNewRefusesWhatCannotBeUsed(t *testing.T) {
	auth := salesforce.ClientCredentials{ID: "a", Secret: pii.NewString("b")}
	for _, c := range []struct {
		opts salesforce.Options
		want error
	}{
		{salesforce.Options{InstanceURL: "https://acme.my.salesforce.com", Auth: auth}, nil},
		{salesforce.Options{InstanceURL: "https://acme.my.salesforce.com/", Auth: auth, APIVersion: "62.0"}, nil},
		{salesforce.Options{InstanceURL: "http://127.0.0.1:8080", Auth: auth}, nil},
		{salesforce.Options{InstanceURL: "http://[::1]:8080", Auth: auth}, nil},
		{salesforce.Options{InstanceURL: "http://localhost", Auth: auth}, nil},
		{salesforce.Options{InstanceURL: "http://acme.my.salesforce.com", Auth: auth}, salesforce.ErrInsecureURL},
		{salesforce.Options{InstanceURL: "http://127.0.0.1.evil.example", Auth: auth}, salesforce.ErrInsecureURL},
		{salesforce.Options{InstanceURL: "http://10.0.0.1", Auth: auth}, salesforce.ErrInsecureURL},
		{salesforce.Options{InstanceURL: "ftp://localhost", Auth: auth}, salesforce.ErrInstanceURL},
		{salesforce.Options{InstanceURL: "acme.my.salesforce.com", Auth: auth}, salesforce.ErrInstanceURL},
		{salesforce.Options{InstanceURL: "https://user:pw@acme.my.salesforce.com", Auth: auth}, salesforce.ErrInstanceURL},
		{salesforce.Options{InstanceURL: "https://acme.my.salesforce.com/services", Auth: auth}, salesforce.ErrInstanceURL},
		{salesforce.Options{InstanceURL: "https://acme.my.salesforce.com?x=1", Auth: auth}, salesforce.ErrInstanceURL},
		{salesforce.Options{InstanceURL: "https://a.example", Auth: auth, APIVersion: "v66"}, salesforce.ErrAPIVersion},
		{salesforce.Options{InstanceURL: "https://a.example"}, salesforce.ErrNoAuth},
		{salesforce.Options{InstanceURL: "https://a.example", Auth: salesforce.ClientCredentials{}}, salesforce.ErrIncompleteAuth},
		{salesforce.Options{InstanceURL: "https://a.example", Auth: salesforce.JWTBearer{}}, salesforce.ErrIncompleteAuth},
		{salesforce.Options{InstanceURL: "https://a.example", Auth: salesforce.Refresh{}}, salesforce.ErrIncompleteAuth},
	} {
		_, err := salesforce.New(c.opts)
		if !errors.Is(err, c.want) || err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v, want %v", c.opts.InstanceURL, err, c.want)
		}
	}
}

func TestTokenIsFetchedOnceForAHundredCallers(t *testing.T) {
	var refused atomic.Bool
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		if refused.Load() && r.Header.Get("Authorization") == "Bearer 00D!tok1" {
			reply(w, 401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`)
			return
		}
		reply(w, 200, `{"DailyApiRequests":{"Max":5000,"Remaining":4000}}`)
	})
	o.token = func(http.ResponseWriter, int32) bool { time.Sleep(20 * time.Millisecond); return false }
	c := o.client(t)
	storm := func(do func() *weir.Fault) (faults []*weir.Fault) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 100 {
			wg.Go(func() {
				f := do()
				mu.Lock()
				faults = append(faults, f)
				mu.Unlock()
			})
		}
		wg.Wait()
		return faults
	}
	limits := func() *weir.Fault { a, _ := c.Limits(t.Context()); return a.Fault }
	for _, f := range storm(limits) {
		if f != nil {
			t.Fatalf("%+v", f)
		}
	}
	if n := o.tokens.Load(); n != 1 {
		t.Fatalf("%d token calls for the first hundred calls", n)
	}
	refused.Store(true)
	for _, f := range storm(limits) {
		if categoryOf(f) != weir.AuthDrift {
			t.Fatalf("%+v", f)
		}
	}
	if n := o.tokens.Load(); n != 1 {
		t.Fatalf("a 401 was repeated inside the client: %d token calls", n)
	}
	for _, f := range storm(func() *weir.Fault { return c.Renew(t.Context()).Fault }) {
		if f != nil {
			t.Fatalf("%+v", f)
		}
	}
	if n := o.tokens.Load(); n != 2 {
		t.Fatalf("%d token calls after a hundred renewals", n)
	}
	if f := limits(); f != nil {
		t.Fatalf("%+v", f)
	}
}

func TestTokenFailureIsTheAnswer(t *testing.T) {
	o := newOrg(t, func(http.ResponseWriter, *http.Request) { t.Error("the org was called without a token") })
	for _, c := range []struct {
		status int
		body   string
		want   weir.Category
	}{
		{400, `{"error":"invalid_grant","error_description":"inactive user"}`, weir.AuthConfig},
		{400, `{"error":"invalid_grant","error_description":"login rate exceeded"}`, weir.ThrottledLogin},
		{503, `x`, weir.PlatformFault},
		{200, `{"instance_url":"https://evil.example","access_token":"x"}`, weir.EndpointMoved},
		{200, `{"access_token":""}`, weir.PlatformFault},
		{200, `{"access_token":"a\r\nX-Evil: 1"}`, weir.PlatformFault},
		{200, `<html>`, weir.PlatformFault},
	} {
		o.token = func(w http.ResponseWriter, _ int32) bool { reply(w, c.status, c.body); return true }
		a, answers := o.client(t).Mutate(t.Context(), []salesforce.Mutation{{Object: "Contact", ID: "003000000000001AAA", Delete: true}})
		if categoryOf(a.Fault) != c.want || a.Fault.Effect != weir.EffectNone || a.Calls != 0 || answers[0].Fault.Effect != weir.EffectNone {
			t.Errorf("%s: %+v calls=%d", c.body, a.Fault, a.Calls)
		}
	}
}

func TestGrants(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var form url.Values
	var stored []string
	var n int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/services/oauth2/token" {
			n++
			if n == 1 {
				reply(w, 401, `[{"errorCode":"INVALID_SESSION_ID","message":"x"}]`)
				return
			}
			reply(w, 200, `{}`)
			return
		}
		if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
			t.Errorf("%v %q", err, r.URL.RawQuery)
		}
		form = r.PostForm
		reply(w, 200, `{"access_token":"t","refresh_token":"second","id":"https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P"}`)
	}))
	defer srv.Close()
	open := func(a salesforce.Auth) *salesforce.Client {
		c, err := salesforce.New(salesforce.Options{InstanceURL: srv.URL, Auth: a})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.CloseIdle)
		return c
	}
	n = 1
	open(salesforce.ClientCredentials{ID: "id", Secret: pii.NewString("a&b=c %")}).Renew(t.Context())
	if form.Get("grant_type") != "client_credentials" || form.Get("client_secret") != "a&b=c %" {
		t.Errorf("%v", form)
	}
	open(salesforce.JWTBearer{ClientID: "id", Username: "u@x", Audience: "https://test.salesforce.com", Key: key}).Renew(t.Context())
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(form.Get("assertion"), claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience("https://test.salesforce.com"), jwt.WithIssuer("id"), jwt.WithSubject("u@x"), jwt.WithExpirationRequired())
	if err != nil {
		t.Error(err)
	}
	n = 0
	c := open(salesforce.Refresh{ClientID: "id", Token: pii.NewString("first"), Rotated: func(s pii.Secret) error {
		stored = append(stored, string(s.Reveal()))
		return nil
	}})
	if a, _ := c.Limits(t.Context()); categoryOf(a.Fault) != weir.AuthDrift || form.Get("refresh_token") != "first" {
		t.Errorf("%+v %v", a.Fault, form)
	}
	if a := c.Renew(t.Context()); a.Fault != nil || form.Get("refresh_token") != "second" || len(stored) != 2 {
		t.Errorf("rotation: %+v %v %v", a.Fault, form, stored)
	}
}

// evil are places that an answer may try to lead to; %s is the other host.
var evil = []string{
	"http://%s/x", "https://%s/x", "//%s/x", "\\\\%s\\x", "/\\%s/x", "http:%s", "http:/%s", "http:///%s", "HTTP://%s",
	"http://user@%s/services/data/v66.0/query/0r8x", "http://%s@%s/", "http://%s/services/data/v66.0/query/0r8000-2000",
	"//%s/services/data/v66.0/query/0r8000-2000", "/services/data/v66.0/query/../../../../x", "/services/data/v66.0/query/..%%2f%%2e%%2e/x",
	"/services/data/v66.0/query/%%2e%%2e", "/services/data/v66.0/query/..", "/services/data/v66.0/query/0r8?next=//%s", "/services/data/v66.0/query/0r8#%s",
	"/services/data/v66.0/sobjects/Contact", "/services/apexrest/x", "query/0r8000-2000", "", "javascript:alert(1)", "/services/data/v66.0/query//%s", "/services/data/v66.0/query/a/b",
}

func TestNothingLeadsElsewhere(t *testing.T) {
	var hits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer other.Close()
	host := strings.TrimPrefix(other.URL, "http://")
	for _, shape := range evil {
		link := strings.ReplaceAll(strings.ReplaceAll(shape, "%s", host), "%%", "%")
		for _, status := range []int{301, 302, 303, 307, 308} {
			o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", link)
				w.WriteHeader(status)
			})
			a, _ := o.client(t).Limits(t.Context())
			if categoryOf(a.Fault) != weir.EndpointMoved || len(o.lines()) != 2 {
				t.Errorf("%d to %q: %+v after %d calls", status, link, a.Fault, len(o.lines()))
			}
		}
		o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, elements(element(0, 200, "", `{"totalSize":9,"done":false,"nextRecordsUrl":`+quote(link)+`,"records":[]}`)))
		})
		c := o.client(t)
		a, answers := c.Query(t.Context(), []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}}}, func(int, salesforce.Row) error { return nil })
		if a.Fault != nil || answers[0].Fault == nil || answers[0].Next != "" {
			t.Errorf("nextRecordsUrl %q: %+v %+v", link, a.Fault, answers[0])
		}
		if a, q := c.More(t.Context(), link, func(salesforce.Row) error { return nil }); a.Fault.Code != salesforce.CodeForeignLink || q.Fault == nil || a.Calls != 0 {
			t.Errorf("More %q: %+v", link, a.Fault)
		}
		o.token = func(w http.ResponseWriter, _ int32) bool {
			reply(w, 200, `{"access_token":"t","instance_url":`+quote(link)+`}`)
			return true
		}
		if a := o.client(t).Renew(t.Context()); link != "" && (a.Fault == nil || a.Fault.Code != salesforce.CodeInstanceMoved) {
			t.Errorf("instance_url %q: %+v", link, a.Fault)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the other host received %d requests", n)
	}
}

func TestAnswersAreCapped(t *testing.T) {
	pack := func(n int) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(`{"x":"`))
		_, _ = z.Write(bytes.Repeat([]byte("a"), n))
		_, _ = z.Write([]byte(`"}`))
		_ = z.Close()
		return b.Bytes()
	}
	for _, c := range []struct {
		name, encoding string
		body           []byte
		cap            int64
		code           string
	}{
		{"packed", "gzip", pack(1000), 0, ""},
		{"bomb", "gzip", pack(50 << 20), 0, salesforce.CodeAnswerTooLarge},
		{"too long", "", bytes.Repeat([]byte(" "), 3<<20), 1 << 20, salesforce.CodeAnswerTooLarge},
		{"too deep", "", []byte(strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)), 0, salesforce.CodeAnswerTooLarge},
		{"cut gzip", "gzip", pack(1000)[:30], 0, salesforce.CodeBrokenAnswer},
		{"not gzip", "gzip", []byte(`{}`), 0, salesforce.CodeBrokenAnswer},
		{"unknown encoding", "br", []byte(`{}`), 0, salesforce.CodeBrokenAnswer},
		{"named twice", "", []byte(`{"a":1,"a":2}`), 0, salesforce.CodeBrokenAnswer},
		{"more behind", "", []byte(`{} {}`), 0, salesforce.CodeBrokenAnswer},
	} {
		o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				t.Error("compression was left to the transport")
			}
			w.Header().Set("Content-Type", "application/json")
			if c.encoding != "" {
				w.Header().Set("Content-Encoding", c.encoding)
			}
			_, _ = w.Write(c.body)
		})
		a, _ := o.client(t, func(o *salesforce.Options) { o.PageCap = c.cap }).Limits(t.Context())
		if got := codeOf(a.Fault); got != c.code {
			t.Errorf("%s: %q, want %q", c.name, got, c.code)
		}
	}
}

func categoryOf(f *weir.Fault) weir.Category {
	if f == nil {
		return weir.Success
	}
	return f.Category
}

func codeOf(f *weir.Fault) string {
	if f == nil {
		return ""
	}
	return f.Code
}

func TestWhatTheOrgMayHaveDone(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	whole := elements(element(0, 204, "", "null"), element(1, 204, "", "null"))
	short := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
		_, _ = io.WriteString(w, whole[:len(whole)-40])
		_ = http.NewResponseController(w).Flush()
		cut(w, nil)
	}
	two := []salesforce.Mutation{{Object: "Contact", ID: "003000000000001AAA", Delete: true, Alone: true}, {Object: "Contact", ID: "003000000000002AAA", Delete: true, Alone: true}}
	for _, c := range []struct {
		name    string
		answer  http.HandlerFunc
		effects [2]weir.Effect // "" = acknowledged
		read    weir.Category
	}{
		{"answer lost", cut, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}, weir.PlatformFault},
		{"answer cut", short, [2]weir.Effect{"", weir.EffectUnknown}, weir.PlatformFault},
		{"answer for one", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, elements(element(0, 204, "", "null"))) }, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}, weir.PlatformFault},
		{"answers swapped", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, elements(element(1, 204, "", "null"), element(0, 204, "", "null")))
		}, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}, weir.PlatformFault},
		{"a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>hello</html>")
		}, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}, weir.PlatformFault},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}, weir.PlatformFault},
		{"502", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}, weir.PlatformFault},
		{"throttled", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 403, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`)
		}, [2]weir.Effect{weir.EffectNone, weir.EffectNone}, weir.ThrottledDaily},
	} {
		o := newOrg(t, c.answer)
		a, answers := o.client(t).Mutate(t.Context(), two)
		if a.Fault == nil || a.Calls != 1 {
			t.Errorf("%s: %+v, %d calls", c.name, a.Fault, a.Calls)
		}
		for i, want := range c.effects {
			f := answers[i].Fault
			if want == "" && f != nil || want != "" && (f == nil || f.Effect != want) {
				t.Errorf("%s: element %d: %+v, want effect %q", c.name, i, f, want)
			}
		}
		a, q := o.client(t).Query(t.Context(), []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}}}, func(int, salesforce.Row) error { return nil })
		if categoryOf(a.Fault) != c.read && categoryOf(q[0].Fault) != c.read {
			t.Errorf("%s: reading: %+v %+v", c.name, a.Fault, q[0].Fault)
		}
		if q[0].Fault == nil || q[0].Fault.Effect != weir.EffectNone {
			t.Errorf("%s: reading has effect: %+v", c.name, q[0].Fault)
		}
	}
}

func TestWhatNeverLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) })
	closed := l.Addr().String()
	_ = l.Close()
	c := o.client(t, func(o *salesforce.Options) { o.Transport = &detour{to: closed, next: http.DefaultTransport} })
	if a := c.Renew(t.Context()); a.Fault != nil {
		t.Fatal(a.Fault)
	}
	del := []salesforce.Mutation{{Object: "Contact", ID: "003000000000001AAA", Delete: true}}
	a, answers := c.Mutate(t.Context(), del)
	if codeOf(a.Fault) != salesforce.CodeNotSent || answers[0].Fault.Effect != weir.EffectNone || a.Calls != 0 || !a.SentAt.IsZero() {
		t.Errorf("refused connection: %+v %+v", a, answers[0].Fault)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a, _ := o.client(t).Mutate(ctx, del); codeOf(a.Fault) != salesforce.CodeNotSent {
		t.Errorf("cancelled before: %+v", a.Fault)
	}
	opaque := roundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			return http.DefaultTransport.RoundTrip(r)
		}
		return nil, errors.New("gone")
	})
	if a, _ := o.client(t, func(o *salesforce.Options) { o.Transport = opaque }).Mutate(t.Context(), del); a.Fault.Effect != weir.EffectUnknown {
		t.Errorf("a transport that does not say what it sent: %+v", a.Fault)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// detour sends everything but token calls to an address where nobody listens.
type detour struct {
	to   string
	next http.RoundTripper
}

func (d *detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/token") {
		r = r.Clone(r.Context())
		r.URL.Host = d.to
	}
	return d.next.RoundTrip(r)
}

func TestPrivateAddressesAreNotDialled(t *testing.T) {
	for _, host := range []string{"10.0.0.1", "169.254.169.254", "192.168.1.1", "[fd00::1]", "0.0.0.0", "[::ffff:10.0.0.1]"} {
		c, err := salesforce.New(salesforce.Options{
			InstanceURL: "https://" + host, Timeout: 2 * time.Second, Auth: salesforce.ClientCredentials{ID: "x", Secret: pii.NewString("y")},
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if a := c.Renew(t.Context()); codeOf(a.Fault) != salesforce.CodeNotSent || time.Since(start) > time.Second {
			t.Errorf("%s: %+v", host, a.Fault)
		}
	}
}

func TestNewCredentialsAreUsedAtOnce(t *testing.T) {
	o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) })
	c := o.client(t)
	_, _ = c.Limits(t.Context())
	c.SetAuth(salesforce.ClientCredentials{ID: "other", Secret: pii.NewString("x")})
	if a, _ := c.Limits(t.Context()); a.Fault != nil || o.tokens.Load() != 2 {
		t.Errorf("%+v, %d token calls", a.Fault, o.tokens.Load())
	}
}

func TestTimeoutAfterSendingIsDoubt(t *testing.T) {
	release := make(chan struct{})
	o := newOrg(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	c := o.client(t, func(o *salesforce.Options) { o.Timeout = 100 * time.Millisecond })
	a, answers := c.Mutate(t.Context(), []salesforce.Mutation{{Object: "Contact", ID: "003000000000001AAA", Delete: true}})
	if codeOf(a.Fault) != salesforce.CodeNoAnswer || categoryOf(a.Fault) != weir.UnknownOutcome || answers[0].Fault.Effect != weir.EffectUnknown {
		t.Errorf("%+v", a.Fault)
	}
}

func TestOrgQuestions(t *testing.T) {
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/services/data/":
			if r.Header.Get("Authorization") != "" {
				t.Error("the versions were asked for with a token")
			}
			reply(w, 200, `[{"label":"Spring '26","url":"/services/data/v66.0","version":"66.0"}]`)
		case "/services/oauth2/userinfo":
			reply(w, 200, `{"organization_id":"00Dx0000000BV7zAAA","user_id":"005x00000012Q9PAAA","preferred_username":"weir@acme.example"}`)
		case "/services/data/v66.0/limits":
			w.Header().Set("X-Rate-Limit-Remaining", "3")
			reply(w, 200, `{"DailyApiRequests":{"Max":5000,"Remaining":4990,"weir":{"Max":250,"Remaining":200}},"DataStorageMB":{"Max":5,"Remaining":5}}`)
		}
	})
	c := o.client(t)
	if a, v := c.Versions(t.Context()); a.Fault != nil || len(v) != 1 || v[0].Version != "66.0" || a.Calls != 0 {
		t.Errorf("%+v %+v", a, v)
	}
	if a, who := c.Identity(t.Context()); a.Fault != nil || who.Username != "weir@acme.example" || who.OrgID != "00Dx0000000BV7zAAA" {
		t.Errorf("%+v %+v", a, who)
	}
	a, limits := c.Limits(t.Context())
	if a.Fault != nil || a.Calls != 1 || len(limits) != 3 || limits[1].App != "weir" {
		t.Errorf("%+v %+v", a, limits)
	}
	kinds := map[weir.ReadingKind]int{}
	for _, r := range a.Readings {
		kinds[r.Kind]++
	}
	if kinds[weir.ReadDaily] != 2 || kinds[weir.ReadApp] != 1 || kinds[weir.ReadRemaining] != 1 {
		t.Errorf("%+v", a.Readings)
	}
}
