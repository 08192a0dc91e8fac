package deadline_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata" // a machine without zones shall not skip a test

	"pgregory.net/rapid"

	"github.com/weirhq/weir/internal/deadline"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func clock(t *testing.T, law string) deadline.Clock {
	t.Helper()
	c, err := deadline.Lookup(law)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDueDates(t *testing.T) {
	for _, c := range []struct {
		name, law, received    string
		extended               string
		pauses                 [][3]string // from, to, ground
		due, acknowledge, note string
	}{
		{name: "plain month", law: "gdpr", received: "2026-11-20 10:30", due: "2026-12-20 10:30", note: "2026-12-20 10:30"},
		{name: "month end", law: "gdpr", received: "2026-01-31 09:00", due: "2026-02-28 09:00", note: "2026-02-28 09:00"},
		{name: "leap February", law: "gdpr", received: "2028-01-31 09:00", due: "2028-02-29 09:00", note: "2028-02-29 09:00"},
		{name: "30th in a leap year", law: "gdpr", received: "2028-01-30 00:00", due: "2028-02-29 00:00", note: "2028-02-29 00:00"},
		{name: "century without a leap day", law: "gdpr", received: "2100-01-31 09:00", due: "2100-02-28 09:00", note: "2100-02-28 09:00"},
		{name: "from the leap day", law: "gdpr", received: "2028-02-29 23:59", due: "2028-03-29 23:59", note: "2028-03-29 23:59"},
		{name: "31 to 30", law: "gdpr", received: "2026-05-31 12:00", due: "2026-06-30 12:00", note: "2026-06-30 12:00"},
		{name: "over the year", law: "gdpr", received: "2026-12-31 12:00", due: "2027-01-31 12:00", note: "2027-01-31 12:00"},
		{
			name: "extended: three months from receipt, not two from a short month", law: "gdpr",
			received: "2026-01-31 09:00", extended: "2026-02-28 09:00", due: "2026-04-30 09:00",
		},
		{
			name: "extended into a leap February", law: "gdpr",
			received: "2027-11-30 09:00", extended: "2027-12-30 09:00", due: "2028-02-29 09:00",
		},
		{
			name: "identity asked for", law: "gdpr", received: "2026-03-01 08:00",
			pauses: [][3]string{{"2026-03-03 08:00", "2026-03-08 08:00", "identity"}},
			due:    "2026-04-06 08:00", note: "2026-04-06 08:00",
		},
		{
			name: "two pauses out of order", law: "uk-gdpr", received: "2026-03-01 08:00",
			pauses: [][3]string{{"2026-03-20 08:00", "2026-03-21 08:00", "fee"}, {"2026-03-03 08:00", "2026-03-05 08:00", "clarification"}},
			due:    "2026-04-04 08:00", note: "2026-04-04 08:00",
		},
		{
			name: "extended in the days that a pause had won", law: "gdpr", received: "2026-03-01 08:00", extended: "2026-04-03 08:00",
			pauses: [][3]string{{"2026-03-03 08:00", "2026-03-08 08:00", "identity"}}, due: "2026-06-06 08:00",
		},
		{
			name: "California", law: "ccpa", received: "2026-11-20 10:30",
			due: "2027-01-04 10:30", acknowledge: "2026-12-04 10:30", note: "2027-01-04 10:30",
		},
		{
			name: "California over a leap day", law: "ccpa", received: "2028-01-31 09:00",
			due: "2028-03-16 09:00", acknowledge: "2028-02-14 09:00", note: "2028-03-16 09:00",
		},
		{
			name: "California from a Saturday", law: "ccpa", received: "2026-11-21 10:00",
			due: "2027-01-05 10:00", acknowledge: "2026-12-04 10:00", note: "2027-01-05 10:00",
		},
		{
			name: "California extended: 90 days in all", law: "ccpa", received: "2026-01-01 00:00", extended: "2026-02-15 00:00",
			due: "2026-04-01 00:00", acknowledge: "2026-01-15 00:00",
		},
		{name: "opt-out in business days", law: "ccpa-opt-out", received: "2026-11-20 10:00", due: "2026-12-11 10:00"},
		{name: "Brazil", law: "lgpd", received: "2026-11-20 10:00", due: "2026-12-05 10:00"},
		{name: "Virginia", law: "vcdpa", received: "2026-11-20 10:00", due: "2027-01-04 10:00", note: "2027-01-04 10:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := deadline.Facts{ReceivedAt: day(t, c.received)}
			if c.extended != "" {
				f.Extended, f.ExtendedAt, f.Reason = true, day(t, c.extended), "complexity"
			}
			for _, p := range c.pauses {
				f.Pauses = append(f.Pauses, deadline.Pause{From: day(t, p[0]), To: day(t, p[1]), Ground: deadline.Ground(p[2])})
			}
			d, err := deadline.Due(clock(t, c.law), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range []struct {
				what string
				got  time.Time
				want string
			}{{"due", d.Due, c.due}, {"acknowledge", d.Acknowledge, c.acknowledge}, {"notice", d.NoticeBy, c.note}} {
				if x.want == "" && !x.got.IsZero() || x.want != "" && !x.got.Equal(day(t, x.want)) {
					t.Errorf("%s is %v, want %s", x.what, x.got, x.want)
				}
			}
			if got, want := d.Ceiling(36*time.Hour), d.Due.Add(-36*time.Hour); !got.Equal(want) {
				t.Errorf("ceiling %v, want %v", got, want)
			}
		})
	}
}

func TestDueCountsTheDaysOfTheZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// 23:30 UTC on 31 January is 1 February in Berlin: a day more for everybody.
	d, err := deadline.Due(clock(t, "gdpr"), deadline.Facts{ReceivedAt: day(t, "2026-01-31 23:30"), Zone: berlin})
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 3, 1, 0, 30, 0, 0, berlin); !d.Due.Equal(want) {
		t.Errorf("due %v, want %v", d.Due, want)
	}
	// Summer time begins between: the time of day stays.
	d, err = deadline.Due(clock(t, "gdpr"), deadline.Facts{ReceivedAt: time.Date(2026, 3, 10, 9, 0, 0, 0, berlin), Zone: berlin})
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 4, 10, 9, 0, 0, 0, berlin); !d.Due.Equal(want) {
		t.Errorf("due %v, want %v", d.Due, want)
	}
}

func TestAPauseThatGoesOn(t *testing.T) {
	f := deadline.Facts{
		ReceivedAt: day(t, "2026-03-01 08:00"),
		Pauses:     []deadline.Pause{{From: day(t, "2026-03-03 08:00"), Ground: deadline.GroundIdentity}},
	}
	d, err := deadline.Due(clock(t, "gdpr"), f)
	if err != nil || !d.Stopped || !d.Due.Equal(day(t, "2026-04-01 08:00")) {
		t.Errorf("due %v, stopped %v, error %v; the date must not count days that have not passed", d.Due, d.Stopped, err)
	}
}

func TestWhatTheLawRefuses(t *testing.T) {
	received := day(t, "2026-03-01 08:00")
	pause := func(from, to, ground string) []deadline.Pause {
		return []deadline.Pause{{From: day(t, from), To: day(t, to), Ground: deadline.Ground(ground)}}
	}
	for _, c := range []struct {
		name, law string
		f         deadline.Facts
		want      error
	}{
		{"no receipt", "gdpr", deadline.Facts{}, deadline.ErrReceived},
		{"California never pauses", "ccpa", deadline.Facts{Pauses: pause("2026-03-03 08:00", "2026-03-08 08:00", "identity")}, deadline.ErrPauseNotAllowed},
		{"no pause for a fee in the EU", "gdpr", deadline.Facts{Pauses: pause("2026-03-03 08:00", "2026-03-08 08:00", "fee")}, deadline.ErrPauseNotAllowed},
		{"pause before receipt", "gdpr", deadline.Facts{Pauses: pause("2026-02-03 08:00", "2026-03-08 08:00", "identity")}, deadline.ErrPause},
		{"pause after the period", "gdpr", deadline.Facts{Pauses: pause("2026-04-03 08:00", "2026-04-08 08:00", "identity")}, deadline.ErrPause},
		{"pause backwards", "gdpr", deadline.Facts{Pauses: pause("2026-03-08 08:00", "2026-03-03 08:00", "identity")}, deadline.ErrPause},
		{"pauses overlap", "uk-gdpr", deadline.Facts{Pauses: append(pause("2026-03-03 08:00", "2026-03-08 08:00", "identity"), pause("2026-03-05 08:00", "2026-03-09 08:00", "fee")...)}, deadline.ErrPause},
		{"a pause after one that goes on", "gdpr", deadline.Facts{Pauses: append([]deadline.Pause{{From: day(t, "2026-03-03 08:00"), Ground: "identity"}}, pause("2026-03-05 08:00", "2026-03-09 08:00", "identity")...)}, deadline.ErrPause},
		{"no extension in Brazil", "lgpd", deadline.Facts{Extended: true, ExtendedAt: day(t, "2026-03-02 08:00"), Reason: "x"}, deadline.ErrExtension},
		{"extension without a reason", "gdpr", deadline.Facts{Extended: true, ExtendedAt: day(t, "2026-03-02 08:00")}, deadline.ErrExtension},
		{"extension too late", "gdpr", deadline.Facts{Extended: true, ExtendedAt: day(t, "2026-04-02 08:00"), Reason: "x"}, deadline.ErrExtension},
		{"extension before receipt", "ccpa", deadline.Facts{Extended: true, ExtendedAt: day(t, "2026-02-02 08:00"), Reason: "x"}, deadline.ErrExtension},
		{
			"a pause in the extension does not excuse a late notice", "gdpr",
			deadline.Facts{
				Extended: true, ExtendedAt: day(t, "2026-04-02 08:00"), Reason: "x",
				Pauses: pause("2026-04-03 08:00", "2026-04-20 08:00", "identity"),
			},
			deadline.ErrExtension,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want != deadline.ErrReceived { //nolint:errorlint // a table's marker, not a returned error
				c.f.ReceivedAt = received
			}
			if _, err := deadline.Due(clock(t, c.law), c.f); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestOnlyOneExtension(t *testing.T) {
	c, f := clock(t, "gdpr"), deadline.Facts{ReceivedAt: day(t, "2026-03-01 08:00")}
	f, err := deadline.Extend(c, f, day(t, "2026-03-20 08:00"), "many records")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := deadline.Due(c, f); err != nil || !d.Due.Equal(day(t, "2026-06-01 08:00")) {
		t.Errorf("due %v, error %v", d.Due, err)
	}
	if _, err := deadline.Extend(c, f, day(t, "2026-03-21 08:00"), "more"); !errors.Is(err, deadline.ErrExtension) {
		t.Errorf("a second extension: %v", err)
	}
	if g, err := deadline.Extend(c, deadline.Facts{ReceivedAt: day(t, "2026-03-01 08:00")}, day(t, "2026-05-01 08:00"), "late"); err == nil || g.Extended {
		t.Errorf("a late extension: %+v, %v", g, err)
	}
}

func TestLookup(t *testing.T) {
	for _, law := range append(deadline.Laws(), "gdpr@2018-05-25") {
		c := clock(t, law)
		if c.Answer.IsZero() || c.Version == "" || c.Source == "" || c.Name == "" {
			t.Errorf("%s is incomplete: %+v", law, c)
		}
		if exact := clock(t, c.ID()); exact.ID() != c.ID() {
			t.Errorf("%s finds %s", c.ID(), exact.ID())
		}
	}
	for _, law := range []string{"", "gdpr@1999-01-01", "GDPR", "@", "hammurabi"} {
		if _, err := deadline.Lookup(law); !errors.Is(err, deadline.ErrUnknownLaw) {
			t.Errorf("law %q: %v", law, err)
		}
	}
	if got := (deadline.Span{Months: 1}).String() + ", " + (deadline.Span{Days: 45}).String() + ", " + (deadline.Span{}).String(); got != "1 month, 45 days, none" {
		t.Errorf("spans read %q", got)
	}
}

func TestDatesOfEveryLaw(t *testing.T) {
	clocks := deadline.Clocks()
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(clocks).Draw(t, "clock")
		received := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "received"), 0).UTC()
		d, err := deadline.Due(c, deadline.Facts{ReceivedAt: received})
		if err != nil {
			t.Fatal(err)
		}
		if !d.Due.After(received) || d.Due.Sub(received) > 50*24*time.Hour {
			t.Fatalf("received %v, due %v", received, d.Due)
		}
		if !d.Acknowledge.IsZero() && (!d.Acknowledge.After(received) || d.Acknowledge.After(d.Due)) {
			t.Fatalf("acknowledge %v", d.Acknowledge)
		}
		if c.Extension.IsZero() {
			return
		}
		at := received.Add(time.Duration(rapid.Int64Range(0, int64(d.Due.Sub(received))).Draw(t, "announced")))
		f, err := deadline.Extend(c, deadline.Facts{ReceivedAt: received}, at, "complexity")
		if err != nil {
			t.Fatal(err)
		}
		longer, err := deadline.Due(c, f)
		if err != nil || !longer.Due.After(d.Due) {
			t.Fatalf("extended to %v from %v: %v", longer.Due, d.Due, err)
		}
		if len(c.Pauses) == 0 {
			return
		}
		from := received.Add(time.Duration(rapid.Int64Range(0, int64(d.Due.Sub(received))).Draw(t, "from")))
		long := time.Duration(rapid.Int64Range(1, int64(400*24*time.Hour)).Draw(t, "long"))
		p, err := deadline.Due(c, deadline.Facts{ReceivedAt: received, Pauses: []deadline.Pause{{From: from, To: from.Add(long), Ground: c.Pauses[0]}}})
		if err != nil || p.Due.Sub(d.Due) != long {
			t.Fatalf("a pause of %v moved %v to %v: %v", long, d.Due, p.Due, err)
		}
	})
}
