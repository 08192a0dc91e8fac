package engine

import (
	"context"
	"time"

	"github.com/weirhq/weir/vault"
)

// park begins a wait of a lane: its connections, which keep buffers, are
// closed, and the collector overwrites what was dropped (security reference,
// section 2, the park protocol). That cannot be all: a call of another slot may
// still be ending, a closed connection's goroutines too, and collections are
// rate-limited. What is owed then is keepTidy's.
func (e *Engine) park(l *lane) {
	l.parked.Store(true)
	l.client.CloseIdle()
	vault.Dropped()
	vault.Scrub()
}

// tidyEvery is how soon a collection that is owed is tried. With the second
// between two collections it ends within two of the drop, which is the longest
// wait that need not be tidied for.
const tidyEvery = 250 * time.Millisecond

// keepTidy collects after personal data was dropped, until ctx ends. It stands
// apart from the control round, which may wait for a store.
func (e *Engine) keepTidy(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.tidy()
		}
	}
}

// tidy closes what the calls of waiting lanes left open, and collects.
func (e *Engine) tidy() {
	for _, l := range e.orgs {
		if l.parked.Load() {
			l.client.CloseIdle()
		}
	}
	vault.Scrub()
}
