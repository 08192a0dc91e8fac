package runner

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// slotTurns is how long a slot takes turns at most before it makes room. It is well
// below JobTimeout, so that River's rescue by age never meets a live slot (engine
// reference, section 2).
const slotTurns = 20 * time.Second

// circle is the order in which the nodes own the slots of every org. River gives a
// queue's jobs to whoever asks first, so that of four nodes one once made 77 of 991
// calls: each node has a queue of its own, and a slot goes to its owner's. With as
// many slots as nodes or more, each node owns its part of them; an org that is asked
// by one call at a time has only one, and then they take turns. Nobody agrees about
// it with anybody: who inserts a slot decides, and it is inserted once.
type circle []string // the nodes that run, as the last heartbeat saw them, by name

func newCircle(alive []string) *circle {
	c := circle(slices.Sorted(slices.Values(alive)))
	return &c
}

// turn is whose a slot is, and for how long.
func (c circle) turn(org weir.OrgID, slot, width int, now time.Time) (owner string, left time.Duration) {
	nodes, length := int64(len(c)), slotTurns
	if width < len(c) {
		length = max(slotTurns/time.Duration(nodes), 2*time.Second) // all have had their turn when the others' slots end
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(org)) // never fails; orgs begin at different nodes and times
	begin := int64(h.Sum32())
	// One slot of an org after the other ends: between two turns is up to a second.
	at := now.UnixNano() + begin%int64(length) + int64(slot)*int64(length)/int64(width)
	return c[(begin+int64(slot)+at/int64(length))%nodes], length - time.Duration(at%int64(length))
}

// queueOf is a node's own queue. River allows lower-case letters and digits: of the
// node's name it is the part that is chance.
func queueOf(node string) string {
	return "slots-" + strings.ToLower(node[strings.LastIndex(node, "/")+1:])
}

func queuesOf(nodes []string) []string {
	queues := make([]string, len(nodes))
	for i, n := range nodes {
		queues[i] = queueOf(n)
	}
	return queues
}
