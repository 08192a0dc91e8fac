package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/pgtest"
)

// TestKill kills weir at random moments while it fulfils mixed requests in a
// rude org, on both stores, and then asks the org what really happened. The
// same harness must catch a naive client doubling its writes.
func TestKill(t *testing.T) {
	f := chosenForm(t)
	program := build(t)
	t.Run("naive", func(t *testing.T) {
		t.Parallel()
		naiveDoubles(t, program, f)
	})
	pgtest.Each(t, func(t *testing.T, dsn string) {
		t.Parallel()
		attack(t, program, dsn, f)
	})
}

// siege is one weir under attack.
type siege struct {
	form    form
	dsn     string
	weir    *installation
	hunter  *hunter
	kills   atomic.Int64
	running *process // after the last kill
	where   served
	held    string // file of the checkpoint that was saved half-way
}

func attack(t *testing.T, program, dsn string, f form) {
	ctx, cancel := context.WithTimeout(t.Context(), f.within)
	defer cancel()
	began := time.Now()
	o := startOrg(t, program, f)
	w := install(t, program, dsn, o, f)
	s := &siege{form: f, dsn: dsn, weir: w, hunter: newHunter(o, f.seed)}
	hunted := make(chan error, 1)
	go func() { hunted <- s.hunt(ctx, s.life) }() // ends with the last kill, or with ctx
	c := newCustomer(w, o)
	err := s.custom(ctx, c)
	cancelIf(err, cancel)
	if err := errors.Join(err, <-hunted); err != nil {
		t.Fatalf("%v\n%v\n%s", err, c.unfinished(), tail(w.path("weir.log")))
	}
	took := time.Since(began)
	v := judge(t, c, s)
	if v.between == 0 {
		t.Error("no kill fell between an intent and its outcome: the harness proves nothing")
	}
	if err := s.running.stop(10 * time.Second); err != nil {
		t.Errorf("weir does not stop: %v", err)
	}
	t.Logf("%d requests, %d kills (%d between intent and outcome) in %s; %d calls; %s", f.requests, f.kills, v.between, took.Round(time.Second), v.calls, v)
	t.Logf("dead letters decided: %v; plans made anew: %d; faults shown: %v", c.decided, c.again, v.faults)
}

// cancelIf ends the hunt when the requests cannot come to their end any more.
func cancelIf(err error, cancel context.CancelFunc) {
	if err != nil {
		cancel()
	}
}

// hunt lets weir live and die as often as the form says; the last one stays.
func (s *siege) hunt(ctx context.Context, life func(context.Context) error) error {
	for s.kills.Load() < int64(s.form.kills) {
		if err := life(ctx); err != nil {
			return err
		}
		s.kills.Add(1)
	}
	var err error
	s.running, s.where, err = s.weir.serve(ctx)
	return err
}

// life starts weir and kills it at a moment that the hunter chooses.
func (s *siege) life(ctx context.Context) error {
	p, _, err := s.weir.serve(ctx)
	if err != nil {
		return err
	}
	if err := s.hunter.moment(ctx); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return fmt.Errorf("weir ended by itself: %w", p.err)
	default:
	}
	p.kill()
	return nil
}

// custom plays the people until every request has ended and every kill was
// made. The requests come in as the kills go on, so that none hits an idle weir.
func (s *siege) custom(ctx context.Context, c *customer) error {
	for {
		kills := int(s.kills.Load())
		allowed := (len(c.orders)*(kills+1) + s.form.kills - 1) / s.form.kills
		ended, err := c.round(ctx, allowed)
		if err != nil {
			return err
		}
		if s.held == "" && kills >= s.form.kills/2 {
			if err := s.hold(ctx); err != nil {
				return err
			}
		}
		if ended == len(c.orders) && kills == s.form.kills {
			return nil
		}
		if err := pause(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
}

// hold saves a checkpoint of the ledger apart from it, as an auditor would: no
// later kill may change what it covers.
func (s *siege) hold(ctx context.Context) error {
	file := s.weir.path("held.checkpoint")
	if err := s.weir.persist(ctx, nil, "audit", "checkpoint", "-o", file); err != nil {
		return err
	}
	s.held = file
	return nil
}

// scrape reads weir's own figures.
func scrape(ctx context.Context, url string) (map[string]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	figures := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(name, "#") {
			figures[name] = value
		}
	}
	return figures, errors.Join(err, resp.Body.Close())
}

// tail is the end of a log, for failures. weir's log holds no personal data.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	begin := max(0, len(text)-4_000)
	if i := bytes.LastIndex(text, []byte("SIGQUIT: ")); i >= 0 { // what it waited for, and what it said before: see dump
		begin = max(0, i-2_000)
	}
	return string(text[begin:min(len(text), begin+200_000)])
}
