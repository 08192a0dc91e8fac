package proof

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
)

// adoptWithin is how soon the claims of a node that has stopped must be in
// other hands (design section 5).
const adoptWithin = 15 * time.Second

// kill ends a node that holds claims, waits until they are adopted, and starts
// another in its place. A node that held none was killed in vain.
func (a *assault) kill(ctx context.Context, dice *rand.Rand, m *member) error {
	if aimed, err := a.aim(ctx, dice, m); err != nil || !aimed {
		return err
	}
	t := takeover{node: m.name(), from: time.Now()}
	m.dying(true)
	m.process.kill()
	err := a.takenOver(ctx, &t)
	if err == nil {
		err = m.start(ctx)
	}
	m.dying(false)
	if err == nil && t.steps > 0 {
		a.note(func() { a.kills = append(a.kills, t) })
	}
	return err
}

// stop halts a node that holds claims until others have adopted them and for a
// while longer, and lets it go on: whatever it had in hand is no longer its own.
func (a *assault) stop(ctx context.Context, dice *rand.Rand, m *member) error {
	if aimed, err := a.aim(ctx, dice, m); err != nil || !aimed {
		return err
	}
	t := takeover{node: m.name(), from: time.Now()}
	if err := m.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err := a.takenOver(ctx, &t)
	if err == nil && t.steps > 0 {
		err = pause(ctx, time.Duration(dice.Int64N(int64(2*time.Second))))
	}
	t.till = time.Now()
	if goesOn := m.signal(syscall.SIGCONT); err == nil {
		err = goesOn
	}
	if err != nil || t.steps == 0 {
		return err
	}
	a.note(func() { a.stops = append(a.stops, t) })
	return pause(ctx, 3*time.Second) // its next beat tells the others that it lives
}

const aimAtNode = 20 * time.Second

// aim waits until a node holds claims, mostly of writes, and then for any share
// of the time that a call takes, or none: the claim may not have been sent yet.
func (a *assault) aim(ctx context.Context, dice *rand.Rand, m *member) (aimed bool, err error) {
	anyClaim := dice.IntN(3) == 0
	for end := time.Now().Add(aimAtNode); ; {
		all, writes, err := a.cluster.held(ctx, m.name())
		if err != nil {
			return false, err
		}
		if writes > 0 || anyClaim && all > 0 {
			break
		}
		if time.Now().After(end) {
			return false, nil // it has nothing to do just now: the other one of the pair comes first
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return false, err
		}
	}
	if dice.IntN(2) == 0 {
		return true, nil
	}
	return true, pause(ctx, time.Duration(dice.Int64N(int64(latency))))
}

// takenOver waits until a halted node holds nothing, and measures how long that
// took by the store's own times. No steps means that it held nothing anyway.
func (a *assault) takenOver(ctx context.Context, t *takeover) error {
	if err := pause(ctx, 100*time.Millisecond); err != nil { // a commit that was on its way has come
		return err
	}
	held, _, err := a.cluster.held(ctx, t.node)
	if err != nil || held == 0 {
		return err
	}
	for left := held; left > 0; {
		if time.Since(t.from) > 2*adoptWithin {
			return fmt.Errorf("%s after %s halted it still holds %d steps", time.Since(t.from).Round(time.Second), t.node, left)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		if left, _, err = a.cluster.held(ctx, t.node); err != nil {
			return err
		}
	}
	n, last, err := a.cluster.adopted(ctx, t.node, t.from)
	if err != nil {
		return err
	}
	if n < held {
		return fmt.Errorf("%s held %d steps and %d were adopted", t.node, held, n)
	}
	if t.steps, t.adopted = n, last.Sub(t.from); t.adopted > adoptWithin {
		a.cluster.t.Errorf("the claims of %s were adopted after %s, want at most %s", t.node, t.adopted, adoptWithin)
	}
	return nil
}
