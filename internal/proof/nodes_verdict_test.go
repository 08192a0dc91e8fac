package proof

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// onTheWire is how long what a process has written before it was stopped may
// take to reach the org on a busy machine.
const onTheWire = 2 * time.Second

// judgeLate wants no write of a stopped node to reach the org between the stop
// and its first claim after it went on: a later one would belong to a claim that
// was taken over.
func (a *assault) judgeLate(t *testing.T) {
	t.Helper()
	var log []emulator.Call
	a.cluster.org.ask("/log?after=0", &log)
	for _, s := range a.stops {
		var claim sql.NullInt64
		err := a.cluster.db.QueryRowContext(t.Context(), `
			SELECT min(at) FROM decision
			WHERE node = $1 AND kind = 'admit' AND at >= $2 AND convert_from(ruling, 'UTF8')::json->>'ruling' = 'proceed'`,
			s.node, s.till.UnixMilli()).Scan(&claim)
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now()
		if claim.Valid {
			until = time.UnixMilli(claim.Int64)
		}
		for _, c := range log {
			if c.Agent == agent(s.node) && c.Writes > 0 && c.At.After(s.from.Add(onTheWire)) && c.At.Before(until) {
				t.Errorf("late: %s was stopped for %s and sent a write %s after it went on, before it claimed anything",
					s.node, s.till.Sub(s.from).Round(time.Millisecond), c.At.Sub(s.till).Round(time.Millisecond))
			}
		}
	}
}

// judgeRoom checks that the work was shared, and that the org's room was not
// overstepped, by the org's own count.
func (a *assault) judgeRoom(t *testing.T, truth emulator.Truth) {
	t.Helper()
	total := 0
	for name, n := range a.shares {
		if name != "weir" && !strings.HasPrefix(name, "weir/") {
			t.Errorf("a stranger called: %q", name)
		}
		total += n
	}
	for _, m := range a.cluster.nodes {
		n := a.shares[agent(m.names[0])]
		if 100*n < 20*total {
			t.Errorf("%s did %d of %d calls, want at least a fifth", m.names[0], n, total)
		}
	}
	if a.busiest > slots || truth.Busiest > slots {
		t.Errorf("%d calls were open at once before the attacks and %d during them, want at most %d", a.busiest, truth.Busiest, slots)
	}
	limit := truth.Usage[len(truth.Usage)-1].Limit
	if floor := max(2000, limit/20); truth.CallsBelow(floor) > 0 {
		t.Errorf("%d calls were sent at or below the floor of %d", truth.CallsBelow(floor), floor)
	}
}

// judgeJournals wants every journal empty, and counts what was kept in them.
func (a *assault) judgeJournals(t *testing.T) int {
	t.Helper()
	kept := 0
	for _, m := range a.cluster.nodes {
		figures, err := scrape(t.Context(), m.where.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		if figures["weir_journal_outcomes"] != "0" {
			t.Errorf("%s still has %q outcomes in its journal", m.name(), figures["weir_journal_outcomes"])
		}
		text, err := os.ReadFile(m.at.path(m.at.log))
		if err != nil {
			t.Fatal(err)
		}
		kept += strings.Count(string(text), "outcome kept in the journal")
	}
	return kept
}

// judgePackages wants the file of each package to be the one that the ledger
// tells about, although every node may make it.
func (a *assault) judgePackages(t *testing.T, c *customer) {
	t.Helper()
	for _, o := range c.orders {
		if o.right != access {
			continue
		}
		text, err := os.ReadFile(c.weir.path(o.ref + ".age")) // fetched by judgeAccess
		if err != nil {
			t.Fatal(err)
		}
		var want string
		err = a.cluster.db.QueryRowContext(t.Context(), `
			SELECT detail::json->>'package' FROM entry WHERE act = 'request.sealed' AND request = $1`, o.id).Scan(&want)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			t.Errorf("the package of %s is not the one that was certified", o.id)
		}
	}
}

// judgeIntents wants no mutation left in doubt. An embedded store is not asked:
// its steps wait for their intents, so that its requests would not have ended.
func judgeIntents(t *testing.T, dsn string) {
	t.Helper()
	if !strings.HasPrefix(dsn, "postgres") {
		return
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	err = db.QueryRowContext(t.Context(), `SELECT count(*) FROM intent WHERE state = 'OPEN'`).Scan(&open)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if open > 0 {
		t.Errorf("%d intents are open at the end", open)
	}
}
