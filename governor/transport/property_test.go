package transport_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/governor/transport"
)

// watched is an org of chance: it refuses now and then with a Retry-After, and
// neighbours eat its allocation. It knows what the transport must know too, and
// notes each call that should not have come.
type watched struct {
	limit, floor int
	seed         uint64

	mu     sync.Mutex
	dice   *rand.Rand
	used   int       // as the newest answer said
	said   time.Time // when
	closed time.Time // the end of the longest Retry-After that was given
	given  time.Time // when
	open   int
	wrong  []string
	calls  int
}

func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	now := time.Now()
	w.calls++
	w.open++
	if now.Before(w.closed) && now.After(w.given) {
		w.wrong = append(w.wrong, fmt.Sprintf("a call at %v inside a window that ends at %v", now, w.closed))
	}
	if w.used >= w.limit-w.floor && now.After(w.said) {
		w.wrong = append(w.wrong, fmt.Sprintf("a call at %d of %d with a floor of %d", w.used, w.limit, w.floor))
	}
	took := time.Duration(w.dice.Int64N(int64(2 * time.Second)))
	w.mu.Unlock()
	time.Sleep(took)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
	r := reply{status: 200, body: "{}"}
	switch w.dice.IntN(12) {
	case 0:
		r = throttled(1 + w.dice.IntN(60))
		w.given = time.Now()
		if end := w.given.Add(time.Duration(r.after) * time.Second); end.After(w.closed) {
			w.closed = end
		}
		return (&script{}).response(req, r), nil
	case 1:
		return nil, errors.New("cut")
	case 2:
		r = reply{status: 503}
	}
	w.used += 1 + w.dice.IntN(4)/3*w.dice.IntN(3) // ours, and now and then a neighbour's
	w.said = time.Now()
	r.usage = fmt.Sprintf("api-usage=%d/%d", w.used, w.limit)
	return (&script{}).response(req, r), nil
}

// TestNoCallInsideAWindowOrBelowTheFloor holds for every org of chance, with
// callers that have deadlines and methods of chance. Every recorded decision
// then replays to the bit.
func TestNoCallInsideAWindowOrBelowTheFloor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &watched{
			limit: rapid.IntRange(200, 600).Draw(rt, "limit"), floor: rapid.IntRange(20, 100).Draw(rt, "floor"),
			seed: rapid.Uint64().Draw(rt, "seed"),
		}
		callers, each := rapid.IntRange(1, 40).Draw(rt, "callers"), rapid.IntRange(1, 30).Draw(rt, "calls of each")
		w.dice = rand.New(rand.NewPCG(w.seed, 1))
		w.used = rapid.IntRange(0, w.limit-w.floor-2).Draw(rt, "used before")
		p := governor.DefaultPolicy()
		p.Slots = rapid.IntRange(1, 12).Draw(rt, "slots")
		p.Share, p.FloorShare, p.FloorCalls = 1000, 0, int64(w.floor)
		var trouble error
		synctest.Test(t, func(t *testing.T) { trouble = w.run(t, p, callers, each) })
		if trouble != nil {
			rt.Fatal(trouble)
		}
	})
}

func (w *watched) run(t *testing.T, p governor.Policy, callers, each int) error {
	var records []transport.Record
	tr, err := transport.New(w, transport.Options{Policy: p, Resend: transport.ResendRefused, Record: func(r transport.Record) {
		doc, err := json.Marshal(r) // as a log would keep it
		if err != nil {
			t.Error(err)
		}
		var back transport.Record
		if err := json.Unmarshal(doc, &back); err != nil {
			t.Error(err)
		}
		records = append(records, back)
	}})
	if err != nil {
		return err
	}
	methods := []string{"GET", "GET", "POST", "PATCH", "DELETE"}
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for k := range each {
				ctx := transport.WithDeadline(t.Context(), time.Now().Add(time.Duration(1+i*k%7)*20*time.Second))
				_, _, _ = do(ctx, tr, request(t, methods[(i+k)%len(methods)], someURL, "")) // most fail, and may
			}
		})
	}
	all.Wait()
	if len(w.wrong) > 0 {
		return fmt.Errorf("%d of %d calls: %s", len(w.wrong), w.calls, w.wrong[0])
	}
	_, err = transport.Replay(p, governor.State{}, records)
	if err != nil || len(records) < w.calls {
		return fmt.Errorf("%d records of %d calls: %w", len(records), w.calls, err)
	}
	if len(records) > 2 {
		records[len(records)/2].Decision.Wait.Cause = "another"
		if _, err := transport.Replay(p, governor.State{}, records); !errors.Is(err, transport.ErrMismatch) {
			return fmt.Errorf("an altered record replays: %w", err)
		}
	}
	return nil
}
