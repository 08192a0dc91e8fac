package metrics

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir"
)

// collector presents one snapshot. It lives for one scrape.
type collector struct {
	snapshot Snapshot
	err      error
}

// Describe implements prometheus.Collector. It describes nothing in advance,
// because a failed snapshot has fewer metrics than a good one.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(successDesc, boolean(c.err == nil))
	if c.err != nil {
		return
	}
	s := c.snapshot
	for _, f := range orgFamilies() {
		d := prometheus.NewDesc(f.name, f.help, []string{"org"}, nil)
		for _, o := range s.Orgs {
			if f.daily && o.DailyLimit <= 0 {
				continue
			}
			gauge(d, f.value(s, o), string(o.Org))
		}
	}
	for _, f := range houseFamilies() {
		gauge(prometheus.NewDesc(f.name, f.help, nil, nil), f.value(s))
	}
	for _, state := range weir.StepStates() {
		gauge(stepsDesc, float64(s.Steps[state]), string(state))
	}
	for _, stage := range weir.Stages() {
		gauge(requestsDesc, float64(s.Requests[stage]), string(stage))
	}
	gauge(accountingDesc, float64(s.Accepted), "accepted")
	gauge(accountingDesc, float64(s.Done), "done")
	gauge(accountingDesc, float64(s.WaitingSteps), "waiting")
	gauge(accountingDesc, float64(s.Dead), "dead")
	gauge(accountingDesc, float64(s.Cancelled), "cancelled")
}

// closed checks that the snapshot counts nothing that the lists of the words
// do not know: it would be missing from the scrape without a trace.
func closed(s Snapshot) error {
	for state := range s.Steps {
		if !slices.Contains(weir.StepStates(), state) {
			return fmt.Errorf("steps are counted in state %q, which does not exist", state)
		}
	}
	for stage := range s.Requests {
		if !slices.Contains(weir.Stages(), stage) {
			return fmt.Errorf("requests are counted in stage %q, which does not exist", stage)
		}
	}
	return nil
}
