package transport

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir"
)

// again says whether the transport sends a call once more by itself: the
// governor says that it may work later, the org has surely not carried it out,
// its body can be read again, and there is time and budget for it. The caller
// gets the answer as it is otherwise.
func (t *Transport) again(req *http.Request, f *weir.Fault, d weir.Decision, due time.Time) bool {
	switch {
	case d.Ruling != weir.WaitUntil, !f.Retryable, f.Effect != weir.EffectNone:
		return false
	case !t.opt.Resend.allows(req.Method, f.Category), !rewindable(req):
		return false
	case !due.IsZero() && due.Before(d.Wait.Until), req.Context().Err() != nil:
		return false
	}
	return t.budget.take()
}

func (r Resend) allows(method string, c weir.Category) bool {
	switch method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		return r == ResendRefused && c.Throttled()
	}
	return readsOnly(method) && r != ResendNothing // never a POST
}

func bodiless(req *http.Request) bool { return req.Body == nil || req.Body == http.NoBody }

func rewindable(req *http.Request) bool { return bodiless(req) || req.GetBody != nil }

// rewound returns the request with its body at the beginning again.
func rewound(req *http.Request) (*http.Request, error) {
	if bodiless(req) {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller keeps the answer and drops this
	}
	again := req.WithContext(req.Context())
	again.Body = body
	return again, nil
}

// budget bounds what the transport sends again: a tenth of all calls, and a few
// so that a program's first calls may meet a refusal.
type budget struct{ sent, again atomic.Int64 }

const firstAgain = 10

func (b *budget) take() bool {
	if (b.again.Add(1)-firstAgain)*10 <= b.sent.Load() {
		return true
	}
	b.again.Add(-1)
	return false
}
