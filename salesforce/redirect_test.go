package salesforce_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

// stranger is a host that no call may reach. It counts connections as well as
// requests: whoever connects has already told that there is something to tell.
type stranger struct {
	*httptest.Server
	mu          sync.Mutex
	connections int
	requests    int
	secrets     int
}

func newStranger(t *testing.T, secrets ...string) *stranger {
	t.Helper()
	s := &stranger{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told := fmt.Sprint(r.Header, r.RequestURI, string(body))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests++
		for _, secret := range secrets {
			if strings.Contains(told, secret) {
				s.secrets++
				return
			}
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			s.connections++
			s.mu.Unlock()
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *stranger) heard() (connections, requests, secrets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections, s.requests, s.secrets
}

// wayOut is one answer that tries to lead a client away.
type wayOut struct {
	name  string
	write func(w http.ResponseWriter, link string)
}

func waysOut() []wayOut {
	var out []wayOut
	for _, status := range []int{300, 301, 302, 303, 305, 307, 308} {
		out = append(out, wayOut{fmt.Sprint(status), func(w http.ResponseWriter, link string) {
			w.Header().Set("Location", link)
			w.WriteHeader(status)
		}})
	}
	page := func(w http.ResponseWriter, status int, text string) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	return append(out,
		wayOut{"location on 200", func(w http.ResponseWriter, link string) {
			w.Header().Set("Location", link)
			w.Header().Set("Content-Location", link)
			reply(w, 200, `{}`)
		}},
		wayOut{"location on 201", func(w http.ResponseWriter, link string) {
			w.Header().Set("Location", link)
			w.WriteHeader(201)
		}},
		wayOut{"location on 401", func(w http.ResponseWriter, link string) {
			w.Header().Set("Location", link)
			w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="`+link+`"`)
			w.WriteHeader(401)
		}},
		wayOut{"refresh header", func(w http.ResponseWriter, link string) {
			w.Header().Set("Refresh", "0; url="+link)
			page(w, 200, "<html><body>wait</body></html>")
		}},
		wayOut{"meta refresh", func(w http.ResponseWriter, link string) {
			page(w, 200, `<html><head><meta http-equiv="refresh" content="0; url=`+link+`"></head></html>`)
		}},
		wayOut{"script", func(w http.ResponseWriter, link string) {
			page(w, 503, `<html><script>location.replace(`+quote(link)+`)</script></html>`)
		}},
		wayOut{"link header", func(w http.ResponseWriter, link string) {
			w.Header().Set("Link", `<`+link+`>; rel="next"`)
			w.Header().Set("Alt-Svc", `h2="`+strings.TrimPrefix(link, "http://")+`"`)
			reply(w, 500, `[]`)
		}},
	)
}

// elsewhere are the links that ways out lead to: every part of a URL that can
// name another place.
func elsewhere(own, other string) []string {
	ownHost, otherHost := strings.TrimPrefix(own, "http://"), strings.TrimPrefix(other, "http://")
	_, port, _ := net.SplitHostPort(otherHost)
	links := []string{
		own + "@" + otherHost + "/", "http://" + ownHost + "%40" + otherHost + "/", "http://127.0.0.1:" + port + "/services/oauth2/token",
		"http://localhost:" + port + "/services/data/v66.0/limits", "http://[::ffff:127.0.0.1]:" + port + "/", "http://2130706433:" + port + "/",
		"https://" + ownHost + "/services/data/v66.0/limits", "ws://" + otherHost + "/", "file:///etc/passwd", "data:text/html,x",
		own + "/services/data/v66.0/limits", "/services/data/v66.0/limits", "?a=b", "#x", "..", "",
	}
	for _, shape := range evil {
		links = append(links, strings.ReplaceAll(strings.ReplaceAll(shape, "%s", otherHost), "%%", "%"))
	}
	return links
}

// TestNoSecretLeavesTheOrg answers every kind of call, the one for the token
// included, with every way out to every kind of link. Nothing is followed: not
// to the other host, and not to our own. `make prove-input` tries them all.
func TestNoSecretLeavesTheOrg(t *testing.T) {
	secrets := []string{"00D!tok", "s3cret", "jane@example.com"}
	other := newStranger(t, secrets...)
	id := "003000000000001AAA"
	calls := []struct {
		name string
		do   func(*salesforce.Client) *weir.Fault
	}{
		{"token", func(c *salesforce.Client) *weir.Fault { return c.Renew(t.Context()).Fault }},
		{"limits", func(c *salesforce.Client) *weir.Fault { a, _ := c.Limits(t.Context()); return a.Fault }},
		{"versions", func(c *salesforce.Client) *weir.Fault { a, _ := c.Versions(t.Context()); return a.Fault }},
		{"row", func(c *salesforce.Client) *weir.Fault {
			a, _, _ := c.Row(t.Context(), "Contact", id, []string{"Id"})
			return a.Fault
		}},
		{"query", func(c *salesforce.Client) *weir.Fault {
			q := salesforce.Query{Object: "Contact", Fields: []string{"Id"}, Where: salesforce.Eq("Email", pii.NewString("jane@example.com"))}
			a, _ := c.Query(t.Context(), []salesforce.Query{q}, nil)
			return a.Fault
		}},
		{"mutate", func(c *salesforce.Client) *weir.Fault {
			a, _ := c.Mutate(t.Context(), []salesforce.Mutation{{Object: "Contact", ID: id, Delete: true}})
			return a.Fault
		}},
		{"soap", func(c *salesforce.Client) *weir.Fault {
			a, _ := c.EmptyRecycleBin(t.Context(), []string{id})
			return a.Fault
		}},
	}
	var way wayOut
	var link string
	o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) { way.write(w, link) })
	shapes := 0
	for i := range waysOut() {
		way = waysOut()[i]
		for j, to := range elsewhere(o.URL, other.URL) {
			link = to
			for n, k := range calls {
				if os.Getenv("WEIR_PROVE") != "long" && (i+j)%len(calls) != n {
					continue // the short form tries each link with each way out, and takes turns with the calls
				}
				shapes++
				o.token = nil
				want := 2
				if k.name == "token" {
					o.token = func(w http.ResponseWriter, _ int32) bool { way.write(w, link); return true }
				}
				if k.name == "token" || k.name == "versions" {
					want = 1
				}
				before := len(o.lines())
				c := o.client(t)
				fault := k.do(c)
				c.CloseIdle()
				if fault == nil && (way.name != "location on 200" || k.name != "limits") {
					t.Errorf("%s, %s to %q: taken for a success", k.name, way.name, link)
				}
				if n := len(o.lines()) - before; n != want {
					t.Errorf("%s, %s to %q: %d calls reached the org, want %d", k.name, way.name, link, n, want)
				}
			}
		}
	}
	connections, requests, told := other.heard()
	if connections+requests+told != 0 {
		t.Errorf("the other host received %d connections, %d requests, %d with secrets", connections, requests, told)
	}
	t.Logf("%d answers that lead elsewhere: the other host received %d connections, %d requests, %d with secrets", shapes, connections, requests, told)
}

// TestStrangerHears shows that the stranger would notice: a client that follows
// redirects, as most do, tells it everything.
func TestStrangerHears(t *testing.T) {
	other := newStranger(t, "s3cret")
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	resp, err := http.Post(o.URL+"/x", "text/plain", strings.NewReader("s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if connections, requests, told := other.heard(); connections != 1 || requests != 1 || told != 1 {
		t.Errorf("%d connections, %d requests, %d with secrets", connections, requests, told)
	}
}

// Whatever an answer calls the next page: nothing is called, or a query's page
// of the same org.
func FuzzNextRecordsUrl(f *testing.F) {
	for _, shape := range append(elsewhere("http://acme.example", "http://evil.example:81"), "/services/data/v66.0/query/0r8xx0000000001-2000", "https://acme.example/services/data/v66.0/queryAll/0r8-1", "https://acme.example:443@evil/services/data/v66.0/query/0r8") {
		f.Add(shape)
	}
	page := regexp.MustCompile(`^/services/data/v[0-9]+\.[0-9]/(query|queryAll)/[A-Za-z0-9_.~-]+$`)
	f.Fuzz(func(t *testing.T, link string) {
		c, err := salesforce.New(salesforce.Options{
			InstanceURL: "https://acme.example", Auth: salesforce.ClientCredentials{ID: "x", Secret: secret("y")},
			Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				path := r.URL.EscapedPath()
				if r.URL.Scheme != "https" || r.URL.Host != "acme.example" || r.URL.User != nil || r.URL.RawQuery != "" || r.Host != "acme.example" {
					t.Errorf("%q led to %s", link, r.URL)
				}
				text := `{"access_token":"t"}`
				if path != "/services/oauth2/token" {
					if text = `{"totalSize":0,"done":true,"records":[]}`; !page.MatchString(path) || strings.Contains(path, "/..") || strings.HasSuffix(path, "/.") {
						t.Errorf("%q led to %s", link, path)
					}
				}
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		if a, _ := c.More(t.Context(), link, func(salesforce.Row) error { return nil }); a.Fault != nil && (a.Fault.Code != salesforce.CodeForeignLink || a.Calls != 0) {
			t.Errorf("%q: %+v", link, a.Fault)
		}
	})
}
