package metrics_test

import (
	"context"
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/metrics"
)

var update = flag.Bool("update", false, "rewrite testdata/metrics.txt")

// source answers with a fixed snapshot, or as told.
type source func(context.Context) (metrics.Snapshot, error)

func (s source) Snapshot(ctx context.Context) (metrics.Snapshot, error) { return s(ctx) }

func fixed(s metrics.Snapshot) source {
	return func(context.Context) (metrics.Snapshot, error) { return s, nil }
}

// scrape returns the weir_ part of an answer.
func scrape(t *testing.T, s metrics.Source, header ...string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	metrics.Handler(s).ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if !strings.Contains(w.Body.String(), "\ngo_goroutines ") {
		t.Error("the runtime's own metrics are missing")
	}
	var ours strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if strings.Contains(line, "weir_") {
			ours.WriteString(line)
		}
	}
	return ours.String()
}

func snapshot() metrics.Snapshot {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return metrics.Snapshot{
		Now: now,
		Orgs: []metrics.OrgSnapshot{
			{
				Org: "prod-eu", DailyUsed: 9800, DailyLimit: 15000, Floor: 2000, BurnPerHour: 310.5,
				InFlight: 6, Width: 8, GateOpenAt: now.Add(90 * time.Second), Breaker: true, Broken: 2, Late: 3,
			},
			{Org: "new", Width: 8, GateOpenAt: now.Add(-time.Hour)}, // no reading yet
		},
		Steps:       map[weir.StepState]int{weir.StepReady: 5, weir.StepWaiting: 7, weir.StepDead: 1, weir.StepDone: 100},
		Requests:    map[weir.Stage]int{weir.Executing: 3, weir.Closed: 20},
		DeadLetters: 1, OldestLetterAge: 4 * time.Hour,
		Ready: 5, Waiting: 7, Sealed: 42, OldestSealedAge: 36 * time.Hour, Journal: 2,
		Accepted: 114, Done: 100, WaitingSteps: 12, Dead: 1, Cancelled: 1,
	}
}

func TestGolden(t *testing.T) {
	got := scrape(t, fixed(snapshot()))
	golden := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the exposition changed; go test ./internal/metrics -update rewrites the file:\n%s", diff)
	}
	problems, err := promlint.New(strings.NewReader(got)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestBalance shows that a lost step is seen.
func TestBalance(t *testing.T) {
	s := snapshot()
	s.Done--
	if got := scrape(t, fixed(s)); !strings.Contains(got, "\nweir_accounting_balance 1\n") {
		t.Errorf("balance of a lost step:\n%s", got)
	}
}

// TestSaturationWithoutWidth keeps the ratio finite when nothing is allowed.
func TestSaturationWithoutWidth(t *testing.T) {
	got := scrape(t, fixed(metrics.Snapshot{Orgs: []metrics.OrgSnapshot{{Org: "idle"}, {Org: "busy", InFlight: 1}}}))
	for _, want := range []string{`saturation_ratio{org="idle"} 0`, `saturation_ratio{org="busy"} 1`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in:\n%s", want, got)
		}
	}
}

// TestNoSnapshot shows that a failure is said and old figures are not shown.
func TestNoSnapshot(t *testing.T) {
	unknown := snapshot()
	unknown.Steps = map[weir.StepState]int{"LOST": 1}
	for name, s := range map[string]source{
		"store is down":   func(context.Context) (metrics.Snapshot, error) { return snapshot(), errors.New("down") },
		"state not known": fixed(unknown),
	} {
		t.Run(name, func(t *testing.T) {
			got := scrape(t, s)
			if !strings.HasSuffix(got, "\nweir_snapshot_success 0\n") || strings.Count(got, "\n") != 3 {
				t.Errorf("got:\n%s", got)
			}
		})
	}
}

// TestPatience lets a source hang, and watches how long it was given.
func TestPatience(t *testing.T) {
	for granted, want := range map[string]time.Duration{
		"": 5 * time.Second, "10": 5 * time.Second, "2": 1800 * time.Millisecond, "-1": 5 * time.Second, "NaN": 5 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			hangs := source(func(ctx context.Context) (metrics.Snapshot, error) {
				<-ctx.Done()
				return metrics.Snapshot{}, ctx.Err()
			})
			if got := scrape(t, hangs, "X-Prometheus-Scrape-Timeout-Seconds", granted); !strings.Contains(got, "weir_snapshot_success 0") {
				t.Errorf("got:\n%s", got)
			}
			if took := time.Since(begin); took != want {
				t.Errorf("granted %q seconds, gave up after %v, want %v", granted, took, want)
			}
		})
	}
}
