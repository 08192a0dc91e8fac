package engine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
)

// kindProof is the recorded decision of a proof that waits for the recycle bin.
const kindProof = "proof"

// proofAsk is its input.
type proofAsk struct {
	Now   time.Time     `json:"now"`
	Tries int           `json:"tries"`
	Lag   time.Duration `json:"lag_ns"`
	DueAt time.Time     `json:"due_at,omitzero"`
}

// decideProof says how long a proof waits while purged records still show in
// queryAll: Salesforce may need about a day (wire reference, section 6.5).
// After the lag it proceeds, and the certificate lists what was not proven. A
// wait that would end after the due date is not begun: a person decides whether
// to go without the proof or to be late.
func decideProof(a proofAsk) weir.Decision {
	waited := time.Duration(0)
	for i := range a.Tries {
		waited += proofStep(i)
	}
	if waited >= a.Lag {
		return weir.Decision{Ruling: weir.Proceed}
	}
	d := weir.Decision{Ruling: weir.WaitUntil, Wait: weir.Wait{
		Until: a.Now.Add(proofStep(a.Tries)), Cause: weir.Residue,
		Evidence: []weir.Evidence{
			{Name: "tries", Value: strconv.Itoa(a.Tries)},
			{Name: "waited", Value: waited.String()},
			{Name: "lag", Value: a.Lag.String()},
		},
	}}
	if !a.DueAt.IsZero() && d.Wait.Until.After(a.DueAt) {
		d.Ruling, d.Wait.Cause = weir.DeadLetter, weir.DeadlineRisk
		d.Wait.Evidence = append(d.Wait.Evidence, weir.Evidence{Name: "latest", Value: stamp(a.DueAt)})
	}
	return d
}

// proofStep grows from a quarter of an hour to six hours.
func proofStep(try int) time.Duration {
	d := 15 * time.Minute
	for range min(try, 3) {
		d *= 4
	}
	return min(d, 6*time.Hour)
}

// prove judges what a proof query returned. Nothing found: done. Only deleted
// records: wait for the bin. A live record that the plan did not leave in
// place: a person must decide. Behind a page that is in order the next one is read.
func (e *Engine) prove(a findArgs, due time.Time, rows []plan.Row, left map[string]bool, more string) (result, error) {
	live, deleted := 0, 0
	for _, row := range rows {
		switch {
		case left[row.Record]:
		case row.Deleted:
			deleted++
		default:
			live++
		}
	}
	if live > 0 {
		f := ours(weir.Residue, "WEIR_SUBJECT_STILL_FOUND")
		f.Retryable = false
		return result{Fault: f}, nil
	}
	r := result{Verdict: weir.Succeed, Outcome: "proved"}
	ask := proofAsk{Now: e.now(), Tries: a.Tries, Lag: e.policy.ProofLag, DueAt: due}
	goesOn := decideProof(ask).Ruling == weir.Proceed
	if deleted > 0 && goesOn {
		a.Open, r.Find, r.Rows = true, &a.Find, rows
	}
	if a.Open {
		r.Outcome = "not_proved"
	}
	if deleted == 0 || goesOn {
		return r.on(a, more)
	}
	a.Tries++
	args, err := json.Marshal(a)
	if err != nil {
		return result{}, fmt.Errorf("encode proof: %w", err)
	}
	return result{Verdict: weir.Defer, Args: args, Proof: &ask}, nil
}

// waitForBin records the decision of a waiting proof and parks its step.
func (t *txn) waitForBin(g *governed, st *weir.Step, r result) error {
	dec := decideProof(*r.Proof)
	if err := g.record(kindProof, g.state, *r.Proof, dec, []weir.StepID{st.ID}); err != nil {
		return err
	}
	if dec.Ruling == weir.DeadLetter {
		r.Fault, r.Args = ours(weir.Residue, "WEIR_PROOF_LATE"), nil // no wait began: it is no try
		return t.bury(st, r, dec)
	}
	err := t.AdvanceStep(st, weir.Defer, func(s *weir.Step) {
		s.Args, s.WakeAt, s.Cause = r.Args, dec.Wait.Until, dec.Wait.Cause
	})
	if err != nil {
		return err
	}
	return t.noteStep(st, "step.wait", map[string]string{
		KeyCategory: string(weir.Residue.Operator()), KeyClass: string(weir.Residue), KeyWaitUntil: stamp(dec.Wait.Until),
	})
}

// leftInPlace lists the records that the plan leaves where they are, and those
// that a person decided to go without.
func leftInPlace(tx *store.Tx, r weir.Request) (map[string]bool, error) {
	p, err := tx.Plan(r.ID, r.PlanHash)
	if err != nil {
		return nil, err
	}
	left := map[string]bool{}
	for _, it := range p.Items {
		if it.Action == weir.ActWithhold || it.Action == weir.ActUnlink {
			left[it.Record] = true
		}
	}
	steps, err := tx.StepsOf(r.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		if s.State == weir.StepWaived && s.Record != "" {
			left[s.Record] = true
		}
	}
	return left, nil
}

// proved ends the proof.
func (t *txn) proved(r *weir.Request) (bool, error) {
	return true, t.move(r, weir.EventProved, nil)
}

func splitKinds(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
