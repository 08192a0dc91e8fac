package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirhq/weir/internal/runner"
	"github.com/weirhq/weir/internal/store"
)

// Run works until ctx ends: it stops admitting, lets running calls record
// their outcome, and signs a last checkpoint.
func (e *Engine) Run(ctx context.Context) error {
	running, ended := context.WithCancel(context.WithoutCancel(ctx)) // until the last call has ended
	var tidying sync.WaitGroup
	tidying.Go(func() { e.keepTidy(running) })
	err := e.work(ctx)
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

// work runs the queue until ctx ends. The store answered when weir was opened; one
// that goes away before the queue runs is waited for, as it is ever after.
func (e *Engine) work(ctx context.Context) error {
	for {
		r, err := runner.New(ctx, runner.Options{Store: e.store, Engine: e, Node: e.node, Tick: e.opts.Tick, Log: e.log})
		if err == nil {
			err = r.Run(ctx)
		} else {
			err = fmt.Errorf("prepare the queue: %w", err)
		}
		if ctx.Err() != nil || !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		e.log.Warn("store unreachable: the queue does not run yet", "error", err.Error())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(e.opts.Tick):
		}
	}
}
