package engine

import (
	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// longCalls counts the org's calls that we know of and that have been open for
// as long as Salesforce counts them.
func (t *txn) longCalls(l *lane) (int, error) {
	return t.LongCalls(l.ID, t.Now().Add(-longCall), l.Claim)
}

// longAtRefusal counts them when the org refused a call because of those that
// are open: only then does the governor ask.
func (t *txn) longAtRefusal(l *lane, f *weir.Fault) (int, error) {
	if f == nil || f.Category != weir.ThrottledConcurrent {
		return 0, nil
	}
	return t.longCalls(l)
}

// likelyLong counts the calls under way that will be open for as long, because
// others about their objects were. Only an ask about such an object has to know.
func (t *txn) likelyLong(g *governed, a weir.Ask) (int, error) {
	if !governor.RunsLong(g.state, a.Object, a.Mutates) {
		return 0, nil
	}
	likely := 0
	for _, o := range governor.SlowObjects(g.state) {
		n, err := t.CallsAbout(g.lane.ID, o.Name, o.Writes, t.Now().Add(-longCall), g.lane.Claim)
		if err != nil {
			return 0, err
		}
		likely += n
	}
	return likely, nil
}
