package deadline

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The mistakes that Due and Extend find.
var (
	// ErrReceived says that it is not known when the subject asked.
	ErrReceived = errors.New("the time of receipt is missing")
	// ErrPauseNotAllowed says that the law does not stop its clock for this ground.
	ErrPauseNotAllowed = errors.New("this law does not stop its clock for this")
	// ErrPause says that a pause lies outside the period or within another one.
	ErrPause = errors.New("pause")
	// ErrExtension says that an extension is not lawful.
	ErrExtension = errors.New("extension")
)

// Pause is a time during which the clock stands still. A zero To is a pause
// that goes on.
type Pause struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to,omitzero"`
	Ground Ground    `json:"ground"`
}

// Facts is what happened to one request.
type Facts struct {
	ReceivedAt time.Time
	Zone       *time.Location // whose days are counted; nil = UTC
	Extended   bool           // the one extension was announced to the subject
	ExtendedAt time.Time
	Reason     string // why, as the notice says
	Pauses     []Pause
}

// Dates is what the law says about one request.
type Dates struct {
	Acknowledge time.Time // zero = the law sets no such time
	Due         time.Time // answer, extension and pauses included
	NoticeBy    time.Time // the last moment to announce an extension; zero = none is possible
	Extended    bool
	Stopped     bool // a pause goes on: Due moves on with every day that it lasts
}

// Ceiling is the latest time at which a wait may end, when so much work must
// follow it.
func (d Dates) Ceiling(remaining time.Duration) time.Time { return d.Due.Add(-max(remaining, 0)) }

// Due computes the dates of a request. While a pause goes on, its days so far
// are not counted: the date can only move away, never come nearer.
func Due(c Clock, f Facts) (Dates, error) {
	if f.ReceivedAt.IsZero() {
		return Dates{}, ErrReceived
	}
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	received := f.ReceivedAt.In(zone)
	last := c.Answer
	if f.Extended {
		last = c.Answer.plus(c.Extension)
	}
	paused, stopped, err := c.paused(received, last.after(received), f.Pauses)
	if err != nil {
		return Dates{}, err
	}
	d := Dates{Due: c.Answer.after(received).Add(paused), Stopped: stopped}
	if !c.Acknowledge.IsZero() {
		d.Acknowledge = c.Acknowledge.after(received)
	}
	if !c.Extension.IsZero() {
		d.NoticeBy = d.Due
	}
	if !f.Extended {
		return d, nil
	}
	// Whether it came in time is judged by the pauses that had begun by then.
	begun := slices.DeleteFunc(slices.Clone(f.Pauses), func(p Pause) bool { return p.From.After(f.ExtendedAt) })
	before, err := Due(c, Facts{ReceivedAt: f.ReceivedAt, Zone: f.Zone, Pauses: begun})
	if err != nil {
		return Dates{}, err
	}
	if err := c.mayExtend(f, received, before.Due); err != nil {
		return Dates{}, err
	}
	d.Extended, d.NoticeBy = true, time.Time{}
	d.Due = last.after(received).Add(paused)
	return d, nil
}

// Extend adds the one extension to the facts of a request.
func Extend(c Clock, f Facts, at time.Time, reason string) (Facts, error) {
	if f.Extended {
		return f, fmt.Errorf("%w under %s: it was extended on %s already, and only one is allowed",
			ErrExtension, c.ID(), f.ExtendedAt.UTC().Format(time.DateOnly))
	}
	next := f
	next.Extended, next.ExtendedAt, next.Reason = true, at, reason
	if _, err := Due(c, next); err != nil {
		return f, err
	}
	return next, nil
}

func (c Clock) mayExtend(f Facts, received, due time.Time) error {
	switch at := f.ExtendedAt; {
	case c.Extension.IsZero():
		return fmt.Errorf("%w under %s: the law knows none", ErrExtension, c.ID())
	case f.Reason == "":
		return fmt.Errorf("%w under %s: the notice to the subject must give a reason", ErrExtension, c.ID())
	case at.Before(received):
		return fmt.Errorf("%w under %s: it was announced before the request was received", ErrExtension, c.ID())
	case at.After(due):
		return fmt.Errorf("%w under %s: it was announced after the due date %s", ErrExtension, c.ID(), due.Format(time.DateOnly))
	}
	return nil
}

// paused sums the pauses, in order of time, and refuses those that the law
// does not allow, that overlap, or that began when the period was over.
func (c Clock) paused(received, due time.Time, pauses []Pause) (time.Duration, bool, error) {
	sorted := slices.Clone(pauses)
	slices.SortStableFunc(sorted, func(a, b Pause) int { return a.From.Compare(b.From) })
	total, stopped := time.Duration(0), false
	end := received
	for _, p := range sorted {
		switch {
		case !slices.Contains(c.Pauses, p.Ground):
			return 0, false, fmt.Errorf("%w: %s, ground %q", ErrPauseNotAllowed, c.ID(), p.Ground)
		case stopped || p.From.Before(end):
			return 0, false, fmt.Errorf("%w from %s: it begins before the receipt or within another pause", ErrPause, p.From.UTC().Format(time.DateOnly))
		case p.From.After(due.Add(total)):
			return 0, false, fmt.Errorf("%w from %s: the period was over", ErrPause, p.From.UTC().Format(time.DateOnly))
		case p.To.IsZero():
			stopped = true
			continue
		case !p.To.After(p.From):
			return 0, false, fmt.Errorf("%w from %s: it ends before it begins", ErrPause, p.From.UTC().Format(time.DateOnly))
		}
		total += p.To.Sub(p.From)
		end = p.To
	}
	return total, stopped, nil
}

func (s Span) plus(o Span) Span {
	return Span{s.Months + o.Months, s.Days + o.Days, s.BusinessDays + o.BusinessDays}
}

// after counts the span from a time, keeping its time of day.
func (s Span) after(t time.Time) time.Time {
	t = addMonths(t, s.Months).AddDate(0, 0, s.Days)
	for n := s.BusinessDays; n > 0; {
		t = t.AddDate(0, 0, 1)
		if d := t.Weekday(); d != time.Saturday && d != time.Sunday {
			n--
		}
	}
	return t
}

// addMonths finds the corresponding date of a later month or, where that month
// is too short, its last day. time.AddDate would run on into the next month.
func addMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, t.Location()).Day()
	return time.Date(y, m+time.Month(n), min(d, last), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}
