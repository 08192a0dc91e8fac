package transport

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

// refused remembers a token that the org no longer accepts. The transport knows
// no credentials and renews none. It does two things: a call that carries that
// very token gets the org's answer without being sent, and the first call with
// another one tells the governor that the client has renewed it. So a thousand
// callers with a dead token cost few calls, and stragglers do not look like a
// second refusal, which would open the breaker.
type refused struct{ last atomic.Pointer[refusal] }

type refusal struct {
	token   [sha256.Size]byte
	at      time.Time
	renewed atomic.Bool
}

// refusedFor is how long a refusal is believed. The governor waits as long for
// a renewal; then one call asks the org again.
const refusedFor = 30 * time.Second

// refuse notes that the org has refused a call's token, and lets everybody who
// waits look at theirs.
func (t *Transport) refuse(req *http.Request, now time.Time) {
	auth := req.Header.Get("Authorization")
	if auth == "" {
		return
	}
	next := &refusal{token: sha256.Sum256([]byte(auth)), at: now}
	if old := t.refused.last.Load(); old != nil && old.token == next.token {
		return // others that were under way with it
	}
	t.refused.last.Store(next)
	t.queue.callAll()
}

// errDeadToken says that a call carries a token that the org has refused.
var errDeadToken = errors.New("the token is dead")

// dead says so of a call, and notices when the client has renewed its token.
func (t *Transport) dead(req *http.Request) bool {
	r := t.refused.last.Load()
	if r == nil {
		return false
	}
	auth := req.Header.Get("Authorization")
	switch same := sha256.Sum256([]byte(auth)) == r.token; {
	case auth == "":
	case !same:
		if r.renewed.CompareAndSwap(false, true) {
			t.judge.renewed()
			t.queue.kick()
		}
	case t.opt.Now().Sub(r.at) < refusedFor:
		return true
	default:
		t.refused.last.CompareAndSwap(r, nil)
	}
	return false
}

// deadToken is the org's own answer to such a call.
func deadToken(req *http.Request) *http.Response {
	resp := synthetic(req, http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
	resp.Header.Set(ClassHeader, string(weir.AuthDrift))
	return resp
}

func isToken(req *http.Request) bool {
	return req.URL != nil && strings.HasSuffix(req.URL.Path, "/services/oauth2/token")
}

// tokenCall carries a call to the token endpoint. The org does not count it and
// it takes no slot, but it too waits behind a closed gate, and its outcome says
// whether our credentials are good.
func (t *Transport) tokenCall(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	due := t.due(ctx, orderIn(ctx))
	for {
		a := t.judge.gate()
		if a.until.IsZero() {
			break
		}
		err := error(t.deferred(a, nil))
		if !tooLate(a, due) {
			err = pause(ctx, t.opt.Now(), a.until)
		}
		if err != nil {
			closeBody(req)
			return t.undo(req, err)
		}
	}
	sent := t.opt.Now()
	resp, err := t.base.RoundTrip(req)
	o := weir.Outcome{Now: t.opt.Now(), SentAt: sent}
	if err != nil {
		o.Fault = &weir.Fault{Category: weir.PlatformFault, Code: salesforce.CodeNoAnswer, Scope: weir.ScopeCall, Effect: weir.EffectNone, Retryable: true}
	} else {
		o.Readings, o.Fault, _ = t.classify(nil, req, resp, o.Now)
	}
	t.judge.token(o)
	t.queue.kick()
	if err != nil {
		return nil, fmt.Errorf("token endpoint: %w", err)
	}
	return resp, nil
}
