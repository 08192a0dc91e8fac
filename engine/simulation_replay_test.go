//go:build !race

package engine_test

import (
	"encoding/json"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

// decision is one line of the replay log.
type decision struct {
	seq      int64
	kind     string
	input    []byte
	ruling   weir.Decision
	hash     string
	snapshot []byte
	steps    []weir.StepID
}

// decisions reads the whole replay log and the one policy that was in force.
func (s *simulation) decisions() ([]decision, governor.Policy) {
	s.t.Helper()
	db := s.engine.Store().DB()
	var doc []byte
	var policy governor.Policy
	err := db.QueryRowContext(s.t.Context(), `SELECT doc FROM policy`).Scan(&doc)
	if err == nil {
		err = json.Unmarshal(doc, &policy)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	rows, err := db.QueryContext(s.t.Context(), `
		SELECT seq, kind, input, ruling, state_hash, snapshot, steps FROM decision ORDER BY seq`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []decision
	for rows.Next() {
		var d decision
		var ruling []byte
		var steps string
		if err := rows.Scan(&d.seq, &d.kind, &d.input, &ruling, &d.hash, &d.snapshot, &steps); err != nil {
			s.t.Fatal(err)
		}
		s.decode(ruling, &d.ruling)
		s.decode([]byte(steps), &d.steps)
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return all, policy
}

func (s *simulation) decode(doc []byte, into any) {
	s.t.Helper()
	if err := json.Unmarshal(doc, into); err != nil {
		s.t.Fatal(err)
	}
}

// ear is what weir had heard when it decided, gathered anew from the recorded
// inputs and kept apart from the governor's own state.
type ear struct {
	promised time.Time // the latest end of a Retry-After that the org gave
	daily    weir.Reading
	wakes    map[weir.StepID]time.Time // how long each step was told to wait
	held     map[string]int            // how often a call was held back, by what the evidence names
	steps    map[weir.StepID]weir.Step // their requests and due dates, which never change
}

// admission is a call that was let go.
type admission struct {
	at    time.Time
	daily weir.Reading // the newest reading that any node knew
}

// replay folds all decisions from the first to the last, and checks each
// against what must hold for it whatever the governor thinks; then every call
// in the org's log against the admissions.
func (s *simulation) replay(truth emulator.Truth) {
	s.t.Helper()
	all, policy := s.decisions()
	var state governor.State
	var went []admission
	heard := ear{wakes: map[weir.StepID]time.Time{}, held: s.delays, steps: s.allSteps()}
	for i, d := range all {
		if d.snapshot != nil {
			var kept governor.State
			s.decode(d.snapshot, &kept)
			if i > 0 && governor.Hash(kept) != governor.Hash(state) {
				s.t.Fatalf("decision %d: the state before it is not the state after the one before", d.seq)
			}
			state = kept
		}
		var again weir.Decision
		switch d.kind {
		case "admit":
			var a weir.Ask
			s.decode(d.input, &a)
			gate := time.Unix(0, state.Gate.Until)
			state, again = governor.Admit(policy, state, a)
			if d.ruling.Ruling == weir.Proceed {
				heard.judge(s, d, a, gate)
				went = append(went, admission{a.Now, heard.daily})
			}
		case "observe":
			var o weir.Outcome
			s.decode(d.input, &o)
			state, again = governor.Observe(policy, state, o)
			s.delays["recomputed"] += s.judgeWait(d, o, policy)
			heard.listen(o)
		default:
			again = d.ruling // a proof's; Why recomputed it
		}
		if !sameDecision(again, d.ruling) || (d.kind != "proof" && governor.Hash(state) != d.hash) {
			s.t.Fatalf("decision %d does not follow from its inputs", d.seq)
		}
		heard.note(d)
	}
	s.judgeCalls(truth, went, policy)
}

func sameDecision(a, b weir.Decision) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// judge checks a call that was let go: the gate in force was open, the org's
// own Retry-After had ended, and none of its steps was to wait any longer. A
// step's wake-up has whole milliseconds in the store, a ruling has nanoseconds.
func (h *ear) judge(s *simulation, d decision, a weir.Ask, gate time.Time) {
	s.t.Helper()
	if a.Now.Before(gate) {
		s.t.Errorf("decision %d lets a call go at %s, and the gate is closed until %s", d.seq, a.Now, gate)
	}
	if a.Now.Before(h.promised) {
		s.t.Errorf("decision %d lets a call go at %s, and the org asked to wait until %s", d.seq, a.Now, h.promised)
	}
	for _, step := range d.steps {
		if wake := h.wakes[step].Truncate(time.Millisecond); a.Now.Before(wake) {
			s.t.Errorf("decision %d lets step %s go at %s, which was to wait until %s", d.seq, step, a.Now, wake)
		}
	}
}

// listen takes in what an answer said.
func (h *ear) listen(o weir.Outcome) {
	if f := o.Fault; f != nil && f.RetryAfter > 0 && f.Category == weir.ThrottledBurst {
		if until := o.Now.Add(f.RetryAfter); until.After(h.promised) {
			h.promised = until
		}
	}
	for _, r := range o.Readings {
		if r.Kind == weir.ReadDaily && r.Limit > 0 {
			h.daily = r
		}
	}
}

// note counts why calls were held back, and remembers until when the steps of a decision were told to wait. Whoever
// goes to a person waits for that person.
func (h *ear) note(d decision) {
	if d.kind == "admit" && d.ruling.Ruling != weir.Proceed {
		for _, e := range d.ruling.Wait.Evidence {
			h.held[e.Name]++
		}
	}
	for _, step := range d.steps {
		switch d.ruling.Ruling {
		case weir.WaitUntil, weir.Readback:
			if d.kind != "admit" && !h.apart(d, step) { // an admission's wait is the org's, and its next one may be shorter
				h.wakes[step] = d.ruling.Wait.Until
			}
		case weir.DeadLetter, weir.Proceed, weir.Reauth, weir.Reread, weir.Restart:
			delete(h.wakes, step)
		}
	}
}

// apart says whether a step is asked alone at once, and does not wait with the
// others of a call that several requests shared: the wait is longer than it has.
func (h *ear) apart(d decision, step weir.StepID) bool {
	shared := slices.ContainsFunc(d.steps, func(other weir.StepID) bool { return h.steps[other].Request != h.steps[step].Request })
	due := h.steps[step].DueAt
	return shared && d.ruling.Ruling == weir.WaitUntil && !due.IsZero() && d.ruling.Wait.Until.After(due)
}

// allSteps reads every step.
func (s *simulation) allSteps() map[weir.StepID]weir.Step {
	s.t.Helper()
	all := map[weir.StepID]weir.Step{}
	err := s.engine.Store().View(s.t.Context(), s.engine.Now(), func(tx *store.Tx) error {
		requests, err := tx.Requests(store.RequestFilter{})
		if err != nil {
			return err
		}
		for _, r := range requests {
			steps, err := tx.StepsOf(r.ID)
			if err != nil {
				return err
			}
			for _, st := range steps {
				all[st.ID] = st
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// judgeWait recomputes a wait that is nothing but a backoff from its recorded
// jitter, and says how many there were.
func (s *simulation) judgeWait(d decision, o weir.Outcome, p governor.Policy) int {
	s.t.Helper()
	if d.ruling.Ruling != weir.WaitUntil && d.ruling.Ruling != weir.Readback {
		return 0
	}
	said := map[string]string{}
	for _, e := range d.ruling.Wait.Evidence {
		said[e.Name] = e.Value
	}
	if said["backoff"] == "" || said["attempts"] == "" {
		return 0
	}
	done, _, _ := strings.Cut(said["attempts"], "/")
	n, err := strconv.Atoi(done)
	if err != nil || n != o.Attempts+1 {
		s.t.Errorf("decision %d: attempt %q after %d", d.seq, said["attempts"], o.Attempts)
	}
	base, ceiling := 2*time.Second, 300*time.Second // the brief's numbers, not the policy's
	if o.Fault.Category == weir.LockContention {
		base, ceiling = p.LockBase, p.LockCeiling
	} else if w := governor.Backoff(p, n-1, o.Jitter); w != min(base<<(n-1)+time.Duration(uint64(o.Jitter)*uint64(time.Second)>>32), ceiling) {
		s.t.Errorf("decision %d: Backoff gives %s for attempt %d and jitter %d", d.seq, w, n, o.Jitter)
	}
	want := min(base<<(n-1)+time.Duration(uint64(o.Jitter)*uint64(time.Second)>>32), ceiling)
	if o.Fault.Effect == weir.EffectUnknown {
		want = max(want, p.Settle)
	}
	want = max(want, o.Fault.RetryAfter)
	if said["calls-of-request"] != "" {
		above, below := bits.Mul64(uint64(o.Jitter), uint64(ceiling*3/4))
		want = max(want, ceiling/4+time.Duration(above<<32|below>>32))
	}
	if got := d.ruling.Wait.Until.Sub(o.Now); got != want {
		s.t.Errorf("decision %d waits %s; policy and jitter make %s", d.seq, got, want)
	}
	return 1
}

// judgeCalls compares the org's own log with the admissions. Each call belongs
// to one, made at the same moment. None is below the floor: what the org
// counted when the call came in, less what the neighbours used after the newest
// reading that weir knew (nobody could have told it), leaves more than the
// floor. Without a reading of the last 24 hours nothing is known, and one call
// asks.
func (s *simulation) judgeCalls(truth emulator.Truth, went []admission, p governor.Policy) {
	s.t.Helper()
	floor := max(int(p.FloorCalls), dailyLimit*p.FloorShare/1000)
	signedIn := map[time.Time]bool{} // when a call had to wait for its token first
	for _, c := range s.org.Log() {
		if c.Kind == "token" {
			signedIn[c.At.Truncate(time.Millisecond)] = true
		}
	}
	next, near, unknown := 0, 0, 0
	for _, u := range truth.Usage {
		at := u.At.Truncate(time.Millisecond)
		for next+1 < len(went) && went[next].at.Before(at) && !went[next+1].at.After(at) {
			next++ // the one before had no call: the process died, or no token was to be had
		}
		if next == len(went) || !went[next].at.Equal(at) && (!went[next].at.Before(at) || !signedIn[went[next].at]) {
			s.t.Errorf("call %d at %s was let go by no decision", u.Call, at)
			continue
		}
		known := went[next].daily
		next++
		if known.Limit == 0 || at.Sub(known.At) > 24*time.Hour {
			unknown++
			continue
		}
		unseen := 0
		for _, m := range s.eaten {
			if !m.at.Before(known.At) && !m.at.After(u.At) {
				unseen += m.calls
			}
		}
		left := u.Limit - (u.Used - unseen)
		if left <= floor {
			s.t.Errorf("call %d at %s: %d of %d were used, %d of them unseen since %s; the floor is %d", u.Call, at, u.Used, u.Limit, unseen, known.At, floor)
		}
		if left <= floor+100 {
			near++
		}
	}
	s.delays["near"], s.delays["unknown"] = near, unknown
}
