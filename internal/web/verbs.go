package web

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pii"
)

// None is the input of an operation that needs none.
type None struct{}

// PingAnswer says that a weir runs and which.
type PingAnswer struct {
	Schema string       `json:"schema"`
	Node   string       `json:"node"`
	Orgs   []weir.OrgID `json:"orgs"`
}

func ping(_ context.Context, e *engine.Engine, _ string, _ None) (PingAnswer, error) {
	return PingAnswer{Schema: "weir.ping/v1", Node: e.Node(), Orgs: e.OrgIDs()}, nil
}

// SubmitInput is a new request. Identifiers are lines "kind:value"; they travel
// over the unix socket and are sealed on arrival.
type SubmitInput struct {
	Org         weir.OrgID `json:"org"`
	Right       weir.Right `json:"right"`
	Law         string     `json:"law"`
	Risk        weir.Risk  `json:"risk,omitempty"`
	Ref         string     `json:"ref,omitempty"`
	ReceivedAt  time.Time  `json:"received_at,omitzero"`
	Recipient   string     `json:"recipient,omitempty"`
	Identifiers []string   `json:"identifiers"`
}

func submit(ctx context.Context, e *engine.Engine, by string, in SubmitInput) (RequestAnswer, error) {
	s := engine.Submission{
		Org: in.Org, Right: in.Right, Law: in.Law, Risk: in.Risk, Ref: in.Ref,
		ReceivedAt: in.ReceivedAt, Recipient: in.Recipient, By: by,
	}
	for _, line := range in.Identifiers {
		id, err := engine.ParseIdentifier(pii.NewString(line))
		if err != nil {
			return RequestAnswer{}, err
		}
		s.Identifiers = append(s.Identifiers, id)
	}
	return requestAnswer(e.Submit(ctx, s))
}

// VerifyInput records that a subject's identity was proven.
type VerifyInput struct {
	ID       weir.RequestID `json:"id"`
	Evidence string         `json:"evidence"` // a reference, such as a ticket or file number
}

func verify(ctx context.Context, e *engine.Engine, by string, in VerifyInput) (RequestAnswer, error) {
	if in.Evidence == "" {
		return RequestAnswer{}, fmt.Errorf("%w: evidence is a reference to the proof of identity", ErrInput)
	}
	return requestAnswer(e.Verify(ctx, in.ID, in.Evidence, by))
}

// RequestsInput filters a list of requests.
type RequestsInput struct {
	Org       weir.OrgID   `json:"org,omitempty"`
	Stages    []weir.Stage `json:"stages,omitempty"`
	Right     weir.Right   `json:"right,omitempty"`
	Open      bool         `json:"open,omitempty"`
	Held      bool         `json:"held,omitempty"`    // only those that a dead letter holds
	Waiting   bool         `json:"waiting,omitempty"` // only those with a waiting step
	DueBefore time.Time    `json:"due_before,omitzero"`
	Limit     int          `json:"limit,omitempty"`
}

func requests(ctx context.Context, e *engine.Engine, _ string, in RequestsInput) (RequestsAnswer, error) {
	f := engine.RequestFilter{Org: in.Org, Stages: in.Stages, Open: in.Open, DueBefore: in.DueBefore, Limit: in.Limit}
	if in.Right != "" {
		f.Rights = []weir.Right{in.Right}
	}
	all, err := e.Statuses(ctx, f)
	out := RequestsAnswer{Schema: "weir.requests/v1", Requests: []StatusDoc{}}
	for _, s := range all {
		d := statusDoc(s)
		if (in.Held && len(d.Letters) == 0) || (in.Waiting && d.WaitUntil.IsZero()) {
			continue
		}
		out.Requests = append(out.Requests, d)
	}
	byRisk(out.Requests)
	return out, err
}

// IDInput names a request, or for why also a step or a dead letter.
type IDInput struct {
	ID string `json:"id"`
}

func status(ctx context.Context, e *engine.Engine, _ string, in IDInput) (StatusAnswer, error) {
	s, err := e.Status(ctx, weir.RequestID(in.ID))
	return StatusAnswer{Schema: "weir.status/v1", Status: statusDoc(s)}, err
}

func plan(ctx context.Context, e *engine.Engine, _ string, in IDInput) (PlanAnswer, error) {
	r, p, err := e.PlanOf(ctx, weir.RequestID(in.ID))
	out := PlanAnswer{Schema: "weir.plan/v1", Request: requestDoc(r)}
	if p.Hash != "" {
		out.Plan, out.SlackSeconds = &p, int64(r.DueAt.Sub(p.Finish)/time.Second)
		out.Expired = e.Now().After(p.ExpiresAt)
	}
	return out, err
}

func replan(ctx context.Context, e *engine.Engine, by string, in IDInput) (RequestAnswer, error) {
	return requestAnswer(e.Replan(ctx, weir.RequestID(in.ID), by))
}

// ApproveInput is a person's consent to exactly one plan.
type ApproveInput struct {
	ID   weir.RequestID `json:"id"`
	Plan string         `json:"plan"` // the plan's hash, at least its first 8 digits
	Note string         `json:"note,omitempty"`
}

func approve(ctx context.Context, e *engine.Engine, by string, in ApproveInput) (RequestAnswer, error) {
	return requestAnswer(e.Approve(ctx, in.ID, in.Plan, in.Note, by))
}

// EndInput ends a request.
type EndInput struct {
	ID     weir.RequestID `json:"id"`
	Reason string         `json:"reason"`
}

func reject(ctx context.Context, e *engine.Engine, by string, in EndInput) (RequestAnswer, error) {
	return requestAnswer(e.Reject(ctx, in.ID, in.Reason, by))
}

func cancel(ctx context.Context, e *engine.Engine, by string, in EndInput) (RequestAnswer, error) {
	return requestAnswer(e.Cancel(ctx, in.ID, in.Reason, by))
}

func why(ctx context.Context, e *engine.Engine, _ string, in IDInput) (WhyAnswer, error) {
	w, err := e.Why(ctx, in.ID)
	out := WhyAnswer{
		Schema: "weir.why/v1", Request: w.Request.ID, Step: w.Step.ID, State: string(w.Step.State),
		Sentence: w.Sentence, Cause: w.Step.Cause, WakeAt: w.Step.WakeAt, Decisions: []DecisionDoc{},
	}
	if w.Step.ID == "" {
		out.State = string(w.Request.Stage)
	}
	if out.Cause != "" {
		out.Category = out.Cause.Operator()
	}
	for _, d := range w.Decisions {
		out.Decisions = append(out.Decisions, DecisionDoc{
			Seq: d.Seq, At: d.At, Kind: d.Kind, Ruling: d.Decision.Ruling, Until: d.Decision.Wait.Until,
			Cause: d.Decision.Wait.Cause, Evidence: d.Decision.Wait.Evidence, Sentence: d.Sentence,
		})
	}
	return out, err
}

// EventsInput asks for what happened after a row of the ledger.
type EventsInput struct {
	After int64 `json:"after"`
	Limit int   `json:"limit,omitempty"`
}

func events(ctx context.Context, e *engine.Engine, _ string, in EventsInput) (EventsAnswer, error) {
	if in.Limit <= 0 || in.Limit > 1000 {
		in.Limit = 1000
	}
	rows, err := e.Since(ctx, in.After, in.Limit)
	out := EventsAnswer{Schema: "weir.events/v1", Events: []EventDoc{}, Last: in.After}
	for _, r := range rows {
		out.Events = append(out.Events, EventDoc{Row: r.RowID, Entry: r.Entry})
		out.Last = r.RowID
	}
	return out, err
}

func history(ctx context.Context, e *engine.Engine, _ string, in IDInput) (HistoryAnswer, error) {
	all, err := e.History(ctx, weir.RequestID(in.ID))
	out := HistoryAnswer{Schema: "weir.history/v1", Entries: []weir.Entry{}}
	out.Entries = append(out.Entries, all...)
	return out, err
}
