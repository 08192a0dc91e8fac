package transport

import (
	"context"
	"time"
)

// order is what a caller said about one call.
type order struct {
	priority int
	due      time.Time // zero = none
	cost     int
}

type orderKey struct{}

func orderIn(ctx context.Context) order {
	o, _ := ctx.Value(orderKey{}).(order)
	o.cost = max(o.cost, 1)
	return o
}

// WithDeadline says until when a call must have been sent. Unlike the context's
// own deadline it does not end a call that is under way. Of two deadlines the
// earlier counts.
func WithDeadline(ctx context.Context, due time.Time) context.Context {
	o := orderIn(ctx)
	o.due = due
	return context.WithValue(ctx, orderKey{}, o)
}

// WithPriority puts a call before those of lower priority that wait; 0 is the
// usual one. Among equals the earlier deadline goes first, then who came first.
// It opens no gate and touches no floor.
func WithPriority(ctx context.Context, priority int) context.Context {
	o := orderIn(ctx)
	o.priority = priority
	return context.WithValue(ctx, orderKey{}, o)
}

// WithCost says how many API calls the org counts for a call; 1 is the usual
// number. composite/batch counts each of its subrequests.
func WithCost(ctx context.Context, calls int) context.Context {
	o := orderIn(ctx)
	o.cost = calls
	return context.WithValue(ctx, orderKey{}, o)
}

// latest is the last instant at which a call may be sent; zero = any.
func (o order) latest(ctx context.Context) time.Time {
	due, ok := ctx.Deadline()
	if !ok || !o.due.IsZero() && o.due.Before(due) {
		return o.due
	}
	return due
}
