package engine

import (
	"context"
	"hash/fnv"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// finishTurn is for how long one node is the one that finishes a request: longer
// than a package of a million records takes, so that no two make it at once, and short
// enough for whoever cannot finish it to be relieved.
const finishTurn = 10 * time.Minute

// finishes returns which requests this node finishes now. Each could finish any, and
// two that do cost twice the work: one result counts, the other is thrown away.
func (e *Engine) finishes(ctx context.Context) (func(weir.RequestID) bool, error) {
	if e.store.Dialect() == store.SQLite { // one process
		return func(weir.RequestID) bool { return true }, nil
	}
	alive, _, _, err := e.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(alive)
	now := e.now()
	return func(id weir.RequestID) bool { return finisher(id, alive, now) == e.node }, nil
}

// finisher is the node, of those that run, whose turn it is. Turns of requests begin
// at different nodes and times, and when a node has died those that are left share
// its part.
func finisher(id weir.RequestID, alive []string, now time.Time) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	begin := int64(h.Sum32())
	at := now.UnixNano() + begin%int64(finishTurn)
	return alive[(begin+at/int64(finishTurn))%int64(len(alive))]
}
