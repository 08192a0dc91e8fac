package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/weirhq/weir/internal/runner"
)

// Run works until ctx ends: it stops admitting, lets running calls record
// their outcome, and signs a last checkpoint.
func (e *Engine) Run(ctx context.Context) error {
	r, err := runner.New(ctx, runner.Options{Store: e.store, Engine: e, Node: e.node, Tick: e.opts.Tick, Log: e.log})
	if err != nil {
		return fmt.Errorf("prepare the queue: %w", err)
	}
	running, ended := context.WithCancel(context.WithoutCancel(ctx)) // until the last call has ended
	var tidying sync.WaitGroup
	tidying.Go(func() { e.keepTidy(running) })
	err = r.Run(ctx)
	ended()
	tidying.Wait()
	if err != nil {
		return err
	}
	if err := e.leave(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if _, err := e.Checkpoint(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("last checkpoint: %w", err)
	}
	return nil
}
