package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/weirhq/weir"
)

// groupKey is what the records of a group have in common. The data map bounds
// how many groups there can be.
type groupKey struct {
	object string
	action weir.Action
	reason string
	why    string
}

// group is an item of a plan that only reads while it is being counted.
type group struct {
	item weir.PlanItem // without record and version
	last string        // the newest record
	sum  hash.Hash
}

// shownOfGroup is how many records of a withheld group the plan names.
const shownOfGroup = 100

// fold counts an item into its group.
func (b *builder) fold(item weir.PlanItem) error {
	k := groupKey{item.Object, item.Action, item.Reason, item.Why}
	g := b.groups[k]
	if g == nil {
		g = &group{item: item, sum: sha256.New()}
		g.item.Record, g.item.Version = "", ""
		b.groups[k] = g
	}
	if item.Record <= g.last { // the digest would depend on the order
		return fmt.Errorf("%w: %s after %s of %s", ErrDisorder, item.Record, g.last, item.Object)
	}
	g.last = item.Record
	g.item.Count++
	if item.Action == weir.ActWithhold && g.item.Count <= shownOfGroup {
		g.item.Shown = append(g.item.Shown, item.Record)
	}
	_, _ = fmt.Fprintf(g.sum, "%s %s\n", item.Record, item.Version) // a hash takes everything
	return nil
}

func (g *group) done() weir.PlanItem {
	g.item.Digest = hex.EncodeToString(g.sum.Sum(nil))
	return g.item
}
