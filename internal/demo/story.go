package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/store"
)

// story reads the ledger and the org's log in order and picks what is worth
// telling: the first of each kind, and every result.
type story struct {
	demo  *Demo
	row   int64 // of the ledger, read so far
	call  int   // of the org's log, read so far
	used  int   // calls that the org had counted after the last one
	tally tally

	told map[string]bool
	lost map[weir.StepID]bool // steps whose write got no answer
	late map[weir.StepID]bool // steps that met a conflict
	plan map[weir.RequestID]string
}

func newStory(d *Demo) *story {
	return &story{
		demo: d, tally: newTally(), told: map[string]bool{},
		lost: map[weir.StepID]bool{}, late: map[weir.StepID]bool{}, plan: map[weir.RequestID]string{},
	}
}

// first says whether nothing of the kind was told yet.
func (s *story) first(kind string) bool {
	if s.told[kind] {
		return false
	}
	s.told[kind] = true
	return true
}

// news returns what happened since the last look, in the order of time.
func (s *story) news(ctx context.Context) ([]Event, error) {
	out := s.fromOrg()
	for {
		rows, err := s.demo.engine.Since(ctx, s.row, 1000)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			s.row = r.RowID
			s.tally.count(r.Entry)
			e, ok, err := s.fromLedger(ctx, r)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, e)
			}
		}
		if len(rows) < 1000 {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	return out, nil
}

// fromOrg tells the first fault of each kind, and neighbours who eat a lot.
func (s *story) fromOrg() []Event {
	var out []Event
	for _, c := range s.demo.org.Log()[s.call:] {
		s.call = c.Seq
		if eaten := c.UsedBefore - s.used; eaten >= c.Limit/20 {
			e := Event{Head: s.demo.head("event", c.At), Kind: kindNeighbour}
			e.Text = fmt.Sprintf("⚡ other integrations have used %s of the org's %s calls since the last one of ours", number(int64(eaten)), number(int64(c.Limit)))
			out = append(out, e)
		}
		s.used = c.Used
		if c.Fault == "" || !s.first("fault "+string(c.Fault)) {
			continue
		}
		e := Event{Head: s.demo.head("event", c.At), Kind: kindFault, Fault: c.Fault}
		e.Text = fmt.Sprintf("⚡ call %d: %s", c.Seq, faultText(c.Fault))
		out = append(out, e)
	}
	return out
}

// fromLedger tells one entry, if it is worth it.
func (s *story) fromLedger(ctx context.Context, r store.Row) (Event, bool, error) {
	n := r.Entry
	e := Event{Head: s.demo.head("event", n.At), Request: n.Request, Step: n.Step, Class: weir.Category(n.Detail[engine.KeyClass])}
	what := strings.TrimSpace(n.Detail["kind"] + " " + n.Detail[engine.KeyObject])
	ok := true
	switch n.Act {
	case "request.plan":
		s.plan[n.Request] = fmt.Sprintf("%.8s, %s records, %s calls", n.Detail[engine.KeyPlan], n.Detail["records"], n.Detail[engine.KeyCalls])
		ok = false
	case "request.start":
		e.Kind, ok = kindApproval, n.By != "weir" && s.first("approval")
		e.Text = fmt.Sprintf("%s approves plan %s of %s, which %s submitted", n.By, s.plan[n.Request], n.Request, clerk)
	case "request.drift":
		e.Kind = kindDrift
		e.Text = fmt.Sprintf("%s: the org is no longer as the approved plan found it: nothing is sent, a new plan is made", n.Request)
	case "org.reauth":
		e.Kind, ok = kindReauth, n.Detail[engine.KeyOutcome] == "ok" && s.first("reauth")
		e.Text = "the token is renewed, once for all calls; no step spends an attempt on it"
	case "step.wait":
		return s.wait(ctx, e, n, what)
	case "step.conflict":
		s.late[n.Step] = true
		e.Kind, ok = kindConflict, s.first("conflict")
		e.Text = fmt.Sprintf("%s: %s changed since it was read: nothing is overwritten", n.Request, what)
	case "step.done":
		return s.done(e, n, what)
	case "step.dead":
		release := weir.ReleaseKind(n.Detail[engine.KeyDLQDecision])
		e.Kind, e.Letter = kindLetter, weir.LetterID(n.Detail[engine.KeyLetter])
		word := "letter"
		if strings.Contains(string(e.Letter), " ") {
			word = "letters"
		}
		ok = release == weir.ReleaseByPerson || s.first("letter "+string(release))
		e.Text = fmt.Sprintf("dead %s %s: %s %s %s → %s", word, e.Letter, n.Request, what, cmp.Or(n.Detail[engine.KeyCode], string(e.Class)), releaseText(release))
	case "letter.retried", "letter.waived", "letter.withheld", "letter.escalated", "letter.released":
		e.Kind, e.Letter = kindDecided, weir.LetterID(n.Detail[engine.KeyLetter])
		ok = n.By != "weir" || s.first("released")
		e.Text = fmt.Sprintf("dead letter %s is %s by %s", e.Letter, strings.TrimPrefix(n.Act, "letter."), n.By)
	case "request.sealed":
		e.Kind, e.Text = kindErased, fmt.Sprintf("%s: erasure proven and certified", n.Request)
		if n.Detail["package"] != "" {
			e.Kind, e.Text = kindPackage, fmt.Sprintf("%s: access package encrypted and delivered", n.Request)
		}
	default:
		ok = false
	}
	return e, ok, nil
}

func releaseText(k weir.ReleaseKind) string {
	switch k {
	case weir.ReleaseByPerson:
		return "needs a person"
	case weir.ReleaseByAllocation:
		return "goes when the allocation is back"
	case weir.ReleaseByAuth:
		return "goes when the credentials work"
	}
	return string(k)
}

// done tells how a conflict and a lost answer ended.
func (s *story) done(e Event, n weir.Entry, what string) (Event, bool, error) {
	switch {
	case s.lost[n.Step]:
		delete(s.lost, n.Step)
		e.Kind = kindReadBack
		e.Text = fmt.Sprintf("%s: %s read back after the lost answer: %s", n.Request, what, outcomeText(n.Detail[engine.KeyOutcome]))
		return e, s.first(e.Kind), nil
	case s.late[n.Step]:
		delete(s.late, n.Step)
		e.Kind = kindReplanned
		e.Text = fmt.Sprintf("%s: %s read anew after the conflict: %s", n.Request, what, outcomeText(n.Detail[engine.KeyOutcome]))
		return e, s.first(e.Kind), nil
	}
	return e, false, nil
}

func outcomeText(outcome string) string {
	switch outcome {
	case "applied":
		return "applied, once"
	case "gone", "already":
		return "nothing was left to do"
	}
	return outcome
}
