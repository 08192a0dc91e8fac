package engine

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// finishWait is how long a node leaves a request to the one before it in the line.
const finishWait = 2 * time.Minute

// finishes returns which of the requests that stand this node finishes now. Each could
// finish any, and two that do cost twice the work: one result counts, the other is
// thrown away. So the nodes stand in line for each request, and whoever is second
// begins when it has seen it stand for two minutes.
func (e *Engine) finishes(ctx context.Context, stand []weir.Request) (func(weir.Request) bool, error) {
	if e.store.Dialect() == store.SQLite { // one process
		return func(weir.Request) bool { return true }, nil
	}
	alive, _, _, err := e.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(alive)
	now, since := e.now(), make(map[weir.RequestID]time.Time, len(stand))
	for _, r := range stand {
		since[r.ID] = cmp.Or(e.standing[r.ID], now)
	}
	e.standing = since
	return func(r weir.Request) bool {
		return now.Sub(since[r.ID]) >= time.Duration(placeInLine(e.node, alive, r.ID))*finishWait
	}, nil
}

// placeInLine is how many of the nodes that run come before this one. Lines of
// requests begin at different nodes, so that each has its part.
func placeInLine(node string, alive []string, id weir.RequestID) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	n := len(alive)
	return (slices.Index(alive, node) + n - int(h.Sum32()%uint32(n))) % n
}
