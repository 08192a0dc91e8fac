package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

const tokenPath = "/services/oauth2/token"

// token is one access token and what came with it.
type token struct {
	access     pii.Secret
	id         string // identity URL: never called, only read
	generation uint64
}

// tokens keeps the current token and lets one goroutine at a time fetch a new
// one: a login per call is how integrations lock themselves out.
type tokens struct {
	mu         sync.Mutex
	auth       Auth
	current    token
	generation uint64
	refused    uint64 // generation that the org no longer accepts
	rotated    pii.Secret
	under      *flight // non-nil while somebody authenticates
}

// flight is one authentication that is under way.
type flight struct {
	done   chan struct{}
	token  token
	failed *Answer
	gaveUp bool // its owner was cancelled or too late: the result says nothing about the org
}

// refuse notes that the org did not accept the token of a generation.
func (t *tokens) refuse(generation uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused = max(t.refused, generation)
}

// drop forgets the current token if the org refused it. A token that nobody
// was refused with stays: of a hundred goroutines that met the same 401, one
// authenticates.
func (t *tokens) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.generation <= t.refused {
		t.current = token{}
	}
}

// token returns the current token, fetching one when there is none. failed is
// the Answer to give when that did not work.
func (c *Client) token(ctx context.Context) (token, *Answer) {
	t := &c.tokens
	for {
		t.mu.Lock()
		if !t.current.access.IsZero() {
			defer t.mu.Unlock()
			return t.current, nil
		}
		f := t.under
		if f == nil {
			f = &flight{done: make(chan struct{})}
			t.under = f
			t.mu.Unlock()
			c.authenticate(ctx, f)
			return f.token, f.failed
		}
		t.mu.Unlock()
		select {
		case <-ctx.Done():
			a := c.refuse(CodeNotSent, weir.PlatformFault)
			return token{}, &a
		case <-f.done:
		}
		if !f.gaveUp {
			return f.token, f.failed
		}
	}
}

// authenticate makes one token call and publishes its result.
func (c *Client) authenticate(ctx context.Context, f *flight) {
	got, a := c.fetchToken(ctx)
	t := &c.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.Fault != nil {
		f.failed, f.gaveUp = &a, ctx.Err() != nil || a.Fault.Code == CodeLapsed
	} else {
		t.generation++
		got.generation = t.generation
		t.current, f.token = got, got
	}
	t.under = nil
	close(f.done)
}

// fetchToken makes the token call. Whatever goes wrong has no effect on the org.
func (c *Client) fetchToken(ctx context.Context) (token, Answer) {
	c.tokens.mu.Lock()
	auth, rotated := c.tokens.auth, c.tokens.rotated
	c.tokens.mu.Unlock()
	form, err := auth.form(c.base, c.now(), rotated)
	if err != nil {
		return token{}, c.refuse("", weir.AuthConfig)
	}
	var got token
	a := c.send(ctx, call{
		method: http.MethodPost, path: tokenPath, body: form, free: true, open: true,
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	}, func(_ int, _ http.Header, s *scanner) error {
		var err error
		got, err = c.readToken(s, auth)
		return err
	})
	if a.Fault == nil && got.access.IsZero() {
		a.Fault = ownFault(CodeBrokenAnswer, weir.PlatformFault, weir.EffectNone)
	}
	return got, a
}

// readToken decodes the success body of the token endpoint. There is never an
// expires_in: a token is good until the org says 401.
func (c *Client) readToken(s *scanner, auth Auth) (token, error) {
	body := map[string]string{}
	err := s.object(func(name string) error {
		switch name {
		case "access_token", "instance_url", "id", "token_type", "refresh_token":
			v, err := s.text()
			body[name] = v
			return err
		}
		return s.skip()
	})
	if err != nil {
		return token{}, err
	}
	if at := body["instance_url"]; at != "" && !sameHost(c.base, at) {
		return token{}, ownFault(CodeInstanceMoved, weir.EndpointMoved, weir.EffectNone)
	}
	if access := body["access_token"]; access == "" || strings.ContainsAny(access, " \r\n\t") {
		return token{}, errSyntax
	}
	if err := c.keepRotated(auth, body["refresh_token"]); err != nil {
		return token{}, &sinkError{err}
	}
	return token{access: pii.NewString(body["access_token"]), id: body["id"]}, nil
}

// keepRotated stores the refresh token that replaced ours, in memory and, by
// the caller's function, for the next start.
func (c *Client) keepRotated(auth Auth, fresh string) error {
	refresh, ok := auth.(Refresh)
	if !ok || fresh == "" {
		return nil
	}
	secret := pii.NewString(fresh)
	c.tokens.mu.Lock()
	c.tokens.rotated = secret
	c.tokens.mu.Unlock()
	if refresh.Rotated == nil {
		return nil
	}
	return refresh.Rotated(secret)
}

// Renew authenticates anew after a call was refused with AuthDrift. Concurrent
// callers share one token call, and a token that the org has not refused is
// kept, so that calling Renew once too often costs nothing.
func (c *Client) Renew(ctx context.Context) Answer {
	c.tokens.drop()
	_, failed := c.token(ctx)
	if failed != nil {
		return *failed
	}
	return Answer{At: c.now()}
}

// SetAuth replaces the credentials, for the day that an administrator changes
// them under a running weir. The next call authenticates with the new ones.
func (c *Client) SetAuth(a Auth) {
	t := &c.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	t.auth, t.current, t.rotated = a, token{}, pii.Secret{}
}

// identityOf takes organisation and user id out of the identity URL, such as
// https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P.
func identityOf(raw string) (org, user string) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) != 3 || parts[0] != "id" || !recordID.MatchString(parts[1]) || !recordID.MatchString(parts[2]) {
		return "", ""
	}
	return parts[1], parts[2]
}
