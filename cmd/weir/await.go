package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// glance is how often a verb that waits looks at the store.
const glance = 200 * time.Millisecond

// await looks at a request until done says so, and tells what holds it up
// meanwhile.
func (a *app) await(ctx context.Context, d *desk, id string, done func(web.StatusDoc) bool) (web.StatusDoc, error) {
	told := ""
	var s web.StatusDoc
	for {
		var out web.StatusAnswer
		err := d.Call(ctx, "status", web.IDInput{ID: id}, &out)
		if err != nil && ctx.Err() != nil && s.ID != "" {
			return s, stillWaiting(ctx, s) // the time was up in the middle of a look
		}
		if err != nil {
			return out.Status, err
		}
		s = out.Status
		if done(s) {
			return s, nil
		}
		if len(s.Letters) > 0 {
			return s, heldByLetter(s)
		}
		if text := waitText(s); text != told && text != "" {
			a.progress("%s %s", id, text)
			told = text
		}
		select {
		case <-ctx.Done():
			return s, stillWaiting(ctx, s)
		case <-time.After(glance):
		}
	}
}

func waitText(s web.StatusDoc) string {
	if s.WaitUntil.IsZero() {
		return ""
	}
	return fmt.Sprintf("waits until %s: %s (%s)", s.WaitUntil.UTC().Format("15:04:05 UTC"), s.Category, s.Cause)
}

func heldByLetter(s web.StatusDoc) error {
	return web.Fail(web.ExitDeadLetter, "dead_letter", fmt.Sprintf("`weir dlq show %s` says what happened and what can be done.", s.Letters[0]),
		"%s is held by dead letter %s; what was read so far stays sealed", s.ID, joinIDs(s.Letters))
}

// stillWaiting explains a verb that gave up: a throttle is told apart from
// work that only takes its time.
func stillWaiting(ctx context.Context, s web.StatusDoc) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	hint := fmt.Sprintf("Nothing is lost. `weir why %s` explains the wait; run the verb again later, or let `weir serve` do the work.", s.ID)
	if s.Cause != "" && s.Cause.Throttled() {
		return web.Fail(web.ExitThrottled, "throttled", hint, "%s %s", s.ID, waitText(s))
	}
	return web.Fail(web.ExitFailure, "timeout", hint, "%s is still %s", s.ID, s.Stage)
}

// planned says whether a plan was made, refused, or is past.
func planned(s web.StatusDoc) bool {
	return s.Stage != weir.Verified && s.Stage != weir.Discovered && (s.PlanHash != "" || s.Reason != "" || s.Stage != weir.Planned)
}
