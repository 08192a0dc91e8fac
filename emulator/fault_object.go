package emulator

import (
	"maps"
	"slices"
	"strings"
)

// asked are the objects that a call names, those of its queries included.
func (c *call) asked() map[string]bool {
	all := c.queried()
	maps.Copy(all, c.objects)
	return all
}

// queried are the objects of a call's queries: a large table makes these slow,
// and not its describe.
func (c *call) queried() map[string]bool {
	all := map[string]bool{}
	add := func(r route, soql string) {
		if r.kind != kindQuery {
			return
		}
		if q, err := parse(soql); err == nil {
			all[q.from] = true
		}
	}
	add(c.route, c.in.url.Query().Get("q"))
	if c.parsed != nil {
		for _, s := range c.parsed.requests {
			add(s.route, s.query.Get("q"))
		}
	}
	return all
}

// breakObject plans which object fails: the first of the call's where none is named.
func (c *call) breakObject(name string) {
	if name == "" {
		name = slices.Sorted(maps.Keys(c.asked()))[0]
	}
	c.broken = name
}

// breaks says whether what is asked of an object fails in this call.
func (c *call) breaks(object string) bool {
	if c.planned != FaultObject || !strings.EqualFold(c.broken, object) {
		return false
	}
	return c.entry.Fault == FaultObject || c.strike(FaultObject)
}

func queryTimeout() *apiError {
	return failure(400, "QUERY_TIMEOUT", "Your query request was running for too long.")
}
