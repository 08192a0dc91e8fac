package runner

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river"

	"github.com/weirhq/weir"
)

// TestEachNodeOwnsItsPart: at every time each slot has one owner, no node owns many
// more than its part of an org's slots, and in the long run all own the same, also of an
// org that is asked by one call at a time.
func TestEachNodeOwnsItsPart(t *testing.T) {
	for nodes := 1; nodes <= 9; nodes++ {
		for _, width := range []int{1, 2, 3, 8, 32} {
			t.Run(fmt.Sprintf("%d nodes, %d slots", nodes, width), func(t *testing.T) {
				var c circle
				owned := map[string]time.Duration{}
				for i := range nodes {
					c = append(c, string(rune('a'+i)))
					owned[c[i]] = 0
				}
				now := time.Unix(1_800_000_000, 0)
				for range nodes * width * 20 {
					least, parts := slotTurns, map[string]int{}
					for slot := range width {
						owner, left := c.turn("acme", slot, width, now)
						least = min(least, left)
						parts[owner]++
					}
					for owner, k := range parts {
						if k > (width+nodes-1)/nodes+1 { // one more while they change
							t.Fatalf("node %s owns %d slots", owner, k)
						}
						owned[owner] += time.Duration(k) * least
					}
					now = now.Add(least)
				}
				// What is left over is the turn that was under way at the start.
				for owner, d := range owned {
					if diff := (d - owned["a"]).Abs(); diff > slotTurns {
						t.Errorf("node %s owned %v of slot time, node a %v", owner, d, owned["a"])
					}
				}
			})
		}
	}
}

// Orgs that have one slot each must not all be the same node's at once.
func TestOrgsAreSpreadOverNodes(t *testing.T) {
	c := circle{"a", "b", "c", "d"}
	owners := map[string]int{}
	for i := range 400 {
		owner, _ := c.turn(weir.OrgID(fmt.Sprintf("org-%d", i)), 0, 1, time.Unix(1_800_000_000, 0))
		owners[owner]++
	}
	for _, node := range c {
		if n := owners[node]; n < 60 || n > 140 {
			t.Errorf("node %s owns the slot of %d orgs of 400", node, n)
		}
	}
}

// busyOrg always has work, of a call that takes a tenth of a second.
type busyOrg struct {
	Engine

	width int
}

func (o busyOrg) Width(context.Context, weir.OrgID) (int, error) { return o.width, nil }

func (o busyOrg) Turn(context.Context, weir.OrgID) (bool, error) {
	time.Sleep(100 * time.Millisecond)
	return true, nil
}

// TestASlotEndsWithItsTurn: whoever has a slot makes room when it is the next one's.
func TestASlotEndsWithItsTurn(t *testing.T) {
	for _, c := range []struct{ nodes, width int }{{1, 8}, {4, 8}, {4, 1}, {9, 2}} {
		synctest.Test(t, func(t *testing.T) {
			w := newSlotWorker(busyOrg{width: c.width}, make(chan struct{}))
			w.circle.Store(newCircle(strings.Split("a b c d e f g h i", " ")[:c.nodes]))
			for range 10 {
				_, left := w.circle.Load().turn("acme", 0, c.width, time.Now())
				began := time.Now()
				err := w.Work(t.Context(), &river.Job[slotArgs]{Args: slotArgs{Org: "acme"}})
				if took := time.Since(began); err != nil || took < left || took > left+100*time.Millisecond {
					t.Errorf("%v: %v after %v of %v", c, err, took, left)
				}
			}
		})
	}
}
