//go:build !race

package engine_test

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

// promise is what weir printed about a request at a moment from which on
// nothing but the org stood in its way, as far as anybody knew.
type promise struct{ at, p10, p90 time.Time } // p90 is zero: no end in sight

// printed keeps what `weir forecast` says of a request now; the last word counts.
func (s *simulation) printed(id weir.RequestID) {
	s.t.Helper()
	all, err := s.engine.Forecast(s.t.Context(), acme)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range all {
		if f.Request == id {
			s.promises[id] = promise{time.Now(), f.P10, f.P90}
		}
	}
}

// coverage counts finishes by where they fell, and how many requests were said
// to be late, rightly or not.
type coverage struct{ inside, early, late, unseen, told, toldInTime int }

func (c *coverage) add(o coverage) {
	c.inside += o.inside
	c.early += o.early
	c.late += o.late
	c.unseen += o.unseen
	c.told += o.told
	c.toldInTime += o.toldInTime
}

// share is the part of the finishes with a printed span that fell into it.
func (c coverage) share() float64 { return float64(c.inside) / float64(c.inside+c.early+c.late) }

func (c coverage) String() string {
	return fmt.Sprintf("%d finishes between the printed p10 and p90, %d before, %d after, %.2f inside; %d more of which no end was in sight; %d said to be late, %d of them in time",
		c.inside, c.early, c.late, c.share(), c.unseen, c.told, c.toldInTime)
}

// covered compares each finish with what was printed.
func (s *simulation) covered() (c coverage) {
	s.t.Helper()
	for id := range s.cases {
		finish, told := s.finished(id)
		if finish.IsZero() {
			continue
		}
		if told {
			c.told++
			if !finish.After(s.request(id).DueAt) {
				c.toldInTime++
			}
		}
		switch p := s.promises[id]; {
		case p.p90.IsZero():
			c.unseen++
		case finish.Before(p.p10):
			c.early++
		case finish.After(p.p90):
			c.late++
		default:
			c.inside++
		}
	}
	return c
}

// finished reads when a request was fulfilled, zero when it was not, and
// whether a person was told that it would be late.
func (s *simulation) finished(id weir.RequestID) (at time.Time, told bool) {
	s.t.Helper()
	entries, err := s.engine.History(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range entries {
		told = told || n.Act == "request.late"
		if stage := weir.Stage(n.Detail["stage"]); at.IsZero() && (stage == weir.Delivered || stage == weir.Closed) {
			at = n.At
		}
	}
	return at, told
}
