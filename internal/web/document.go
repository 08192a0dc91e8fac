package web

import (
	"sort"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// RequestDoc is one request as documents show it. It holds no personal data.
type RequestDoc struct {
	ID          weir.RequestID `json:"id"`
	Org         weir.OrgID     `json:"org"`
	Right       weir.Right     `json:"right"`
	Law         string         `json:"law"`
	Risk        weir.Risk      `json:"risk"`
	Stage       weir.Stage     `json:"stage"`
	Reason      string         `json:"reason,omitempty"`
	Subject     string         `json:"subject"` // keyed hash
	Ref         string         `json:"ref,omitempty"`
	Evidence    string         `json:"evidence,omitempty"`
	SubmittedBy string         `json:"submitted_by"`
	ReceivedAt  time.Time      `json:"received_at"`
	DueAt       time.Time      `json:"due_at"`
	ClosedAt    time.Time      `json:"closed_at,omitzero"`
	PlanHash    string         `json:"plan_hash,omitempty"`
}

func requestDoc(r weir.Request) RequestDoc {
	return RequestDoc{
		ID: r.ID, Org: r.Org, Right: r.Right, Law: r.Law, Risk: r.Risk, Stage: r.Stage, Reason: r.Reason,
		Subject: r.Subject, Ref: r.Ref, Evidence: r.Evidence, SubmittedBy: r.SubmittedBy,
		ReceivedAt: r.ReceivedAt, DueAt: r.DueAt, ClosedAt: r.ClosedAt, PlanHash: r.PlanHash,
	}
}

// RequestAnswer is a document with one request.
type RequestAnswer struct {
	Schema  string     `json:"schema"`
	Request RequestDoc `json:"request"`
}

func requestAnswer(r weir.Request, err error) (RequestAnswer, error) {
	return RequestAnswer{Schema: "weir.request/v1", Request: requestDoc(r)}, err
}

// RequestsAnswer lists requests in risk order.
type RequestsAnswer struct {
	Schema   string      `json:"schema"`
	Requests []StatusDoc `json:"requests"`
}

// StatusDoc is a request with its progress.
type StatusDoc struct {
	RequestDoc
	Steps        map[weir.StepState]int `json:"steps,omitempty"`
	StepsDone    int                    `json:"steps_done"`
	StepsTotal   int                    `json:"steps_total"`
	Letters      []weir.LetterID        `json:"dead_letters,omitempty"`
	WaitUntil    time.Time              `json:"wait_until,omitzero"`
	Cause        weir.Category          `json:"cause,omitempty"`
	Category     weir.OperatorCategory  `json:"category,omitempty"`
	Finish       time.Time              `json:"forecast_finish,omitzero"`
	SlackSeconds int64                  `json:"slack_seconds"`         // after 95 of 100 finishes like this one
	ShortCalls   int64                  `json:"short_calls,omitempty"` // lacking at the due date: it cannot be in time
	Drift        []string               `json:"drift,omitempty"`       // what changed since the plan was approved
	Urgent       *UrgencyDoc            `json:"urgent,omitempty"`
}

// StatusAnswer is a document with one request's progress.
type StatusAnswer struct {
	Schema string    `json:"schema"`
	Status StatusDoc `json:"status"`
}

func statusDoc(s engine.Status) StatusDoc {
	d := StatusDoc{
		RequestDoc: requestDoc(s.Request), Steps: s.Steps, WaitUntil: s.NextWake, Cause: s.Cause,
		Urgent: urgencyDoc(s.Urgency),
	}
	if !d.fulfilled() {
		d.Finish, d.SlackSeconds, d.ShortCalls = s.Finish, int64(s.Slack/time.Second), s.Short
	}
	if s.Cause != "" {
		d.Category = s.Cause.Operator()
	}
	for state, n := range s.Steps {
		d.StepsTotal += n
		if state.Ended() {
			d.StepsDone += n
		}
	}
	for _, l := range s.Letters {
		d.Letters = append(d.Letters, l.ID)
	}
	for _, x := range s.Drift {
		d.Drift = append(d.Drift, x.String())
	}
	return d
}

// fulfilled says that nothing is left that a deadline could pass for.
func (d StatusDoc) fulfilled() bool { return d.Stage == weir.Delivered || d.Stage.Ended() }

// byRisk orders lists: least slack first, then right, then declared risk. What
// is fulfilled comes last.
func byRisk(docs []StatusDoc) {
	rank := func(d StatusDoc) int {
		n := 0
		if d.Right == weir.Erasure || d.Right == weir.OptOut {
			n -= 2
		}
		if d.Risk == weir.RiskHigh {
			n--
		}
		return n
	}
	sort.SliceStable(docs, func(i, j int) bool {
		if docs[i].fulfilled() != docs[j].fulfilled() {
			return !docs[i].fulfilled()
		}
		if docs[i].SlackSeconds != docs[j].SlackSeconds {
			return docs[i].SlackSeconds < docs[j].SlackSeconds
		}
		return rank(docs[i]) < rank(docs[j])
	})
}

// PlanAnswer is a document with a request's plan.
type PlanAnswer struct {
	Schema       string     `json:"schema"`
	Request      RequestDoc `json:"request"`
	Plan         *weir.Plan `json:"plan,omitempty"` // absent while there is none
	SlackSeconds int64      `json:"slack_seconds"`
	Expired      bool       `json:"expired,omitempty"`
}

// LetterDoc is one dead letter. Its payload stays sealed.
type LetterDoc struct {
	ID           weir.LetterID         `json:"id"`
	State        weir.LetterState      `json:"state"`
	Request      weir.RequestID        `json:"request"`
	Step         weir.StepID           `json:"step"`
	Org          weir.OrgID            `json:"org"`
	Right        weir.Right            `json:"right"`
	Risk         weir.Risk             `json:"risk"`
	Kind         weir.StepKind         `json:"kind"`
	Object       string                `json:"object,omitempty"`
	Record       string                `json:"record,omitempty"`
	Cause        weir.Category         `json:"cause"`
	Category     weir.OperatorCategory `json:"category"`
	Code         string                `json:"code,omitempty"`
	Attempts     int                   `json:"attempts"`
	Times        int                   `json:"times"`
	FirstAt      time.Time             `json:"first_failure"`
	LastAt       time.Time             `json:"last_failure"`
	AgeSeconds   int64                 `json:"age_seconds"`
	DueAt        time.Time             `json:"due_at"`
	SlackSeconds int64                 `json:"slack_seconds"`
	Release      weir.ReleaseKind      `json:"release"`
	Sealed       bool                  `json:"sealed"` // the org's message is sealed with it
}

func letterDoc(l weir.Letter, now time.Time) LetterDoc {
	return LetterDoc{
		ID: l.ID, State: l.State, Request: l.Request, Step: l.Step, Org: l.Org, Right: l.Right, Risk: l.Risk,
		Kind: l.Kind, Object: l.Object, Record: l.Record, Cause: l.Cause, Category: l.Cause.Operator(), Code: l.Code,
		Attempts: l.Attempts, Times: l.Times, FirstAt: l.FirstAt, LastAt: l.LastAt,
		AgeSeconds: int64(now.Sub(l.FirstAt) / time.Second), DueAt: l.DueAt,
		SlackSeconds: int64(l.DueAt.Sub(now) / time.Second), Release: l.Release, Sealed: l.Sealed.Name != "",
	}
}

// LettersAnswer lists dead letters in risk order.
type LettersAnswer struct {
	Schema  string        `json:"schema"`
	Letters []LetterDoc   `json:"letters"`
	Next    weir.LetterID `json:"next,omitempty"` // give it as after for the next page; absent on the last one
}

// LetterAnswer is one dead letter with its history and what may be done.
type LetterAnswer struct {
	Schema  string             `json:"schema"`
	Letter  LetterDoc          `json:"letter"`
	Suggest string             `json:"suggestion"`
	Actions []string           `json:"actions"`
	History []LetterHistoryDoc `json:"history"`
}

// LetterHistoryDoc is one line of a letter's history.
type LetterHistoryDoc struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Act  string    `json:"act"`
	Note string    `json:"note,omitempty"`
}

// WhyAnswer explains a step by the decisions that led to its state.
type WhyAnswer struct {
	Schema    string                `json:"schema"`
	Request   weir.RequestID        `json:"request"`
	Step      weir.StepID           `json:"step,omitempty"`
	State     string                `json:"state"`
	Sentence  string                `json:"sentence"`
	Cause     weir.Category         `json:"cause,omitempty"`
	Category  weir.OperatorCategory `json:"category,omitempty"`
	WakeAt    time.Time             `json:"wake_at,omitzero"`
	Decisions []DecisionDoc         `json:"decisions"` // newest last; each was recomputed
}

// DecisionDoc is one recomputed decision.
type DecisionDoc struct {
	Seq      int64           `json:"seq"`
	At       time.Time       `json:"at"`
	Kind     string          `json:"kind"`
	Ruling   weir.Ruling     `json:"ruling"`
	Until    time.Time       `json:"until,omitzero"`
	Cause    weir.Category   `json:"cause,omitempty"`
	Evidence []weir.Evidence `json:"evidence,omitempty"`
	Sentence string          `json:"sentence"`
}

// EventsAnswer lists ledger entries for people who watch.
type EventsAnswer struct {
	Schema string     `json:"schema"`
	Events []EventDoc `json:"events"`
	Last   int64      `json:"last"` // ask for what comes after this
}

// EventDoc is one ledger entry.
type EventDoc struct {
	Row int64 `json:"row"`
	weir.Entry
}

// HistoryAnswer lists everything that the ledger holds about one request, the
// oldest first.
type HistoryAnswer struct {
	Schema  string       `json:"schema"`
	Entries []weir.Entry `json:"entries"`
}

// Done is the answer of an operation that has nothing to show.
type Done struct {
	Schema string `json:"schema"`
	OK     bool   `json:"ok"`
}

func done(err error) (Done, error) { return Done{Schema: "weir.done/v1", OK: err == nil}, err }
