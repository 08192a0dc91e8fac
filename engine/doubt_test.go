package engine_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/pii"
)

// remote opens a second engine on the database of w, behind a proxy. The node of w
// is forgotten: its engine is people's from then on, and takes no turns.
func (w *world) remote(d *pgtest.Deaf) *engine.Engine {
	w.t.Helper()
	node := w.options
	node.VaultDir, node.DataDir, node.DSN = filepath.Join(w.options.DataDir, "vault"), w.t.TempDir(), d.DSN
	e, err := engine.Open(w.t.Context(), node)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.engine.Store().DB().ExecContext(w.t.Context(), `DELETE FROM node`); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// A submission whose commit nobody answers is asked for again until it is known
// whether it stands. It stands once, and nobody is told that it failed.
func TestASubmissionThatNobodyAnswers(t *testing.T) {
	w := newWorld(t, setup{dsn: pgtest.Postgres(t)})
	d := pgtest.StartDeaf(t, w.options.DSN)
	e := w.remote(d)
	requests := func() []weir.Request {
		all, err := w.engine.Requests(t.Context(), engine.RequestFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	id, err := engine.ParseIdentifier(pii.NewString("email:" + w.subjects[0].Email))
	if err != nil {
		t.Fatal(err)
	}
	in := engine.Submission{Org: acme, Right: weir.Access, Law: "gdpr", By: "kim", Identifiers: []engine.Identifier{id}}
	d.Every(3)
	for range 6 {
		if _, err := e.Submit(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if all := requests(); len(all) != 6 || d.Lost() < 2 {
		t.Errorf("%d requests of 6 submissions, %d commits that nobody answered", len(all), d.Lost())
	}

	d.Every(1)
	_, err = e.Submit(t.Context(), in)
	d.Every(0)
	all := requests()
	if len(all) != 7 {
		t.Fatalf("%d requests, want 7", len(all))
	}
	named := false
	for _, r := range all {
		named = named || err != nil && strings.Contains(err.Error(), string(r.ID))
	}
	if !errors.Is(err, engine.ErrInDoubt) || !named {
		t.Errorf("the submission that is in doubt ends with %v, want one that names the request", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
