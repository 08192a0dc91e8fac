package web

import (
	"context"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// AdmitInput asks whether another program's call to an org may be sent now.
type AdmitInput struct {
	Org weir.OrgID `json:"org"`
	Ask weir.Ask   `json:"ask"` // cost and due date; weir's clock and count of open calls hold
}

// AdmitAnswer is the governor's decision. The admission names the call in its
// outcome; without one it may not be sent.
type AdmitAnswer struct {
	Schema    string        `json:"schema"`
	Admission string        `json:"admission,omitempty"`
	Decision  weir.Decision `json:"decision"`
}

func admit(ctx context.Context, e *engine.Engine, by string, in AdmitInput) (AdmitAnswer, error) {
	a, err := e.AdmitCall(ctx, in.Org, by, in.Ask)
	return AdmitAnswer{Schema: "weir.admit/v1", Admission: a.ID, Decision: a.Decision}, err
}

// ObserveInput is what an admitted call gave.
type ObserveInput struct {
	Org       weir.OrgID   `json:"org"`
	Admission string       `json:"admission"`
	Outcome   weir.Outcome `json:"outcome"`
	Open      bool         `json:"open,omitempty"` // the answer is still being read: a release follows
}

// ObserveAnswer is what the governor makes of it.
type ObserveAnswer struct {
	Schema   string        `json:"schema"`
	Decision weir.Decision `json:"decision"`
}

func observe(ctx context.Context, e *engine.Engine, _ string, in ObserveInput) (ObserveAnswer, error) {
	d, err := e.ObserveCall(ctx, in.Org, in.Admission, in.Outcome, in.Open)
	return ObserveAnswer{Schema: "weir.observe/v1", Decision: d}, err
}

// ReleaseInput says that the answer of an observed call has been read.
type ReleaseInput struct {
	Org       weir.OrgID `json:"org"`
	Admission string     `json:"admission"`
}

func release(ctx context.Context, e *engine.Engine, _ string, in ReleaseInput) (Done, error) {
	return done(e.ReleaseCall(ctx, in.Org, in.Admission))
}
