package engine

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

// settlement is everything that one call gave, as data: identifiers, digests,
// codes and numbers. It holds no personal data, so that it can lie sealed in
// the journal while the store is down and be committed later unchanged.
type settlement struct {
	Org     weir.OrgID     `json:"org"`
	Request weir.RequestID `json:"request"` // of the most urgent step: the call counts as its own
	Claim   string         `json:"claim"`
	Steps   []held         `json:"steps"`
	Results []result       `json:"results"`           // one per step, in order; empty when the whole call failed
	Carried bool           `json:"carried,omitempty"` // the call had riders; see riders.go
	Riders  []rider        `json:"riders,omitempty"`  // what it gave for them

	SentAt   time.Time      `json:"sent_at"`
	At       time.Time      `json:"at"`
	Calls    int            `json:"calls"`
	Readings []weir.Reading `json:"readings,omitempty"`
	Fault    *weir.Fault    `json:"fault,omitempty"` // of the whole call
	Jitter   uint32         `json:"jitter"`

	Schemas []weir.ObjectSchema  `json:"schemas,omitempty"`
	Rungs   map[string]weir.Rung `json:"rungs,omitempty"` // learnt by a probe

	renew    bool // the decision asked for a new token
	stale    bool // a claim was lost before the outcome was recorded
	inFlight int  // calls of the org that were open beside this one when it was recorded
}

// held names a claimed step and the epoch under which it was claimed.
type held struct {
	ID      weir.StepID    `json:"id"`
	Epoch   int64          `json:"epoch"`
	Request weir.RequestID `json:"request"`
}

// result is what the call gave for one step.
type result struct {
	Verdict weir.Verdict `json:"verdict"` // when there is no fault: Succeed, Yield or Defer
	Fault   *weir.Fault  `json:"fault,omitempty"`
	Phase   weir.Phase   `json:"phase,omitempty"` // the phase to go on with
	Args    []byte       `json:"args,omitempty"`  // the step's new arguments, nil = unchanged
	Outcome string       `json:"outcome,omitempty"`
	Proof   *proofAsk    `json:"proof,omitempty"` // for Defer: the question that proof.go decides
	Jitter  uint32       `json:"jitter,omitempty"`
	Fresh   bool         `json:"fresh,omitempty"` // with Phase: what failed before it is over
	Alone   bool         `json:"alone,omitempty"` // the call could not answer it beside others: it goes again, by itself
	Code    string       `json:"code,omitempty"`  // for Alone: what the org said of it

	Find   *plan.Find       `json:"find,omitempty"` // the query that gave Rows
	Rows   []plan.Row       `json:"rows,omitempty"` // ids and versions only
	Blob   *store.Blob      `json:"blob,omitempty"`
	Intent weir.IntentState `json:"intent,omitempty"` // closes the step's open intent
	Sealed weir.SealRef     `json:"sealed,omitzero"`  // the org's message, for a dead letter
}

// requests names each request that the call was for.
func (s *settlement) requests() []weir.RequestID {
	var all []weir.RequestID
	for _, h := range s.Steps {
		if !slices.Contains(all, h.Request) {
			all = append(all, h.Request)
		}
	}
	return all
}

func (s *settlement) shared() bool { return len(s.requests()) > 1 }

// unasked are the results of steps that no query has answered yet: they go again.
func unasked(n int) []result {
	all := make([]result, n)
	for i := range all {
		all[i].Alone = true
	}
	return all
}

// take copies what the answer says about the whole call.
func (s *settlement) take(a salesforce.Answer) {
	s.SentAt, s.At = a.SentAt.UTC(), a.At.UTC()
	s.Calls += a.Calls
	s.Readings = append(s.Readings, a.Readings...)
	s.Fault = a.Fault
	if asksToWait(a) {
		// The clock was cut to whole milliseconds: the wait counts from the end of
		// the one in which the answer came, or it would end early.
		s.At = s.At.Add(time.Millisecond)
	}
}

func asksToWait(a salesforce.Answer) bool {
	return (a.Fault != nil && a.Fault.RetryAfter > 0) ||
		slices.ContainsFunc(a.Readings, func(r weir.Reading) bool { return r.Kind == weir.ReadRetryAfter })
}

func (s *settlement) encode() ([]byte, error) { return json.Marshal(s) }

// storageFault turns a failure of our own side (vault, disk) into a fault that
// the governor can decide about. Nothing of it concerns the org.
func (e *Engine) storageFault(s *settlement, err error) {
	s.Results = nil
	s.At = e.now()
	if s.SentAt.IsZero() {
		s.SentAt = s.At
	}
	f := &weir.Fault{Category: weir.StorageFault, Scope: weir.ScopeCall, Effect: weir.EffectNone, Retryable: true, Code: "WEIR_STORAGE"}
	if errors.Is(err, vault.ErrFull) {
		f.Category, f.Scope, f.Code = weir.StorageFull, weir.ScopeOrg, "WEIR_DISK_FULL"
	}
	s.Fault = f
	e.log.Error("storage fault", KeyOrg, string(s.Org), KeyRequest, string(s.Request), "error", err.Error())
}
