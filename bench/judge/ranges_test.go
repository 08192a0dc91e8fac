package judge

import (
	"flag"
	"io"
	"strings"
	"testing"
	"time"
)

// TestStatedDraws: figures are published with the seeds that they belong to, so
// that a seed means the same org for ever.
func TestStatedDraws(t *testing.T) {
	for name, want := range map[string]string{
		"fixed":       "rate 9.5 burst 54 trip 523ms",
		"fixed+ra":    "rate 12.6 burst 32 trip 1.75s",
		"steps":       "rate 60.4 burst 87 trip 21ms down 0.43 up 1.61",
		"steps+ra":    "rate 63.1 burst 16 trip 48ms down 0.32 up 1.95",
		"bursty":      "rate 116.6 burst 4 trip 27ms on 66.8s off 170.7s",
		"cap":         "cap 2 trip 183ms",
		"herd":        "rate 42.1 burst 2 trip 69ms, shut after 2m29s for 13s",
		"chance":      "11.7% refused by chance, trip 1.593s",
		"chance+rate": "19.6% refused by chance, trip 136ms rate 11.8 burst 386",
		"chance+idle": "0.9% refused by chance, trip 382ms one call in 5.101s",
		"daily":       "limit 40000 floor 2000 neighbours 33% wave 0.7 batch 218 calls 6022",
	} {
		if got := Draw(name, 1, Stated()).Text; got != want {
			t.Errorf("seed 1 of %s is %q and was %q", name, got, want)
		}
	}
}

// read parses arguments as the tests do theirs.
func read(t *testing.T, args ...string) (Ranges, error) {
	t.Helper()
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	ranges := Flags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return ranges()
}

func TestFlags(t *testing.T) {
	if in, err := read(t); err != nil || in != Stated() {
		t.Errorf("without a flag the ranges are %+v, %v", in, err)
	}
	in, err := read(t, "-rate", "3,4", "-burst", "7", "-onoff", "5,6", "-trip", "1s,90s", "-cap", "3,5", "-chance", "0.1",
		"-neighbours", "0.2,0.3", "-limit", "15000", "-workers", "2", "-calls", "60")
	want := Ranges{
		Rate: [2]float64{3, 4}, Burst: [2]float64{7, 7}, OnOff: [2]float64{5, 6}, Trip: [2]time.Duration{time.Second, 90 * time.Second},
		Cap: [2]int{3, 5}, Chance: [2]float64{0.1, 0.1}, Neighbours: [2]float64{0.2, 0.3}, Limit: 15_000, Workers: 2, Calls: 60,
	}
	if err != nil || in != want {
		t.Errorf("the ranges are %+v, %v", in, err)
	}
	for seed := range uint64(20) {
		sc := Draw("cap", seed, in)
		if sc.Cap < 3 || sc.Cap > 5 || sc.Trip < time.Second || sc.Trip > 90*time.Second || sc.Calls != 60 {
			t.Errorf("outside of the ranges: %d calls, %s", sc.Calls, sc.Text)
		}
		if n := Draw("daily", seed, in).Neighbours; n.Limit != 15_000 || n.Floor != 2000 || n.Share != 6000 {
			t.Errorf("limit %d floor %d share %d", n.Limit, n.Floor, n.Share)
		}
	}
}

// TestFlagsRefused: what makes no scenario is refused by the name of its flag.
func TestFlagsRefused(t *testing.T) {
	for _, bad := range []string{
		"-rate=0,5", "-rate=5,1", "-rate=-1,1", "-rate=x", "-rate=", "-rate=1,2,3", "-rate=NaN", "-rate=1,Inf",
		"-burst=0.4,3", "-onoff=0,1", "-trip=20", "-trip=0s,1s", "-trip=2s,1s", "-cap=0,2", "-cap=1.5", "-chance=0,0.1",
		"-chance=0.5,1", "-neighbours=-0.1,0.5", "-neighbours=0,1.5", "-limit=0", "-limit=many", "-workers=0", "-calls=-1",
	} {
		name, _, _ := strings.Cut(bad, "=")
		if _, err := read(t, bad); err == nil || !strings.HasPrefix(err.Error(), name+" ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
