package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/deadletter"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/store"
)

// ErrNotReleasable is returned when a letter waits for a reset that has not
// come, and --after-reset asked to respect that.
var ErrNotReleasable = errors.New("the cause has not cleared")

// Letters lists dead letters in risk order: least slack first, then right,
// then declared risk.
func (e *Engine) Letters(ctx context.Context, f store.LetterFilter) ([]weir.Letter, error) {
	var out []weir.Letter
	err := e.view(ctx, func(tx *store.Tx) error {
		if f.After != "" {
			if _, err := tx.Letter(f.After); err != nil {
				return err
			}
		}
		var err error
		out, err = tx.Letters(f)
		slices.SortStableFunc(out, func(a, b weir.Letter) int { return deadletter.Order(a, b, tx.Now()) })
		return err
	})
	return out, err
}

// LetterDetail is one dead letter with all that a person needs to decide.
type LetterDetail struct {
	Letter  weir.Letter
	History []weir.LetterEvent
	Suggest string
	Actions []deadletter.Action
	Slack   time.Duration
}

// Letter reads one dead letter.
func (e *Engine) Letter(ctx context.Context, id weir.LetterID) (LetterDetail, error) {
	var d LetterDetail
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		if d.Letter, err = tx.Letter(id); err != nil {
			return err
		}
		d.History, err = tx.LetterEvents(id)
		d.Suggest = deadletter.Suggest(d.Letter.Cause, d.Letter.Code)
		d.Actions = deadletter.Actions(d.Letter.State, d.Letter.Cause, d.Letter.Kind)
		d.Slack = d.Letter.DueAt.Sub(tx.Now())
		return err
	})
	return d, err
}

// RevealLetter opens the org's message that was sealed with the letter. The
// act is in the ledger before the text is shown.
func (e *Engine) RevealLetter(ctx context.Context, id weir.LetterID, reason, by string) (pii.Secret, error) {
	if err := oneLine("the reason", reason); err != nil {
		return pii.Secret{}, err
	}
	var d weir.Letter
	var st weir.Step
	err := e.update(ctx, crash.Show, func(tx *txn) error {
		var err error
		if d, err = tx.Letter(id); err != nil {
			return err
		}
		if st, err = tx.Step(d.Step); err != nil {
			return err
		}
		return tx.note(weir.Entry{
			By: by, Act: "letter.reveal", Org: d.Org, Request: d.Request, Step: d.Step,
			Detail: map[string]string{KeyLetter: string(id), "reason": reason},
		})
	})
	if err != nil {
		return pii.Secret{}, err
	}
	if d.Sealed.Name == "" {
		return pii.Secret{}, fmt.Errorf("letter %s holds no sealed message: %w", id, store.ErrNotFound)
	}
	key, err := e.requestKey(ctx, d.Org, d.Request)
	if err != nil {
		return pii.Secret{}, err
	}
	defer key.Close()
	r, err := key.Open(ctx, letterBlob(st), d.Sealed)
	if err != nil {
		return pii.Secret{}, fmt.Errorf("open the message of %s: %w", id, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, 64<<10))
	return pii.New(text), errors.Join(err, r.Close())
}

// RetryLetter sends a dead step again. With afterReset it does so only when
// the cause has cleared; the letter otherwise goes by itself once it has.
func (e *Engine) RetryLetter(ctx context.Context, id weir.LetterID, afterReset bool, by string) error {
	return e.update(ctx, crash.Retry, func(tx *txn) error {
		d, err := tx.openLetter(id)
		if err != nil {
			return err
		}
		if afterReset && d.Release != weir.ReleaseByPerson {
			org, err := tx.Org(d.Org)
			if err != nil {
				return err
			}
			l, err := e.lane(d.Org)
			if err != nil {
				return err
			}
			state, err := decodeState(org.Governor)
			if err != nil {
				return err
			}
			if !governor.Cleared(l.policyAt(tx.Now()), state, d.Release, tx.Now()) {
				return fmt.Errorf("%w: %s goes by itself once the %s clears", ErrNotReleasable, id, d.Release)
			}
		}
		return tx.sendAgain(d, by, "retried", "")
	})
}

// ResolveLetter goes without the step, or passes it on: waived or escalated,
// with the reason that stands in the certificate.
func (e *Engine) ResolveLetter(ctx context.Context, id weir.LetterID, as, reason, by string) error {
	if err := oneLine("the reason", reason); err != nil {
		return err
	}
	verdict, to := weir.Waive, weir.LetterResolved
	if as == "escalated" {
		verdict, to = weir.Escalate, weir.LetterOpen
	}
	return e.update(ctx, crash.Resolve, func(tx *txn) error {
		d, err := tx.openLetter(id)
		if err != nil {
			return err
		}
		st, err := tx.Step(d.Step)
		if err != nil {
			return err
		}
		if err := tx.AdvanceStep(&st, verdict, func(*weir.Step) {}); err != nil {
			return err
		}
		if to != weir.LetterOpen {
			if err := tx.MoveLetter(id, weir.LetterOpen, to); err != nil {
				return err
			}
			tx.CloseOpenIntent(st.ID, weir.IntentConflict)
			if err := tx.dropPurge(st); err != nil {
				return err
			}
		}
		if err := tx.AddLetterEvent(weir.LetterEvent{Letter: id, At: tx.Now(), By: by, Act: as, Note: reason}); err != nil {
			return err
		}
		err = tx.note(weir.Entry{
			By: by, Act: "letter." + as, Org: d.Org, Request: d.Request, Step: d.Step,
			Detail: map[string]string{KeyLetter: string(id), KeyDLQDecision: as, "reason": reason},
		})
		if err != nil {
			return err
		}
		return tx.advance(d.Request)
	})
}

// dropPurge cancels the purge of a record that a person decided to leave: it
// was never deleted.
func (t *txn) dropPurge(erase weir.Step) error {
	if erase.Kind != weir.StepErase {
		return nil
	}
	steps, err := t.StepsOf(erase.Request)
	if err != nil {
		return err
	}
	for i := range steps {
		if s := &steps[i]; s.Kind == weir.StepPurge && s.Record == erase.Record && s.State == weir.StepPlanned {
			return t.AdvanceStep(s, weir.Cancel, nil)
		}
	}
	return nil
}

// openLetter reads a letter that a person decides, and holds its org.
func (t *txn) openLetter(id weir.LetterID) (weir.Letter, error) {
	d, err := t.Letter(id)
	if err != nil {
		return d, err
	}
	if _, err := t.hold(d.Request); err != nil {
		return d, err
	}
	d, err = t.Letter(id)
	if err == nil && d.State != weir.LetterOpen {
		err = fmt.Errorf("letter %s is %s: %w", id, d.State, weir.ErrNoSuchTransition)
	}
	return d, err
}
