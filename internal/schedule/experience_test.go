package schedule_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/schedule"
)

func TestLeft(t *testing.T) {
	var taught schedule.Experience
	for range 40 {
		taught = taught.Learn(30, 20, 0, 0) // plans say two thirds of the truth
	}
	for _, c := range []struct {
		name          string
		e             schedule.Experience
		made, planned int64
		want          int64
	}{
		{"no plan, nothing learnt", schedule.Experience{}, 0, 0, 20},
		{"no plan, more made than usual", schedule.Experience{}, 100, 0, 5},
		{"a plan", schedule.Experience{}, 5, 19, 14},
		{"a plan that is used up", schedule.Experience{}, 30, 19, 3},
		{"a small one that is used up", schedule.Experience{}, 5, 5, 1},
		{"no plan, but experience", taught, 0, 0, 30},
		{"a plan, corrected", taught, 5, 20, 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.e.Left(c.made, c.planned); got != c.want {
				t.Errorf("%d calls are left, want %d", got, c.want)
			}
		})
	}
}

// TestForecastsAreCalibrated: finishes come between the tenth and the
// ninetieth percentile in about 80 % of the cases, also when forecasts are
// biased and the bias changes.
func TestForecastsAreCalibrated(t *testing.T) {
	for _, c := range []struct {
		name string
		bias func(i int) float64
	}{
		{"unbiased", func(int) float64 { return 1 }},
		{"always too early", func(int) float64 { return 1.8 }},
		{"the org becomes slower", func(i int) float64 { return 1 + float64(i)/1000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(7, 7))
			var e schedule.Experience
			inside, counted := 0, 0
			for i := range 1000 {
				foreseen := time.Duration(1+dice.IntN(100)) * time.Hour
				took := time.Duration(float64(foreseen) * c.bias(i) * math.Exp(dice.NormFloat64()*0.4))
				if i >= 50 {
					counted++
					from, to := e.Quantile(start, start.Add(foreseen), 100), e.Quantile(start, start.Add(foreseen), 900)
					if finish := start.Add(took); !finish.Before(from) && !finish.After(to) {
						inside++
					}
				}
				e = e.Learn(20, 20, took, foreseen)
			}
			share := float64(inside) / float64(counted)
			t.Logf("%.3f of the finishes came between p10 and p90", share)
			if share < 0.8 || share > 0.87 {
				t.Errorf("%.3f of the finishes came between p10 and p90, want 0.8", share)
			}
		})
	}
}

// A wait without an end in sight lies beyond every forecast, and not before now.
func TestNoForecastOverflows(t *testing.T) {
	var e schedule.Experience
	for _, away := range []time.Duration{200 * 365 * 24 * time.Hour, math.MaxInt64} {
		if p95 := e.Quantile(start, start.Add(away), 950); p95.Before(start.AddDate(1, 0, 0)) {
			t.Errorf("%s away, the forecast is %s", away, p95)
		}
	}
}
