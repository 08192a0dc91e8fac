package engine

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

// OrgStatus is what is known about one org's limits right now, from what the
// org said on its latest responses. Asking costs no call.
type OrgStatus struct {
	Org      weir.OrgID
	View     governor.View
	InFlight int
	WakeAt   time.Time // gate of the org's work; zero when open
	Policy   governor.Policy
	Rungs    map[string]weir.Rung
	Quiet    bool      // its quiet hours are now
	TurnsAt  time.Time // when they next begin or end; zero when it has none
}

// Limits shows the state of an org.
func (e *Engine) Limits(ctx context.Context, id weir.OrgID) (OrgStatus, error) {
	l, err := e.lane(id)
	if err != nil {
		return OrgStatus{}, err
	}
	s := OrgStatus{Org: id, Policy: l.Governor}
	err = e.view(ctx, func(tx *store.Tx) error {
		o, err := tx.Org(id)
		if err != nil {
			return err
		}
		state, err := decodeState(o.Governor)
		if err != nil {
			return err
		}
		if s.Rungs, err = decodeRungs(o.Capabilities); err != nil {
			return err
		}
		s.View = governor.Look(l.policyAt(tx.Now()), state, tx.Now())
		s.Quiet, s.TurnsAt = l.Quiet.At(tx.Now()), l.Quiet.Turns(tx.Now())
		if o.WakeAt.After(tx.Now()) {
			s.WakeAt = o.WakeAt
		}
		s.InFlight, err = tx.InFlight(id)
		return err
	})
	return s, err
}

// OrgIDs lists the configured orgs in no particular order.
func (e *Engine) OrgIDs() []weir.OrgID {
	out := make([]weir.OrgID, 0, len(e.orgs))
	for id := range e.orgs {
		out = append(out, id)
	}
	return out
}

// Totals are the figures of the whole store, for status and metrics.
type Totals struct {
	Steps      map[weir.StepState]int
	Requests   map[weir.Stage]int
	StepSums   store.Accounting
	RequestSum store.Accounting
	Letters    int
	OldestDead time.Time
	Sealed     int
	OldestSeal time.Time
	Journal    int
}

// Totals counts.
func (e *Engine) Totals(ctx context.Context) (Totals, error) {
	t := Totals{Journal: e.spill.Len()}
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		if t.Steps, err = tx.StepCounts(""); err != nil {
			return err
		}
		if t.Requests, err = tx.StageCounts(); err != nil {
			return err
		}
		if t.StepSums, t.RequestSum, err = tx.Accounting(); err != nil {
			return err
		}
		if t.Letters, t.OldestDead, err = tx.LetterStats(); err != nil {
			return err
		}
		t.Sealed, t.OldestSeal, err = tx.SealedStats()
		return err
	})
	return t, err
}
