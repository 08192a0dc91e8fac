//go:build !race

package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// hangScales makes the database itself refuse every commit after which the
// sums are not even: triggers keep what is owed, and a deferred foreign key,
// which SQLite checks at COMMIT, allows to owe nothing only. Three pans hang
// there: steps and requests (accepted less those that are in a known state),
// and letters (dead steps less open letters). A fourth rule refuses each move of a
// step or a request that is not in the tables of package weir.
func (w *world) hangScales() {
	w.t.Helper()
	var ddl strings.Builder
	ddl.WriteString(`
		CREATE TABLE even (owed INTEGER PRIMARY KEY NOT NULL);
		INSERT INTO even VALUES (0);
		CREATE TABLE pan (
			name TEXT PRIMARY KEY NOT NULL,
			owed INTEGER NOT NULL REFERENCES even (owed) DEFERRABLE INITIALLY DEFERRED
		);
		CREATE TABLE edge (what TEXT, a TEXT, b TEXT, PRIMARY KEY (what, a, b));`)
	pan(&ddl, "step", "state", words(weir.StepStates()))
	pan(&ddl, "request", "stage", words(weir.Stages()))
	for _, s := range weir.StepStates() {
		for _, v := range weir.Verdicts() {
			if to, err := s.Next(v); err == nil {
				fmt.Fprintf(&ddl, `INSERT OR IGNORE INTO edge VALUES ('step', '%s', '%s');`, s, to)
			}
		}
	}
	for _, s := range weir.Stages() {
		for _, v := range weir.Events() {
			if to, err := s.Next(v); err == nil {
				fmt.Fprintf(&ddl, `INSERT OR IGNORE INTO edge VALUES ('request', '%s', '%s');`, s, to)
			}
		}
	}
	const dead = `IN ('DEAD', 'ESCALATED')`
	ddl.WriteString(`
		INSERT INTO pan VALUES ('letter', 0);
		CREATE TRIGGER dead_step AFTER UPDATE OF state ON step BEGIN
			UPDATE pan SET owed = owed + (NEW.state ` + dead + `) - (OLD.state ` + dead + `) WHERE name = 'letter'; END;
		CREATE TRIGGER new_letter AFTER INSERT ON letter WHEN NEW.state = 'OPEN' BEGIN
			UPDATE pan SET owed = owed - 1 WHERE name = 'letter'; END;
		CREATE TRIGGER moved_letter AFTER UPDATE OF state ON letter BEGIN
			UPDATE pan SET owed = owed - (NEW.state = 'OPEN') + (OLD.state = 'OPEN') WHERE name = 'letter'; END;`)
	w.exec(ddl.String())
}

// pan hangs the scale of one table: what was accepted less the rows whose
// state is known.
func pan(ddl *strings.Builder, table, column, known string) {
	fmt.Fprintf(ddl, `
		INSERT INTO pan VALUES ('%[1]s', 0);
		CREATE TRIGGER %[1]s_in AFTER INSERT ON %[1]s WHEN NEW.%[2]s IN (%[3]s) BEGIN
			UPDATE pan SET owed = owed - 1 WHERE name = '%[1]s'; END;
		CREATE TRIGGER %[1]s_out AFTER DELETE ON %[1]s WHEN OLD.%[2]s IN (%[3]s) BEGIN
			UPDATE pan SET owed = owed + 1 WHERE name = '%[1]s'; END;
		CREATE TRIGGER %[1]s_move AFTER UPDATE OF %[2]s ON %[1]s BEGIN
			UPDATE pan SET owed = owed + (OLD.%[2]s IN (%[3]s)) - (NEW.%[2]s IN (%[3]s)) WHERE name = '%[1]s'; END;
		CREATE TRIGGER %[1]s_count AFTER UPDATE ON tally WHEN NEW.name = 'accepted_%[1]ss' BEGIN
			UPDATE pan SET owed = owed + NEW.total - OLD.total WHERE name = '%[1]s'; END;
		CREATE TRIGGER %[1]s_edge BEFORE UPDATE OF %[2]s ON %[1]s
			WHEN OLD.%[2]s <> NEW.%[2]s AND NOT EXISTS (
				SELECT 1 FROM edge WHERE what = '%[1]s' AND a = OLD.%[2]s AND b = NEW.%[2]s) BEGIN
			SELECT RAISE(ABORT, 'a %[1]s took an edge that does not exist'); END;`, table, column, known)
}

func words[S ~string](all []S) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = "'" + string(s) + "'"
	}
	return strings.Join(quoted, ", ")
}

// weigh reads the accounting as every user of the store does.
func (w *world) weigh() {
	w.t.Helper()
	err := w.engine.Store().View(w.t.Context(), time.Now(), func(tx *store.Tx) error {
		steps, requests, err := tx.Accounting()
		if err == nil && (!steps.Balanced() || !requests.Balanced()) {
			w.t.Fatalf("the sums are not even: steps %+v, requests %+v", steps, requests)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// The scales are worth nothing unless they tip.
func TestScalesTip(t *testing.T) {
	wrong := map[string]string{
		"a step is lost":               `DELETE FROM step WHERE id = (SELECT min(id) FROM step)`,
		"a step comes from nowhere":    `UPDATE tally SET total = total - 1 WHERE name = 'accepted_steps'`,
		"a step is in no known state":  `UPDATE step SET state = 'LOST' WHERE id = (SELECT min(id) FROM step)`,
		"a request is lost":            `UPDATE tally SET total = total + 1 WHERE name = 'accepted_requests'`,
		"a step goes back":             `UPDATE step SET state = 'READY' WHERE state = 'DONE'`,
		"a request goes back":          `UPDATE request SET stage = 'RECEIVED'`,
		"a dead step without a letter": `UPDATE step SET state = 'DEAD' WHERE state = 'READY'`,
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.hangScales()
		w.submit(weir.Access, 0)
		w.submit(weir.Access, 1)
		for range 3 {
			if _, err := w.engine.Turn(t.Context(), acme); err != nil {
				t.Fatal(err)
			}
		}
		for what, statement := range wrong {
			if _, err := w.engine.Store().DB().ExecContext(t.Context(), statement); err == nil {
				t.Errorf("%s, and the commit went through", what)
			}
		}
		w.weigh()
		w.settle()
	})
}
