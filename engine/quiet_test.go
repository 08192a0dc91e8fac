package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
)

func zone(t failing, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// failing is what a test and a property have in common.
type failing interface {
	Helper()
	Fatal(args ...any)
}

// TestQuietHoursTurn looks at days on which Berlin's clocks jump: on 29 March
// from two to three, on 25 October from three to two.
func TestQuietHoursTurn(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for _, c := range []struct {
		name        string
		from, until int
		now, want   string // UTC
		quiet       bool
	}{
		{"in winter", 60, 300, "2026-01-10T12:00:00Z", "2026-01-11T00:00:00Z", false},
		{"in summer", 60, 300, "2026-07-10T12:00:00Z", "2026-07-10T23:00:00Z", false},
		{"within", 60, 300, "2026-07-10T23:00:00Z", "2026-07-11T03:00:00Z", true},
		{"past midnight", 1350, 300, "2026-01-10T22:00:00Z", "2026-01-11T04:00:00Z", true},
		{"its end is skipped", 60, 150, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", true},
		{"its beginning is skipped", 150, 300, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", false},
		{"behind the jump", 300, 360, "2026-03-29T00:30:00Z", "2026-03-29T03:00:00Z", false},
		{"behind the one back", 300, 360, "2026-10-24T23:30:00Z", "2026-10-25T04:00:00Z", false},
		{"its end comes twice", 60, 150, "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z", true},
		{"it begins again with the jump", 60, 150, "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z", false},
		{"and ends a second time", 60, 150, "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			q := &engine.QuietHours{Zone: berlin, From: c.from, Until: c.until}
			if got := q.Turns(now).Format(time.RFC3339); got != c.want || q.At(now) != c.quiet {
				t.Errorf("quiet %v, and turns at %s; want %v and %s", q.At(now), got, c.quiet, c.want)
			}
		})
	}
	var none *engine.QuietHours
	if none.At(time.Now()) || !none.Turns(time.Now()).IsZero() {
		t.Error("an org without quiet hours has some")
	}
}

// TestQuietHoursMinuteByMinute compares with a look at every minute until the
// next turn, in zones with odd offsets and jumps of half an hour.
func TestQuietHoursMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"}).Draw(t, "zone")
		q := &engine.QuietHours{Zone: zone(t, name), From: rapid.IntRange(0, 1439).Draw(t, "from"), Until: rapid.IntRange(0, 1439).Draw(t, "until")}
		if q.From == q.Until {
			return
		}
		day := rapid.SampledFrom([]time.Time{ // some of them before the clocks jump
			time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC),
		}).Draw(t, "day")
		now := day.Add(time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "now")))
		want := now.Truncate(time.Minute).Add(time.Minute)
		for q.At(want) == q.At(now) {
			want = want.Add(time.Minute)
		}
		if got := q.Turns(now); !got.Equal(want) {
			t.Fatalf("%d to %d in %s: at %s it turns %s, want %s", q.From, q.Until, name, now.In(q.Zone), got, want)
		}
	})
}

// The share of the day is used up in the afternoon. Where more is weir's at
// night, the rest is done when the night begins; where nothing may go then, not
// one call is sent before it ends.
func TestQuietHoursHaveAShareOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		name       string
		day, quiet int // calls of 1000
		after      time.Duration
		within     time.Duration
	}{
		{"more at night", 10, 100, 10 * time.Hour, 10*time.Hour + 5*time.Minute},
		{"nothing before noon", 100, 0, 0, 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := scarce(2)
				s.gov = func(p *governor.Policy) { p.Share, p.QuietShare, p.FloorCalls, p.FloorShare = c.day, c.quiet, 100, 0 }
				w := newWorld(t, s) // it is midnight, UTC
				w.options.Orgs[0].Quiet = &engine.QuietHours{Zone: time.UTC, From: 22 * 60, Until: 12 * 60}
				if err := w.engine.Close(); err != nil {
					t.Fatal(err)
				}
				w.open()
				time.Sleep(12*time.Hour - time.Minute)
				if c.quiet == 0 {
					_, err := w.engine.TestOrg(t.Context(), acme) // the org tells its limit
					if err != nil {
						t.Fatal(err)
					}
				} else {
					time.Sleep(time.Minute)
					w.spend()
				}
				calls := len(w.org.Log())
				first, second := w.submitReceived(weir.Access, 0, yesterday()), w.submit(weir.Access, 1)
				w.settle()
				if sent := len(w.org.Log()) - calls; c.quiet == 0 && sent > 0 {
					t.Errorf("%d calls were sent in hours in which nothing may go", sent)
				}
				noon := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
				for time.Until(noon.Add(c.after)) > time.Minute {
					w.settle()
					time.Sleep(time.Minute)
				}
				if r, err := w.engine.Request(t.Context(), second.ID); err != nil || r.Stage == weir.Delivered {
					t.Errorf("it was done before: %s %v", r.Stage, err)
				}
				for _, r := range []weir.Request{first, second} {
					w.until(r.ID, time.Until(noon.Add(c.within)), weir.Delivered)
				}
				w.explainAll(second.ID)
				st, err := w.engine.Limits(t.Context(), acme)
				share := map[bool]int{true: c.quiet, false: c.day}[c.after > 0]
				if err != nil || st.Quiet != (c.after > 0) || st.TurnsAt.IsZero() || st.View.Share != int64(share) {
					t.Errorf("limits: quiet %v until %s, share %d: %v", st.Quiet, st.TurnsAt, st.View.Share, err)
				}
			})
		})
	}
}
