package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/plan"
)

// Requests that only read share calls: steps that ask the same of an object
// become one query, and five queries a call. What comes back is divided exactly,
// or not at all: a row that cannot be given to its request for sure, or a query
// that fails, sends the steps that shared it back to be asked one by one. What is
// written about is read alone. See decision 32.

const (
	shareSteps = 100 // in one call: each has a key, a subject or a page open
	shareQuery = 20  // in one query
)

// seat says which steps one query may answer together: those with the same key.
// Size is how much of a query's room a step takes.
type seat struct {
	key        string
	size, room int
}

// failsTogether is how often a step may fail in company: the call may have been
// lost. After that, or when its answer could not be divided, it is asked alone.
const failsTogether = 2

// seatOf finds a step's seat.
func seatOf(s weir.Step) (seat, error) {
	own := seat{key: "step:" + string(s.ID), size: 1, room: 1}
	if s.Attempts >= failsTogether {
		return own, nil
	}
	switch s.Kind { //nolint:exhaustive // the others are never shared
	case weir.StepDescribe:
		return seat{key: string(s.Args), size: 1, room: shareSteps}, nil
	case weir.StepFind:
		var a findArgs
		if err := json.Unmarshal(s.Args, &a); err != nil {
			return own, fmt.Errorf("decode find step %s: %w", s.ID, err)
		}
		if !divisible(a) {
			return own, nil
		}
		key, err := json.Marshal(findArgs{
			Find:  plan.Find{Object: a.Find.Object, By: a.Find.By, Fields: a.Find.Fields, Where: a.Find.Where, Select: a.Find.Select},
			After: a.After,
		})
		return seat{key: string(key), size: len(a.IDs), room: plan.FindIDs}, err
	case weir.StepExport:
		var a plan.ExportArgs
		if err := json.Unmarshal(s.Args, &a); err != nil {
			return own, fmt.Errorf("decode export step %s: %w", s.ID, err)
		}
		key, err := json.Marshal(plan.ExportArgs{Object: a.Object, Fields: a.Fields, Deleted: a.Deleted})
		size := plan.QueryIDs
		if a.Records > 0 {
			size = min(size, a.Records)
		}
		return seat{key: string(key), size: size, room: plan.QueryIDs}, err
	}
	return own, nil
}

// divisible says whether the rows of such a query tell whose they are. Record ids
// and addresses compare exactly; how an org compares phone numbers is its own affair.
func divisible(a findArgs) bool {
	if a.All {
		return false // the find of an erasure
	}
	return a.Find.By == plan.ByParent || a.Find.By == string(datamap.KindEmail)
}

// questions puts steps into at most so many queries, in order, and names for each
// the steps that it answers by their place. A step for which there is no room is
// in none.
func questions(steps []weir.Step, most int) ([][]int, error) {
	var asked [][]int
	var taken []int
	at := map[string]int{}
	for i, s := range steps {
		p, err := seatOf(s)
		if err != nil {
			return nil, err
		}
		q, known := at[p.key]
		if known && len(asked[q]) < shareLimit(s) && taken[q]+p.size <= p.room {
			asked[q] = append(asked[q], i)
			taken[q] += p.size
			continue
		}
		if len(asked) == most {
			continue
		}
		at[p.key] = len(asked)
		asked, taken = append(asked, []int{i}), append(taken, p.size)
	}
	return asked, nil
}

// shareLimit is how many steps one query, or one describe, may answer.
func shareLimit(s weir.Step) int {
	if s.Kind == weir.StepDescribe {
		return shareSteps
	}
	return shareQuery
}

// share returns the steps that go with the most urgent one in a call of several
// requests; nil when it is not to be shared.
func (t *txn) share(first weir.Step, mates []weir.Step) ([]weir.Step, error) {
	switch first.Kind { // what writes is never shared
	case weir.StepDescribe, weir.StepFind, weir.StepExport:
	default:
		return nil, nil
	}
	r, err := t.Request(first.Request)
	if err != nil || r.Right.Mutates() {
		return nil, err
	}
	others, err := t.Sharers(first, shareSteps)
	if err != nil || len(others) == 0 {
		return nil, err
	}
	all := append(slices.Clone(mates), others...)
	asked, err := questions(all, capacity(first))
	if err != nil {
		return nil, err
	}
	places := slices.Concat(asked...)
	slices.Sort(places)
	var shared []weir.Step
	for _, i := range places[:min(len(places), shareSteps)] {
		shared = append(shared, all[i])
	}
	return shared, nil
}

// requestsOf reads the other requests that claimed steps belong to.
func (t *txn) requestsOf(claimed []weir.Step, first weir.RequestID) ([]weir.Request, error) {
	var others []weir.Request
	seen := map[weir.RequestID]bool{first: true}
	for _, s := range claimed {
		if seen[s.Request] {
			continue
		}
		seen[s.Request] = true
		r, err := t.Request(s.Request)
		if err != nil {
			return nil, err
		}
		others = append(others, r)
	}
	return others, nil
}

// apart sends a step back that has to be asked, or written, by itself: of a read the
// attempts that it spends are the mark, of a write its arguments.
func (t *txn) apart(st *weir.Step, r result) error {
	err := t.AdvanceStep(st, weir.Yield, func(s *weir.Step) {
		if s.Phase = cmp.Or(r.Phase, s.Phase); r.Args != nil {
			s.Args = r.Args
		} else {
			s.Attempts = max(s.Attempts+1, failsTogether)
		}
	})
	if err != nil {
		return err
	}
	return t.noteStep(st, "step.apart", map[string]string{KeyCode: r.Code})
}

// alone says whether what was decided about a failed call of several requests
// does not hold for a step of one of them: the fault may be another's, or the wait
// longer than this one has.
func alone(st weir.Step, dec weir.Decision) bool {
	if dec.Ruling == weir.DeadLetter {
		return dec.Wait.Cause != weir.AuthConfig
	}
	return dec.Ruling == weir.WaitUntil && !st.DueAt.IsZero() && dec.Wait.Until.After(st.DueAt)
}

// blames says whether the fault of a shared query may be of one step alone. What
// concerns the org, its user or what the user may see would come again.
func blames(f *weir.Fault) bool {
	return f != nil && f.Scope != weir.ScopeOrg && f.Scope != weir.ScopeUser && f.Category != weir.Permission
}

// latest is the step that has the most time: a failed call of several requests is
// decided for it, and none of the others is near the end of its attempts.
func latest(steps []*weir.Step) weir.Step {
	var w weir.Step
	for _, s := range steps {
		if s != nil && (w.ID == "" || s.DueAt.IsZero() || s.DueAt.After(w.DueAt) && !w.DueAt.IsZero()) {
			w = *s
		}
	}
	return w
}
