package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// claims are those that this node knows of: a turn works on them, or their outcome
// waits in the journal. When the database goes away it may have committed a claim
// without our hearing of it. Nothing is sent under such a claim, but it would keep
// its place among the org's open calls until it ends, and an org that is asked by
// one call at a time would stand for as long.
type claims struct {
	mu    sync.Mutex
	known map[string]bool
}

// begin is called before the claim can be committed.
func (c *claims) begin(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[id] = true
}

func (c *claims) end(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, id)
}

func (c *claims) unknown(held []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(held, func(id string) bool { return c.known[id] })
}

// endUnknown ends the claims that stand under this node's name and that it does not
// know of, so that they are adopted as those that ran out.
func (e *Engine) endUnknown(ctx context.Context) error {
	var held []string
	err := e.view(ctx, func(tx *store.Tx) (err error) {
		held, err = tx.Claims(e.node)
		return err
	})
	if err != nil {
		return err
	}
	unknown := e.claims.unknown(held) // one that has ended since holds no step any more
	if len(unknown) == 0 {
		return nil
	}
	err = e.transact(ctx, crash.Adopt, func(tx *store.Tx) error { return tx.EndClaims(e.node, unknown) })
	if err != nil {
		return fmt.Errorf("end claims that nobody works on: %w", err)
	}
	return nil
}
