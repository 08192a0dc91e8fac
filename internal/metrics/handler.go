package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// patience bounds the reading of a snapshot.
	patience = 5 * time.Second
	// timeoutHeader is how Prometheus says, in seconds, when it will hang up.
	timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
)

// Handler answers scrapes. Each one takes its own snapshot, and gives up in
// time to say so.
func Handler(source Source) http.Handler {
	runtime := prometheus.NewRegistry()
	runtime.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), budget(r.Header.Get(timeoutHeader)))
		defer cancel()
		snapshot, err := source.Snapshot(ctx)
		if err == nil {
			err = closed(snapshot)
		}
		once := prometheus.NewRegistry()
		once.MustRegister(collector{snapshot, err})
		gatherers := prometheus.Gatherers{once, runtime}
		promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
}

// budget is how long a snapshot may take: what the scraper grants, less a
// tenth for the answer, and never more than patience.
func budget(granted string) time.Duration {
	seconds, err := strconv.ParseFloat(granted, 64)
	if err != nil || !(seconds > 0) || seconds > patience.Seconds() {
		return patience
	}
	return time.Duration(seconds * 0.9 * float64(time.Second))
}
