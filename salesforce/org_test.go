package salesforce_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

// org is a Salesforce org of a few lines: it hands out tokens, and a test says
// what it answers to everything else. It keeps every request line it saw.
type org struct {
	*httptest.Server
	answer http.HandlerFunc
	tokens atomic.Int32
	token  func(w http.ResponseWriter, n int32) bool // true = answered

	mu   sync.Mutex
	seen []string
}

func newOrg(t *testing.T, answer http.HandlerFunc) *org {
	t.Helper()
	o := &org{answer: answer}
	o.Server = httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(o.Close)
	return o
}

func (o *org) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.seen = append(o.seen, r.Method+" "+r.RequestURI)
	o.mu.Unlock()
	if r.URL.Path != "/services/oauth2/token" {
		o.answer(w, r)
		return
	}
	n := o.tokens.Add(1)
	if o.token != nil && o.token(w, n) {
		return
	}
	reply(w, 200, fmt.Sprintf(`{"access_token":"00D!tok%d","instance_url":%q,"id":"%s/id/00Dx0000000BV7zAAA/005x00000012Q9PAAA","token_type":"Bearer"}`, n, o.URL, o.URL))
}

// lines returns every request line that the org saw.
func (o *org) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.seen...)
}

func (o *org) client(t *testing.T, change ...func(*salesforce.Options)) *salesforce.Client {
	t.Helper()
	opts := salesforce.Options{
		InstanceURL: o.URL,
		Auth:        salesforce.ClientCredentials{ID: "weir", Secret: pii.NewString("s3cret&=")},
	}
	for _, f := range change {
		f(&opts)
	}
	c, err := salesforce.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Sforce-Limit-Info", "api-usage=18/5000")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// composite is the body of a composite call as the org sees it.
type composite struct {
	AllOrNone        bool `json:"allOrNone"`
	CompositeRequest []struct {
		Method      string            `json:"method"`
		URL         string            `json:"url"`
		ReferenceID string            `json:"referenceId"`
		HTTPHeaders map[string]string `json:"httpHeaders"`
		Body        json.RawMessage   `json:"body"`
	} `json:"compositeRequest"`
}

func readComposite(t *testing.T, r *http.Request) composite {
	t.Helper()
	var c composite
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		t.Errorf("composite body: %v", err)
	}
	return c
}

// element writes one element of a composite answer.
func element(i, status int, headers, body string) string {
	return fmt.Sprintf(`{"body":%s,"httpHeaders":{%s},"httpStatusCode":%d,"referenceId":"r%d"}`, body, headers, status, i)
}

func elements(parts ...string) string {
	return `{"compositeResponse":[` + strings.Join(parts, ",") + `]}`
}
