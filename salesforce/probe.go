package salesforce

import (
	"context"
	"net/http"
	"time"

	"github.com/weirhq/weir"
)

// Probe asks whether the org honours If-Unmodified-Since for an object inside a
// composite call, by one of its records.
type Probe struct{ Object, ID string }

// ProbeAnswer is what a probe gave.
type ProbeAnswer struct {
	Honours bool
	Fault   *weir.Fault // it was not found out
}

// probeSubs renders probes. Nothing is changed by them: each reads its record on
// condition that it has not changed since 1990, so that 412 means yes.
func (c *Client) probeSubs(probes []Probe) ([]subrequest, error) {
	long := time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat)
	subs := make([]subrequest, len(probes))
	for i, p := range probes {
		if !apiName.MatchString(p.Object) || !recordID.MatchString(p.ID) {
			return nil, ErrInvalidQuery
		}
		subs[i] = subrequest{
			method: http.MethodGet, url: append(c.objectPath(p.Object, p.ID), "?fields=Id"...),
			header: map[string]string{"If-Unmodified-Since": long},
		}
	}
	return subs, nil
}

func (c *Client) probeAnswer(p part, tree any) ProbeAnswer {
	switch p.status {
	case http.StatusOK:
		return ProbeAnswer{}
	case http.StatusPreconditionFailed:
		return ProbeAnswer{Honours: true}
	}
	v := c.subVerdict(Response{Method: http.MethodGet}, p, tree)
	defer v.Detail.Clear()
	if f := v.Fault(); f != nil {
		return ProbeAnswer{Fault: f}
	}
	return ProbeAnswer{Fault: ownFault(CodeBrokenAnswer, weir.PlatformFault, weir.EffectNone)}
}

// QueryAndProbe sends queries as Query does, and probes behind them in the same
// call. They make at most 25 subrequests, of which five are queries.
func (c *Client) QueryAndProbe(ctx context.Context, queries []Query, probes []Probe, sink func(i int, row Row) error) (Answer, []QueryAnswer, []ProbeAnswer) {
	answers, guards := make([]QueryAnswer, len(queries)), make([]ProbeAnswer, len(probes))
	subs, err := c.querySubs(queries)
	if err == nil {
		var asks []subrequest
		asks, err = c.probeSubs(probes)
		subs = append(subs, asks...)
	}
	if err != nil || len(subs) > maxSubrequests {
		a := c.refuse(CodeInvalidQuery, weir.Validation)
		return a, failQueries(a, answers, nil), failProbes(a, guards)
	}
	n := len(queries)
	bodies, trees, settled := make([]queryBody, n), make([]any, len(probes)), make([]bool, len(subs))
	rows := &rowReader{}
	defer rows.wipe()
	a := c.composite(ctx, call{}, subs,
		func(i int, s *scanner) (err error) {
			if i < n {
				return bodies[i].read(c, s, rows, func(r Row) error { return sink(i, r) })
			}
			trees[i-n], err = s.value()
			return err
		},
		func(i int, p part) {
			if settled[i] = true; i < n {
				answers[i] = bodies[i].answer(c, p)
			} else {
				guards[i-n] = c.probeAnswer(p, trees[i-n])
			}
		})
	return a, failQueries(a, answers, settled[:n]), failProbes(a, guards)
}

// failProbes gives the fault of the whole call to every probe.
func failProbes(a Answer, guards []ProbeAnswer) []ProbeAnswer {
	for i := range guards {
		if a.Fault != nil {
			fault := *a.Fault
			guards[i] = ProbeAnswer{Fault: &fault}
		}
	}
	return guards
}
