package demo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/demo"
)

// run shows a demonstration by hand and returns it, still open, with what it
// printed as JSON Lines.
func run(t *testing.T, set func(*demo.Options)) (*demo.Demo, []byte) {
	t.Helper()
	opts := demo.Defaults()
	opts.Dir, opts.Speed, opts.Access, opts.Erasure = filepath.Join(t.TempDir(), "weir-demo"), 0, 1, 3
	if set != nil {
		set(&opts)
	}
	d, err := demo.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(false); err != nil {
			t.Error(err)
		}
	})
	var out bytes.Buffer
	if _, err := d.Run(t.Context(), demo.JSON{To: &out}); err != nil {
		t.Fatal(err)
	}
	return d, out.Bytes()
}

// told is what a demonstration printed, read back.
type told struct {
	start   demo.Start
	events  []demo.Event
	summary demo.Summary
}

func read(t *testing.T, out []byte) told {
	t.Helper()
	var all told
	for line := range bytes.Lines(out) {
		var h demo.Head
		if err := json.Unmarshal(line, &h); err != nil || h.Schema != "weir.demo/v1" {
			t.Fatalf("this is no line of a demonstration: %s (%v)", line, err)
		}
		var err error
		switch h.Type {
		case "start":
			err = json.Unmarshal(line, &all.start)
		case "event":
			var e demo.Event
			err = json.Unmarshal(line, &e)
			all.events = append(all.events, e)
		case "status":
		case "summary":
			err = json.Unmarshal(line, &all.summary)
		default:
			t.Errorf("a line of type %q", h.Type)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if all.summary.Type == "" {
		t.Fatal("no summary was printed")
	}
	return all
}

// TestFiguresAreTrue runs the storm over twenty seeds: every fault kind happens,
// every printed figure is what the store and the org say, nothing is doubled
// and nobody else's record is touched.
func TestFiguresAreTrue(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d, out := run(t, func(o *demo.Options) { o.Seed = seed })
			all := read(t, out)
			checkStore(t, d, all)
			checkOrg(t, d, all)
			checkSilence(t, d, out)
		})
	}
}

// checkStore compares the printed figures with the tables and the ledger.
func checkStore(t *testing.T, d *demo.Demo, all told) {
	t.Helper()
	ctx, s := t.Context(), all.summary
	totals, err := d.Engine().Totals(ctx)
	if err != nil {
		t.Fatal(err)
	}
	a := totals.StepSums
	want := demo.Sum{Accepted: a.Accepted, Done: a.Done, Waiting: a.Waiting, Dead: a.Dead, Cancelled: a.Cancelled, Even: true}
	if diff := cmp.Diff(want, s.Steps); diff != "" {
		t.Errorf("steps (-store +printed):\n%s", diff)
	}
	if diff := cmp.Diff(totals.Requests, s.Requests); diff != "" {
		t.Errorf("requests (-store +printed):\n%s", diff)
	}
	requests, err := d.Engine().Requests(ctx, engine.RequestFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(requests) != 4 || s.Delivered != 1 || s.Certified != 2 || s.Held != 1 || s.ExitCode != 10 {
		t.Errorf("%d requests, %d packages, %d certificates, %d held, exit %d", len(requests), s.Delivered, s.Certified, s.Held, s.ExitCode)
	}
	letters, err := d.Engine().Letters(ctx, engine.LetterFilter{State: weir.LetterOpen})
	if err != nil {
		t.Fatal(err)
	}
	if len(letters) != 1 || s.Letters != 1 || s.Results.Letter == nil || s.Results.Letter.ID != letters[0].ID || letters[0].Release != weir.ReleaseByPerson {
		t.Errorf("exactly one dead letter needs a person: open %d, printed %d (%+v)", len(letters), s.Letters, s.Results.Letter)
	}
	checkLedger(t, d, all)
}

// checkLedger counts the ledger's lines anew.
func checkLedger(t *testing.T, d *demo.Demo, all told) {
	t.Helper()
	rows, err := d.Engine().Since(t.Context(), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	waits, events := map[weir.Category]int{}, map[string]int{}
	throttled, conflicts, packages, certificates := 0, 0, 0, 0
	for _, r := range rows {
		class := weir.Category(r.Entry.Detail[engine.KeyClass])
		switch r.Entry.Act {
		case "step.wait":
			waits[class]++
			if class.Operator() == weir.OpThrottled {
				throttled++
			}
		case "step.conflict":
			conflicts++
		case "request.sealed":
			if r.Entry.Detail["package"] != "" {
				packages++
			} else {
				certificates++
			}
		}
	}
	printed := all.summary.Waits
	if diff := cmp.Diff(waits, printed.Waits); diff != "" {
		t.Errorf("waits (-ledger +printed):\n%s", diff)
	}
	if printed.Throttled != throttled || printed.Conflicts != conflicts || printed.Entries != len(rows) {
		t.Errorf("printed %d throttles, %d conflicts, %d entries; the ledger has %d, %d, %d",
			printed.Throttled, printed.Conflicts, printed.Entries, throttled, conflicts, len(rows))
	}
	if !all.summary.Audit.OK || all.summary.Audit.Entries != int64(len(rows)) {
		t.Errorf("the ledger's verification says %+v of %d entries", all.summary.Audit, len(rows))
	}
	for _, e := range all.events {
		events[e.Kind]++
	}
	if events["package"] != packages || events["certificate"] != certificates {
		t.Errorf("told %d packages and %d certificates; the ledger has %d and %d", events["package"], events["certificate"], packages, certificates)
	}
	for _, kind := range []string{"approval", "wait", "reauth", "conflict", "conflict.applied", "lost-answer", "lost-answer.read-back", "dead-letter", "org.neighbour"} {
		if events[kind] == 0 {
			t.Errorf("nothing was told of kind %q", kind)
		}
	}
}

// checkOrg compares the printed figures with the org's own truth.
func checkOrg(t *testing.T, d *demo.Demo, all told) {
	t.Helper()
	s, truth := all.summary.Org, d.Org().Truth()
	if diff := cmp.Diff(truth.Faults, s.Faults); diff != "" {
		t.Errorf("faults (-org +printed):\n%s", diff)
	}
	seen := map[emulator.Fault]bool{}
	for _, e := range all.events {
		if e.Fault != "" {
			seen[e.Fault] = true
		}
	}
	for _, f := range []emulator.Fault{
		emulator.FaultBurstSeconds, emulator.FaultBurstDate, emulator.FaultBurstBare, emulator.FaultDaily, emulator.FaultConcurrent,
		emulator.FaultAuth, emulator.FaultLostAck, emulator.FaultChanged, emulator.FaultHTML, emulator.FaultRowLock,
	} {
		if truth.Faults[f] == 0 || !seen[f] {
			t.Errorf("fault %s: %d times, told %v", f, truth.Faults[f], seen[f])
		}
	}
	calls, used, neighbours := 0, 0, 0
	for _, c := range d.Org().Log() {
		calls++
		neighbours += max(c.UsedBefore-used, 0)
		used = c.Used
	}
	if s.Calls != calls || s.Logins != truth.Logins || s.Neighbours != neighbours || neighbours == 0 {
		t.Errorf("printed %d calls, %d logins, %d calls of neighbours; the org has %d, %d, %d", s.Calls, s.Logins, s.Neighbours, calls, truth.Logins, neighbours)
	}
	own := 0
	for _, m := range truth.Mutations {
		if !m.Foreign {
			own++
		}
	}
	if s.Writes != own || own == 0 {
		t.Errorf("printed %d writes, the org accepted %d", s.Writes, own)
	}
	if n := len(truth.Doubled()); n > 0 || s.Doubled != n {
		t.Errorf("%d accepted writes were doubled, printed %d", n, s.Doubled)
	}
	if n := len(truth.TouchedOutside(d.Owned())); n > 0 || s.Foreign != n {
		t.Errorf("%d records of others were touched, printed %d", n, s.Foreign)
	}
	if truth.Early > 0 || s.Early != truth.Early || s.BelowFloor > 0 {
		t.Errorf("%d calls before a promised time (printed %d), %d below the floor", truth.Early, s.Early, s.BelowFloor)
	}
}

// checkSilence looks for people in what was printed.
func checkSilence(t *testing.T, d *demo.Demo, out []byte) {
	t.Helper()
	text := strings.ToLower(string(out))
	for _, who := range d.Org().Subjects() {
		for _, canary := range []string{who.Email, who.Name} {
			if strings.Contains(text, strings.ToLower(canary)) {
				t.Error("a subject's name or address was printed")
			}
		}
	}
	for _, part := range []string{"example.org", "example.com", "example.net", "+44 20"} {
		if strings.Contains(text, part) {
			t.Errorf("something of a record was printed: %q", part)
		}
	}
}
