package transport

import (
	"net/http"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// Options say how the calls of one org are governed. The zero value keeps to
// governor.DefaultPolicy and remembers nothing across restarts.
type Options struct {
	// Org names the org in errors. With Socket it is the alias of the org in
	// the running weir's configuration, and required.
	Org weir.OrgID
	// Policy is what the calls may use up; the zero value is
	// governor.DefaultPolicy(). With Socket the running weir's policy holds.
	Policy governor.Policy
	// Socket is the path of a running weir's socket (weir.sock in its data
	// directory): then its budget is shared, and the rest of this type but
	// Resend, Synthesize and MaxWait is not used.
	Socket string
	// Memory keeps the state across restarts; nil means that it is forgotten.
	// See File.
	Memory Memory
	// Resend says what is sent again after a failure that a wait can cure.
	Resend Resend
	// Synthesize answers a deferred call with 429 and Retry-After instead of a
	// *DeferredError, for clients that understand only answers.
	Synthesize bool
	// MaxWait bounds the wait of a call that has no deadline. 0 = no bound.
	MaxWait time.Duration
	// Record receives every question to the governor with its answer, in order:
	// whoever kept them can compute each decision again with Replay. It is
	// called under a lock, must be quick and must not send calls.
	Record func(Record)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Jitter draws from all of uint32; nil means crypto/rand.
	Jitter func() uint32
}

// Resend says which calls the transport sends again by itself: those that the
// org has surely not carried out, when waiting can help. A call with a body
// needs Request.GetBody. Calls that are sent again are at most a tenth of all.
// A POST is never among them.
type Resend int

// What is sent again.
const (
	ResendReads   Resend = iota // GET, HEAD and OPTIONS, after any failure that can pass
	ResendRefused               // also PUT, PATCH and DELETE that the org refused by a throttle
	ResendNothing
)

// Record is one question to the governor and its answer. Exactly one of Ask and
// Outcome is set.
type Record struct {
	Ask      *weir.Ask     `json:"ask,omitempty"`
	Outcome  *weir.Outcome `json:"outcome,omitempty"`
	Decision weir.Decision `json:"decision"`
	Before   string        `json:"before"` // governor.Hash of the state that was asked
}

func (o Options) withDefaults() Options {
	if o.Policy == (governor.Policy{}) {
		o.Policy = governor.DefaultPolicy()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = newDice()
	}
	return o
}

// readsOnly says whether a method changes nothing at the org.
func readsOnly(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}
