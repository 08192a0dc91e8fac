package engine

import (
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

// snapshotEvery is how many versions of an org's state may lie between two
// snapshots in the replay log: `weir why` replays at most that many.
const snapshotEvery = 32

// governed is one org's governor state inside one transaction: loaded under
// the org's lock, asked, and saved with every decision recorded.
type governed struct {
	tx    *txn
	lane  *lane
	org   store.OrgState
	state governor.State
	rungs rungs

	snap bool // the next decision carries a snapshot
}

func (t *txn) lockGovernor(l *lane) (*governed, error) {
	org, err := t.LockOrg(l.ID)
	if err != nil {
		return nil, err
	}
	g := &governed{tx: t, lane: l, org: org, snap: org.Version%snapshotEvery == 0}
	if g.state, err = decodeState(org.Governor); err != nil {
		return nil, fmt.Errorf("org %s: %w", l.ID, err)
	}
	if g.rungs, err = decodeRungs(org.Capabilities); err != nil {
		return nil, fmt.Errorf("org %s: %w", l.ID, err)
	}
	return g, nil
}

// keepPolicy stores the policy that will be in force while this engine is open:
// the replay log names it by its hash.
func (l *lane) keepPolicy(tx *store.Tx) error {
	doc, err := json.Marshal(l.Governor)
	if err != nil {
		return fmt.Errorf("encode policy: %w", err)
	}
	l.policy = digest(doc)
	return tx.SavePolicy(l.policy, doc)
}

// admit asks whether a call may be sent and records question and answer.
func (g *governed) admit(a weir.Ask, steps []weir.Step) (weir.Decision, error) {
	before := g.state
	next, dec := governor.Admit(g.lane.Governor, g.state, a)
	g.state = next
	return dec, g.record(kindAdmit, before, a, dec, ids(steps))
}

// observe tells the governor what a call gave and records its decision.
func (g *governed) observe(o weir.Outcome, steps []weir.StepID) (weir.Decision, error) {
	before := g.state
	next, dec := governor.Observe(g.lane.Governor, g.state, o)
	g.state = next
	return dec, g.record(kindObserve, before, o, dec, steps)
}

// admitGuest and observeGuest do so for the call of another program, which
// belongs to no step.
func (g *governed) admitGuest(a weir.Ask) (weir.Decision, error) {
	before := g.state
	next, dec := governor.AdmitGuest(g.lane.Governor, g.state, a)
	g.state = next
	return dec, g.record(kindGuestAdmit, before, a, dec, nil)
}

func (g *governed) observeGuest(o weir.Outcome) (weir.Decision, error) {
	before := g.state
	next, dec := governor.ObserveGuest(g.lane.Governor, g.state, o)
	g.state = next
	return dec, g.record(kindGuestObserve, before, o, dec, nil)
}

// The kinds of recorded decision; why.go recomputes each.
const (
	kindAdmit        = "admit"
	kindObserve      = "observe"
	kindGuestAdmit   = "guest-admit"
	kindGuestObserve = "guest-observe"
	kindClock        = "clock"
)

func (g *governed) record(kind string, before governor.State, input any, dec weir.Decision, steps []weir.StepID) error {
	in, err := json.Marshal(input)
	if err != nil {
		return fmt.Errorf("encode decision input: %w", err)
	}
	ruling, err := json.Marshal(dec)
	if err != nil {
		return fmt.Errorf("encode ruling: %w", err)
	}
	d := store.Decision{
		Org: g.lane.ID, Node: g.tx.e.node, Kind: kind, OrgVersion: g.org.Version, PolicyHash: g.lane.policy,
		Input: in, Ruling: ruling, StateHash: governor.Hash(g.state), Steps: steps, At: g.tx.Now(),
	}
	if g.snap {
		if d.Snapshot, err = json.Marshal(before); err != nil {
			return fmt.Errorf("encode snapshot: %w", err)
		}
		g.snap = false
	}
	_, err = g.tx.AppendDecision(d)
	return err
}

func (g *governed) save() error {
	var err error
	if g.org.Governor, err = json.Marshal(g.state); err != nil {
		return fmt.Errorf("encode governor state: %w", err)
	}
	if g.org.Capabilities, err = json.Marshal(g.rungs); err != nil {
		return fmt.Errorf("encode capabilities: %w", err)
	}
	return g.tx.SaveOrg(g.org)
}

func decodeState(b []byte) (governor.State, error) {
	var s governor.State
	if len(b) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("decode governor state: %w", err)
	}
	return s, nil
}

func ids(steps []weir.Step) []weir.StepID {
	out := make([]weir.StepID, len(steps))
	for i, s := range steps {
		out[i] = s.ID
	}
	return out
}
