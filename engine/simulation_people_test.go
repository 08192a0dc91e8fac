//go:build !race

package engine_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/store"
)

// fate is what people will do to a request besides the usual.
type fate string

const (
	usual     fate = ""
	cancelled fate = "cancelled" // while its steps wait
	rejected  fate = "rejected"  // instead of approved
	touched   fate = "touched"   // a record changes right after the approval
	locked    fate = "locked"    // a record can never be deleted; a person goes without it
	dropped   fate = "dropped"   // the same, and the request is cancelled because of it
)

// matter is a request as the people outside see it.
type matter struct {
	who   int
	right weir.Right
	fate  fate
	done  bool   // what the fate wanted has happened
	kept  string // the record that can never be deleted
	plans int    // how often it was approved or planned anew
}

// seedQuietPeople fills the org with subjects who have few records, and a
// namesake each.
func seedQuietPeople(o *emulator.Org, n int) []person {
	out := make([]person, n)
	for i := range out {
		email := fmt.Sprintf("bob%d@example.org", i)
		contact := o.Put("Contact", map[string]any{"LastName": "Quiet", "Email": email, "Segment__c": "Private", "Loyalty_Id__c": fmt.Sprintf("Q%d", i)})
		ticket := o.Put("Case", map[string]any{"ContactId": contact, "Subject": "Return"})
		task := o.Put("Task", map[string]any{"WhoId": contact, "Subject": "Call back"})
		namesake := o.Put("Contact", map[string]any{"LastName": "Quiet", "Email": email + ".evil.test"})
		o.Put("Case", map[string]any{"ContactId": namesake, "Subject": "Not yours"})
		out[i] = person{Email: email, Records: map[string][]string{"Contact": {contact}, "Case": {ticket}, "Task": {task}}}
	}
	return out
}

// ask submits a request that was received some time ago, and has a person see
// the evidence of identity some hours later.
func (s *simulation) ask(right weir.Right, who int, law string, age time.Duration, f fate) {
	s.t.Helper()
	id, err := engine.ParseIdentifier(pii.NewString("email:" + s.subjects[who].Email))
	if err != nil {
		s.t.Fatal(err)
	}
	risk := weir.RiskNormal
	if s.dice.IntN(5) == 0 {
		risk = weir.RiskHigh
	}
	r, err := s.engine.Submit(s.t.Context(), engine.Submission{
		Org: acme, Right: right, Law: law, Risk: risk, By: "kim",
		ReceivedAt: time.Now().Add(-age), Identifiers: []engine.Identifier{id},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	m := &matter{who: who, right: right, fate: f}
	s.cases[r.ID] = m
	if f == locked || f == dropped {
		m.kept = s.subjects[who].Records["Case"][0]
		s.org.Touch("Case", m.kept, map[string]any{"Approval_Status__c": "Pending"})
	}
	patience := min(time.Until(r.DueAt)/8, 12*time.Hour)
	s.in(s.between(time.Minute, patience), func() {
		if _, err := s.engine.Verify(s.t.Context(), r.ID, "ticket-17", "kim"); err != nil {
			s.t.Fatal(err)
		}
		s.printed(r.ID)
		if f == cancelled {
			s.in(10*time.Second, func() { s.cancel(r.ID) })
		}
	})
	s.plan(r.DueAt, func() { s.onTime(r.ID) })
}

func (s *simulation) cancel(id weir.RequestID) {
	s.t.Helper()
	if _, err := s.engine.Cancel(s.t.Context(), id, "withdrawn", "kim"); err != nil {
		s.t.Fatalf("cancel %s in %s: %v", id, s.request(id).Stage, err)
	}
	s.cases[id].done = true
}

func (s *simulation) request(id weir.RequestID) weir.Request {
	s.t.Helper()
	r, err := s.engine.Request(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// look is what people notice on their screens: plans that want an approval and
// dead letters that want a decision. They come back to each some hours later.
func (s *simulation) look() {
	s.t.Helper()
	waiting, err := s.engine.Requests(s.t.Context(), store.RequestFilter{Stages: []weir.Stage{weir.AwaitingApproval}})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range waiting {
		if key := fmt.Sprint(r.ID, r.Version); !s.noticed[key] {
			s.noticed[key] = true
			s.in(s.between(10*time.Minute, 9*time.Hour), func() { s.decide(r.ID, r.Version) })
		}
	}
	for _, l := range s.letters() {
		if key := fmt.Sprint(l.ID, l.Times); l.Release == weir.ReleaseByPerson && !s.noticed[key] {
			s.noticed[key] = true
			s.in(s.between(2*time.Hour, 30*time.Hour), func() { s.resolve(l.ID) })
		}
	}
}

// decide is a second person in front of a plan.
func (s *simulation) decide(id weir.RequestID, version int64) {
	s.t.Helper()
	ctx, m := s.t.Context(), s.cases[id]
	r := s.request(id)
	if r.Stage != weir.AwaitingApproval || r.Version != version {
		return // somebody was here before
	}
	m.plans++
	var err error
	switch {
	case r.Reason == "no_match":
		_, err = s.engine.Reject(ctx, id, "nobody_found", "lee")
	case r.Reason != "":
		_, err = s.engine.Replan(ctx, id, "kim")
	case m.fate == rejected && !m.done:
		m.done = true
		_, err = s.engine.Reject(ctx, id, "not_the_subject", "lee")
	default:
		if _, err := s.engine.Approve(ctx, id, r.PlanHash, "", "kim"); !errors.Is(err, engine.ErrFourEyes) {
			s.t.Errorf("the person who submitted %s approved it: %v", id, err)
		}
		_, err = s.engine.Approve(ctx, id, r.PlanHash, "", "lee")
		if errors.Is(err, engine.ErrStale) {
			_, err = s.engine.Replan(ctx, id, "kim")
		}
		s.printed(id)
		if err == nil && m.fate == touched && !m.done {
			m.done = true
			s.touch(m)
		}
	}
	if err != nil {
		s.t.Fatalf("decide on %s (%s): %v", id, r.Reason, err)
	}
}

func (s *simulation) touch(m *matter) {
	s.t.Helper()
	time.Sleep(2 * time.Second) // the org's versions have whole seconds
	for _, id := range s.subjects[m.who].Records["Contact"] {
		if !s.org.Touch("Contact", id, map[string]any{"Title": "Dr"}) {
			s.t.Errorf("contact %s could not be touched", id)
		}
	}
}

// resolve is a person in front of a dead letter.
func (s *simulation) resolve(id weir.LetterID) {
	s.t.Helper()
	ctx := s.t.Context()
	d, err := s.engine.Letter(ctx, id)
	if err != nil {
		s.t.Fatal(err)
	}
	l := d.Letter
	if l.State != weir.LetterOpen {
		return
	}
	m := s.cases[l.Request]
	switch {
	case m.fate == dropped && l.Record == m.kept:
		s.cancel(l.Request)
	case m.fate == locked && l.Record == m.kept:
		m.done = true
		err = s.engine.ResolveLetter(ctx, id, "waived", "kept by order of the court", "lee")
	default:
		err = s.engine.RetryLetter(ctx, id, false, "lee")
	}
	if err != nil {
		s.t.Fatalf("resolve %s: %v", id, err)
	}
}

// onTime looks at a request at its due date: it has ended, or a person has it.
func (s *simulation) onTime(id weir.RequestID) {
	s.t.Helper()
	r := s.request(id)
	if r.Stage.Ended() || r.Stage == weir.Delivered || r.Stage == weir.AwaitingApproval || r.Stage == weir.Received {
		return
	}
	open, err := s.engine.Letters(s.t.Context(), engine.LetterFilter{Request: id, State: weir.LetterOpen})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(open) == 0 {
		st, err := s.engine.Status(s.t.Context(), id)
		s.t.Errorf("%s is due now, %s, and in nobody's hands: %v %v\n%s", id, r.Stage, st.Steps, err, s.story(id))
	}
}
