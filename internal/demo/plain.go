package demo

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Plain tells a demonstration as lines, each with the wall's time and the
// demonstration's.
type Plain struct {
	To      io.Writer
	Version string

	born time.Time
}

// Start implements Teller.
func (p *Plain) Start(s Start) error {
	p.born = s.At
	return write(p.To, []byte(p.header(s)))
}

func (p *Plain) header(s Start) string {
	var b strings.Builder
	fmt.Fprintf(&b, "weir %s  demo org %q: emulator, seed %d, scenario %s\n", p.Version, s.Org, s.Seed, s.Scenario)
	fmt.Fprintf(&b, "  %s\n", s.Story)
	fmt.Fprintf(&b, "  %s records: %s contacts, %s leads, %s cases, %s e-mails …\n", number(int64(s.Records)),
		number(int64(s.Objects["Contact"])), number(int64(s.Objects["Lead"])), number(int64(s.Objects["Case"])), number(int64(s.Objects["EmailMessage"])))
	fmt.Fprintf(&b, "  %s calls a day, shared with others; the recycle bin lags %.0f h\n", number(int64(s.DailyLimit)), s.RecycleLag/3600)
	fmt.Fprintf(&b, "  %s, %s; %s submits, %s approves; no network\n", plural(s.Access, "access request", "access requests"), plural(s.Erasure, "erasure", "erasures"), clerk, approver)
	fmt.Fprintf(&b, "  clock: %s\n", speedText(s.Speed))
	fmt.Fprintf(&b, "  every verb works meanwhile: -c %s\n\n", shell(s.Config))
	return b.String()
}

func speedText(speed float64) string {
	if speed == 0 {
		return "no wait is waited for"
	}
	return "a second is " + span(seconds(min(workingSpeed, speed))) + " at work, " + span(seconds(speed)) + " while everything waits"
}

// Event implements Teller.
func (p *Plain) Event(e Event) error {
	return write(p.To, []byte(p.line(e)+"\n"))
}

func (p *Plain) line(e Event) string {
	return fmt.Sprintf("%s  %6s  %s", clockText(e.Wall), hours(e.At.Sub(p.born)), e.Text)
}

// clockText writes wall seconds as minutes and seconds.
func clockText(wall float64) string {
	return fmt.Sprintf("%02d:%02d", int(wall)/60, int(wall)%60)
}

// hours writes the demonstration's time since its start.
func hours(d time.Duration) string {
	d = max(d, 0)
	return fmt.Sprintf("+%dh%02d", int(d.Hours()), int(d.Minutes())%60)
}

// Status implements Teller: lines are for what happens, not for where it stands.
func (p *Plain) Status(Status) error { return nil }

// Summary implements Teller.
func (p *Plain) Summary(s Summary) error {
	var b bytes.Buffer
	p.figures(&b, s)
	p.results(&b, s.Results)
	return write(p.To, b.Bytes())
}

func (p *Plain) figures(b *bytes.Buffer, s Summary) {
	total := 0
	for _, n := range s.Requests {
		total += n
	}
	fmt.Fprintf(b, "\n%s in %s, which were %s on the demo's clock\n", plural(total, "request", "requests"), span(seconds(s.WallSeconds)), span(seconds(s.DemoSeconds)))
	fmt.Fprintf(b, "  requests  %s delivered, %s proven and certified, %s held by %s\n",
		plural(s.Delivered, "access package", "access packages"), plural(s.Certified, "erasure", "erasures"), number(int64(s.Held)), plural(s.Letters, "dead letter", "dead letters"))
	fmt.Fprintf(b, "  org       %s calls from us, %s refused; %s by its other integrations\n",
		number(int64(s.Org.Calls)), number(int64(s.Org.Refused)), plural(s.Org.Neighbours, "call", "calls"))
	for _, line := range faultLines(s) {
		fmt.Fprintf(b, "            %s\n", line)
	}
	fmt.Fprintf(b, "            sent below the business floor: %d\n", s.Org.BelowFloor)
	fmt.Fprintf(b, "  writes    %s accepted, %d doubled, %d on records of others\n", number(int64(s.Org.Writes)), s.Org.Doubled, s.Org.Foreign)
	fmt.Fprintf(b, "            %s planned again, %s\n", plural(s.Waits.Conflicts, "conflict", "conflicts"), plural(s.Waits.Lost, "read-back after a lost answer", "read-backs after lost answers"))
	all := 0
	for _, n := range s.Waits.Waits {
		all += n
	}
	fmt.Fprintf(b, "  waits     %s, all durable, %s of them throttles; longest %s (%s)\n", number(int64(all)), number(int64(s.Waits.Throttled)), span(seconds(s.Waits.Longest)), s.Waits.LongestOf)
	fmt.Fprintf(b, "  steps     %s accepted = %s done + %d waiting + %d dead + %d cancelled\n", number(s.Steps.Accepted), number(s.Steps.Done), s.Steps.Waiting, s.Steps.Dead, s.Steps.Cancelled)
	fmt.Fprintf(b, "  ledger    %s entries, %s\n", number(s.Audit.Entries), verdict(s.Audit.OK))
}

// faultLines lists what went wrong with calls, by the org's log, a few to a line.
func faultLines(s Summary) []string {
	var lines []string
	line := ""
	for _, f := range slices.Sorted(maps.Keys(s.Org.Faults)) {
		item := fmt.Sprintf("%s %d", f, s.Org.Faults[f])
		switch {
		case line == "":
			line = item
		case len([]rune(line))+len(item) > 84:
			lines, line = append(lines, line), item
		default:
			line += " · " + item
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func verdict(ok bool) string {
	if ok {
		return "verified"
	}
	return "NOT VERIFIED"
}

func (p *Plain) results(b *bytes.Buffer, r Results) {
	fmt.Fprintln(b)
	if r.Package != nil {
		fmt.Fprintf(b, "access package  %s\n", r.Package.File)
		fmt.Fprintf(b, "                %s, %s bytes, encrypted to its reader; open it with\n", plural(int(r.Package.Records), "record", "records"), number(r.Package.Size))
		fmt.Fprintf(b, "  $ %s\n", r.Package.Open)
	}
	if r.Certificate != nil {
		fmt.Fprintf(b, "certificate     %s, readable beside it as .html\n", r.Certificate.File)
		fmt.Fprintf(b, "                what was done to %s, signed; verify it offline with\n", plural(r.Certificate.Records, "record", "records"))
		fmt.Fprintf(b, "  $ %s\n", r.Certificate.Verify)
	}
	if r.Letter != nil {
		fmt.Fprintf(b, "dead letter     %s  %s  %s %s  %s %s\n", r.Letter.ID, r.Letter.Request, r.Letter.Class, r.Letter.Code, r.Letter.Kind, r.Letter.Object)
		fmt.Fprintf(b, "                needs a person; look at it, then decide\n")
		fmt.Fprintf(b, "  $ %s\n  $ %s\n", r.Letter.Show, r.Letter.Resolve)
	}
	for _, c := range r.Next {
		fmt.Fprintf(b, "  $ %s\n", c)
	}
}
