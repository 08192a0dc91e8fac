package emulator_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

func TestLatencyInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t, func(o *emulator.Options) { o.Latency = time.Minute })
		start := time.Now()
		c.send(http.MethodGet, "/limits", "").want(t, 200, "")
		if took := time.Since(start); took < 30*time.Second || took > 90*time.Second {
			t.Errorf("the call took %s", took)
		}
		id := org.Put("Contact", map[string]any{"LastName": "L"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, base+"/services/data/v66.0/sobjects/Contact/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := c.http.Do(req)
		if err == nil {
			t.Fatal(resp.Body.Close(), "an answer came")
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if r, _ := org.Record("Contact", id); r["IsDeleted"] != false {
			t.Error("a call that was given up before it was read was carried out")
		}
	})
}

// TestSocket drives the same org over a real connection.
func TestSocket(t *testing.T) {
	org := emulator.New(emulator.Options{Profile: emulator.Calm(), Limits: emulator.Limits{LowerCaseHeader: true}})
	server := httptest.NewServer(org.Handler())
	defer server.Close()
	c := &client{t: t, http: &http.Client{Transport: rebase{server.URL}}}
	c.signIn(org)
	a := c.send(http.MethodGet, "/limits", "")
	if a.status != 200 || a.header.Get(usage) != "api-usage=1/15000" {
		t.Error(a)
	}
	id := org.Put("Contact", map[string]any{"LastName": "L"})
	org.InjectNext(emulator.FaultLostAck, 1)
	if _, err := c.try(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"x"}`); err == nil {
		t.Error("an answer came")
	}
	if r, _ := org.Record("Contact", id); r["Title"] != "x" {
		t.Error("the write was not applied")
	}
}

// rebase sends every call to a test server.
type rebase struct{ to string }

func (r rebase) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = "http", strings.TrimPrefix(r.to, "http://"), ""
	return http.DefaultTransport.RoundTrip(req)
}

func TestControl(t *testing.T) {
	org, c := calm(t)
	control := org.Control()
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		control.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
		return w
	}
	expect := func(method, path, body string, status int) []byte {
		t.Helper()
		w := ask(method, path, body)
		if w.Code != status {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w.Body.Bytes()
	}
	var made struct{ ID string }
	if err := json.Unmarshal(expect("POST", "/records", `{"object":"Contact","fields":{"LastName":"L"}}`, 200), &made); err != nil {
		t.Fatal(err)
	}
	expect("POST", "/records", `{"object":"Nope","fields":{}}`, 400)
	expect("GET", "/records/Contact/"+made.ID, "", 200)
	expect("GET", "/records/Contact/nope", "", 404)
	expect("POST", "/touch", `{"object":"Contact","id":"`+made.ID+`","fields":{"Title":"T"}}`, 204)
	expect("POST", "/touch", `{"object":"Contact","id":"`+made.ID+`","automated":true}`, 204)
	expect("POST", "/touch", `{"object":"Contact","id":"nope"}`, 400)
	expect("POST", "/neighbour", `{"calls":100}`, 204)
	expect("POST", "/faults", `{"kind":"platform500","match":{"object":"Contact"}}`, 204)
	expect("POST", "/faults", `{"kind":"nope"}`, 400)
	c.send(http.MethodGet, "/limits", "").want(t, 200, "")
	c.send(http.MethodGet, "/sobjects/Contact/"+made.ID, "").want(t, 500, "UNKNOWN_EXCEPTION")
	expect("PUT", "/faults", `[{"kind":"html503","at":1}]`, 204)
	if a := c.send(http.MethodGet, "/limits", ""); a.status != 503 {
		t.Error(a.status)
	}
	expect("POST", "/schema", `{"object":"Contact","field":"Title","attribute":"length","value":10}`, 204)
	expect("POST", "/schema", `{"object":"Contact","field":"Title","attribute":"nope","value":10}`, 400)
	expect("POST", "/permissions", `{"object":"Lead","action":"read"}`, 204)
	expect("POST", "/permissions", `{"object":"Lead","action":"read","allowed":true}`, 204)
	expect("POST", "/credentials", `{"valid":false}`, 204)
	expect("POST", "/credentials", `{"wrong":false}`, 400)
	expect("POST", "/sessions/expire", ``, 204)
	expect("GET", "/credentials", "", 200)
	expect("GET", "/subjects", "", 200)
	var truth emulator.Truth
	if err := json.Unmarshal(expect("GET", "/truth", "", 200), &truth); err != nil || truth.Faults[emulator.FaultHTML] != 1 || len(truth.Records[made.ID].Writes) != 2 {
		t.Errorf("%v %+v", err, truth)
	}
	var log []emulator.Call
	if err := json.Unmarshal(expect("GET", "/log?after=1", "", 200), &log); err != nil || len(log) != 3 || log[0].Seq != 2 {
		t.Errorf("%v %+v", err, log)
	}
	expect("GET", "/log?after=x", "", 400)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	expect("POST", "/keys", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), 204)
	expect("POST", "/keys", "x", 400)
}

func TestLogHoldsNoValues(t *testing.T) {
	org, c := calm(t)
	id := org.Put("Contact", map[string]any{"LastName": "Secretname"})
	c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"Secrettitle"}`)
	c.query("SELECT Id FROM Contact WHERE LastName = 'Secretname'")
	c.send(http.MethodGet, "/sobjects/Secretname/Secretname", "")
	out, err := json.Marshal(org.Log())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out, []byte("Secret")) || bytes.Contains(out, []byte(id)) {
		t.Errorf("%s", out)
	}
}

func TestTruthCountsDoubles(t *testing.T) {
	org, c := calm(t)
	id := org.Put("Contact", map[string]any{"LastName": "L"})
	write := func(body string) { c.send(http.MethodPatch, "/sobjects/Contact/"+id, body).want(t, 204, "") }
	write(`{"Title":"x"}`)
	write(`{"Title":"y"}`)
	if n := len(org.Truth().Doubled()); n != 0 {
		t.Errorf("%d doubles", n)
	}
	write(`{"Title":" x "}`)
	if n := len(org.Truth().Doubled()); n != 1 {
		t.Errorf("%d doubles", n)
	}
	org.Touch("Contact", id, map[string]any{"Title": "z"})
	write(`{"Title":"y"}`)
	truth := org.Truth()
	if n := len(truth.Doubled()); n != 1 {
		t.Errorf("%d doubles", n)
	}
	if len(truth.TouchedOutside(map[string]bool{id: true})) != 0 || len(truth.TouchedOutside(nil)) != 4 {
		t.Error("touched")
	}
}
