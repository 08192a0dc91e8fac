package emulator_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/weirhq/weir/emulator"
)

const base = "https://acme.my.salesforce.com"

// client is the simplest caller that the API can have.
type client struct {
	t     *testing.T
	http  *http.Client
	token string
}

type answer struct {
	status int
	header http.Header
	body   string
}

// calm makes an org where nothing goes wrong by itself, and signs in.
func calm(t *testing.T, change ...func(*emulator.Options)) (*emulator.Org, *client) {
	t.Helper()
	options := emulator.Options{Seed: 1, Profile: emulator.Calm()}
	for _, c := range change {
		c(&options)
	}
	org := emulator.New(options)
	c := &client{t: t, http: &http.Client{Transport: org.Transport()}}
	c.signIn(org)
	return org, c
}

func (c *client) signIn(org *emulator.Org) {
	c.t.Helper()
	creds := org.Credentials()
	a := c.askToken(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {creds.ClientID}, "client_secret": {creds.ClientSecret},
	})
	var out struct {
		AccessToken string `json:"access_token"`
	}
	c.decode(a, &out)
	if out.AccessToken == "" {
		c.t.Fatalf("no token: %d %s", a.status, a.body)
	}
	c.token = out.AccessToken
}

func (c *client) askToken(form url.Values) answer {
	c.t.Helper()
	return c.send(http.MethodPost, "/services/oauth2/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// try sends a call and reports whether an answer came.
func (c *client) try(method, path, body string, headers ...string) (answer, error) {
	c.t.Helper()
	if !strings.HasPrefix(path, "/services") {
		path = "/services/data/v66.0" + path
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	raw, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		c.t.Fatal(err)
	}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			c.t.Fatal(err)
		}
		if raw, err = io.ReadAll(z); err != nil {
			c.t.Fatal(err)
		}
	}
	return answer{resp.StatusCode, resp.Header, string(raw)}, nil
}

func (c *client) send(method, path, body string, headers ...string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *client) query(soql string, headers ...string) answer {
	c.t.Helper()
	return c.send(http.MethodGet, "/query?q="+url.QueryEscape(soql), "", headers...)
}

func (c *client) decode(a answer, into any) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		c.t.Fatalf("%d %q: %v", a.status, a.body, err)
	}
}

// ids runs a query and returns the ids of its first page.
func (c *client) ids(soql string) []string {
	c.t.Helper()
	a := c.query(soql)
	var out struct{ Records []struct{ ID string } }
	if a.status != 200 {
		c.t.Fatalf("%s: %d %s", soql, a.status, a.body)
	}
	c.decode(a, &out)
	ids := []string{}
	for _, r := range out.Records {
		ids = append(ids, r.ID)
	}
	return ids
}

// code is the error code of a refusal.
func (a answer) code() string {
	var list []struct{ ErrorCode string }
	if json.Unmarshal([]byte(a.body), &list) != nil || len(list) == 0 {
		return ""
	}
	return list[0].ErrorCode
}

// want fails unless the answer has the status and the error code.
func (a answer) want(t *testing.T, status int, code string) {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Errorf("answer is %d %s %s, want %d %s", a.status, a.code(), a.body, status, code)
	}
}
