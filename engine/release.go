package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// renew authenticates anew, once, because the governor asked for it; its
// outcome is a decision of its own.
func (e *Engine) renew(ctx context.Context, l *lane) error {
	ans := l.client.Renew(ctx)
	ans.Detail.Clear()
	s := settlement{Org: l.ID, SentAt: ans.SentAt.UTC(), At: ans.At.UTC(), Readings: ans.Readings, Fault: ans.Fault, Jitter: e.jitter()}
	_, err := e.observeAlone(ctx, l, s, "org.reauth")
	return err
}

// observeAlone tells the governor about a call that belongs to no step, and
// returns what it decided.
func (e *Engine) observeAlone(ctx context.Context, l *lane, s settlement, act string) (weir.Decision, error) {
	var dec weir.Decision
	err := e.update(ctx, crash.Observe, func(tx *txn) error {
		g, err := tx.lockGovernor(l)
		if err != nil {
			return err
		}
		if s.inFlight, err = tx.InFlight(l.ID); err != nil {
			return err
		}
		o, err := tx.outcome(&s, s.Fault, s.Jitter, weir.Step{}, s.Calls)
		if err != nil {
			return err
		}
		if dec, err = g.observe(o, nil); err != nil {
			return err
		}
		g.org.WakeAt = time.Time{}
		d := map[string]string{KeyOutcome: "ok", KeyCalls: strconv.Itoa(s.Calls)}
		if s.Fault != nil {
			d = faultDetail(s.Fault)
		}
		if err := tx.note(weir.Entry{Act: act, Org: l.ID, Detail: d}); err != nil {
			return err
		}
		return g.save()
	})
	if err != nil {
		return dec, fmt.Errorf("%s %s: %w", act, l.ID, err)
	}
	return dec, nil
}

// releaseLetters lets dead letters go whose cause has cleared. The governor's
// state says so from what the org answered; no timer does. Where nothing else
// would talk to the org, a probe asks.
func (e *Engine) releaseLetters(ctx context.Context) error {
	for _, l := range e.orgs {
		held, err := e.heldByCause(ctx, l)
		if err != nil {
			return err
		}
		for _, kind := range []weir.ReleaseKind{weir.ReleaseByAuth, weir.ReleaseByAllocation} {
			if held[kind] == 0 {
				continue
			}
			if err := e.probe(ctx, l, kind); err != nil {
				return err
			}
			if err := e.releaseCleared(ctx, l, kind); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) heldByCause(ctx context.Context, l *lane) (map[weir.ReleaseKind]int, error) {
	var held map[weir.ReleaseKind]int
	err := e.view(ctx, func(tx *store.Tx) (err error) {
		held, err = tx.LettersByRelease(l.ID)
		return err
	})
	return held, err
}

// probe asks the org whether a cause has cleared, as often as the governor
// admits, and at once when the credentials on disk have changed.
func (e *Engine) probe(ctx context.Context, l *lane, kind weir.ReleaseKind) error {
	if kind == weir.ReleaseByAuth {
		changed, err := e.reloadCredentials(l)
		if err != nil {
			return err
		}
		if changed {
			return e.renew(ctx, l)
		}
	}
	var dec weir.Decision
	err := e.update(ctx, crash.Probe, func(tx *txn) error {
		g, err := tx.lockGovernor(l)
		if err != nil {
			return err
		}
		if governor.Cleared(l.policyAt(tx.Now()), g.state, kind, tx.Now()) {
			dec = weir.Decision{}
			return nil
		}
		if tx.Now().Before(g.org.WakeAt) {
			dec = weir.Decision{}
			return nil
		}
		ask := l.ask(tx.Now())
		dec, err = g.admit(ask, nil)
		if err != nil {
			return err
		}
		g.hold(ask, dec)
		return g.save()
	})
	if err != nil || dec.Ruling != weir.Proceed {
		return err
	}
	if kind == weir.ReleaseByAuth {
		return e.renew(ctx, l)
	}
	ans, _ := l.client.Limits(ctx)
	ans.Detail.Clear()
	s := settlement{Org: l.ID, Jitter: e.jitter()}
	s.take(ans)
	dec, err = e.observeAlone(ctx, l, s, "org.probe")
	if err == nil && dec.Ruling == weir.Reauth { // the session ended while nothing else was sent
		return e.renew(ctx, l)
	}
	return err
}

// reloadCredentials reads the credentials again when their file changed.
func (e *Engine) reloadCredentials(l *lane) (bool, error) {
	if l.Changed == nil || l.Reload == nil {
		return false, nil
	}
	at, err := l.Changed()
	if err != nil {
		return false, fmt.Errorf("credentials of %s: %w", l.ID, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed.IsZero() || l.changed.Equal(at) {
		l.changed = at
		return false, nil
	}
	auth, err := l.Reload()
	if err != nil {
		return false, fmt.Errorf("credentials of %s: %w", l.ID, err)
	}
	l.changed = at
	l.client.SetAuth(auth)
	return true, nil
}

// releaseAtOnce bounds one transaction of a release.
const releaseAtOnce = 500

// releaseCleared sends the letters of one release condition back to work, the
// most urgent first.
func (e *Engine) releaseCleared(ctx context.Context, l *lane, kind weir.ReleaseKind) error {
	for {
		n, err := e.releaseSome(ctx, l, kind)
		if err != nil {
			return fmt.Errorf("release dead letters of %s: %w", l.ID, err)
		}
		if n < releaseAtOnce {
			return nil
		}
	}
}

func (e *Engine) releaseSome(ctx context.Context, l *lane, kind weir.ReleaseKind) (released int, err error) {
	err = e.update(ctx, crash.Release, func(tx *txn) error {
		released = 0
		org, err := tx.Org(l.ID)
		if err != nil {
			return err
		}
		state, err := decodeState(org.Governor)
		if err != nil {
			return err
		}
		letters, err := tx.cleared(l, state, kind)
		if err != nil || len(letters) == 0 {
			return err
		}
		open, err := tx.InFlight(l.ID)
		if err != nil {
			return err
		}
		for _, d := range letters {
			// The cause has cleared for one call alone; with those in flight there may
			// be no room for a late one yet, and it would die again at once.
			ask := l.ask(tx.Now())
			ask.DueAt, ask.InFlight = d.DueAt, open
			if _, ask.Urgent, err = tx.Urgency(d.Request); err != nil {
				return err
			}
			if diesAgain(l.Governor, state, ask, d) {
				continue
			}
			err = tx.sendAgain(d, "weir", "released", string(kind))
			if errors.Is(err, store.ErrMovedElsewhere) {
				continue
			}
			if err != nil {
				return err
			}
			released++
		}
		return nil
	})
	return released, err
}

// sendAgain returns a dead step to the queue with fresh budgets; the letter
// keeps its history.
func (t *txn) sendAgain(d weir.Letter, by, act, note string) error {
	if err := t.WakeOrg(d.Org, t.Now()); err != nil {
		return err
	}
	st, err := t.Step(d.Step)
	if err != nil {
		return err
	}
	err = t.AdvanceStep(&st, weir.Retry, func(s *weir.Step) {
		s.Attempts, s.Conflicts, s.Cause, s.WakeAt = 0, 0, "", time.Time{}
	})
	if err != nil {
		return err
	}
	if err := t.MoveLetter(d.ID, weir.LetterOpen, weir.LetterReleased); err != nil {
		return err
	}
	if err := t.AddLetterEvent(weir.LetterEvent{Letter: d.ID, At: t.Now(), By: by, Act: act, Note: note}); err != nil {
		return err
	}
	return t.note(weir.Entry{
		By: by, Act: "letter." + act, Org: d.Org, Request: d.Request, Step: d.Step,
		Detail: map[string]string{KeyLetter: string(d.ID), KeyDLQDecision: act},
	})
}
