package transport_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor/transport"
)

func TestTheMostUrgentGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := roomy()
		p.Slots = 1
		org := &script{delay: time.Second}
		rt := governed(t, org, transport.Options{Policy: p})
		now := time.Now()
		var all sync.WaitGroup
		// They come in the wrong order; the first one takes the slot.
		for i, ctx := range []context.Context{
			t.Context(),
			t.Context(), // 1
			transport.WithDeadline(t.Context(), now.Add(2*time.Hour)),                             // 2
			transport.WithDeadline(t.Context(), now.Add(time.Hour)),                               // 3
			transport.WithPriority(t.Context(), 5),                                                // 4
			transport.WithPriority(transport.WithDeadline(t.Context(), now.Add(time.Hour)), 5),    // 5
			transport.WithDeadline(transport.WithPriority(t.Context(), -1), now.Add(time.Minute)), // 6
			t.Context(), // 7
		} {
			all.Go(func() {
				req := request(t, "GET", someURL, "")
				req.Header.Set("X-Name", strconv.Itoa(i))
				if _, _, err := do(ctx, rt, req); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		var got []string
		for _, s := range org.calls() {
			got = append(got, s.name)
		}
		if want := []string{"0", "5", "4", "3", "2", "1", "7", "6"}; !slices.Equal(got, want) {
			t.Errorf("sent in the order %v, want %v", got, want)
		}
	})
}

func TestACancelledWaiterLeavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &script{}
		rt := governed(t, org, transport.Options{})
		closeGate(t, rt, org, 3600)
		begin, ctx := time.Now(), context.Background()
		ctx, cancel := context.WithCancel(ctx)
		errs := make(chan error, 50)
		for range 50 {
			go func() {
				_, _, err := do(ctx, rt, request(t, "GET", someURL, ""))
				errs <- err
			}()
		}
		synctest.Wait()
		cancel()
		for range 50 {
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if !time.Now().Equal(begin) || len(org.calls()) != 1 {
			t.Errorf("took %v, %d calls", time.Since(begin), len(org.calls()))
		}
	})
}

// TestThoseWhoWaitLearnThatTheGateHasClosed: they wait for a slot with a minute
// of time, and then the org asks for an hour.
func TestThoseWhoWaitLearnThatTheGateHasClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := roomy()
		p.Slots = 1
		org := &script{delay: time.Second, replies: []reply{throttled(3600)}}
		rt := governed(t, org, transport.Options{Policy: p})
		begin := time.Now()
		go func() { _, _, _ = do(t.Context(), rt, request(t, "POST", someURL, "")) }()
		synctest.Wait()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, _, err := do(transport.WithDeadline(t.Context(), begin.Add(time.Minute)), rt, request(t, "GET", someURL, ""))
				if d := isDeferred(t, err); d.Class != weir.ThrottledBurst || time.Since(begin) != time.Second {
					t.Errorf("deferred after %v for %s", time.Since(begin), d.Class)
				}
			})
		}
		all.Wait()
		if n := len(org.calls()); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestADeadlineEndsTheWaitForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := roomy()
		p.Slots = 1
		org := &script{delay: time.Hour}
		rt := governed(t, org, transport.Options{Policy: p})
		begin := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		go func() { _, _, _ = do(ctx, rt, request(t, "POST", someURL, "")) }()
		synctest.Wait()
		_, _, err := do(transport.WithDeadline(t.Context(), begin.Add(3*time.Second)), rt, request(t, "GET", someURL, ""))
		if d := isDeferred(t, err); d.Class != weir.ThrottledConcurrent || time.Since(begin) != 3*time.Second {
			t.Errorf("deferred after %v for %s", time.Since(begin), d.Class)
		}
		short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, _, err = do(short, rt, request(t, "GET", someURL, ""))
		_ = isDeferred(t, err)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v hides that the context has ended", err)
		}
		stop()
	})
}

// TestACallIsInFlightUntilItsAnswerIsRead with one slot.
func TestACallIsInFlightUntilItsAnswerIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		reply reply
		after time.Duration // when the slot is free again
		use   func(t *testing.T, body readCloser)
	}{
		"read to the end": {reply{status: 200, body: "{}"}, 5 * time.Second, func(t *testing.T, b readCloser) {
			time.Sleep(5 * time.Second)
			for {
				if _, err := b.Read(make([]byte, 1)); err != nil {
					return
				}
			}
		}},
		"closed": {reply{status: 200, body: "{}"}, 5 * time.Second, func(t *testing.T, b readCloser) {
			time.Sleep(5 * time.Second)
			for range 2 { // twice does no harm
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}
		}},
		"empty":     {reply{status: 204}, 0, func(*testing.T, readCloser) {}},
		"an error":  {reply{status: 400, code: "MALFORMED_QUERY"}, 0, func(*testing.T, readCloser) {}},
		"forgotten": {reply{status: 200, body: "{}"}, 30 * time.Second, func(*testing.T, readCloser) {}},
		"read, forgotten": {reply{status: 200, body: "{}"}, 40 * time.Second, func(t *testing.T, b readCloser) {
			for range 2 {
				time.Sleep(6 * time.Second)
				if _, err := b.Read(make([]byte, 1)); err != nil {
					t.Error(err)
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := roomy()
				p.Slots = 1
				org := &script{replies: []reply{c.reply}}
				rt := governed(t, org, transport.Options{Policy: p})
				resp, err := rt.RoundTrip(request(t, "GET", someURL, ""))
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				var other sync.WaitGroup
				other.Go(func() {
					if _, _, err := do(t.Context(), rt, request(t, "GET", someURL, "")); err != nil {
						t.Error(err)
					}
					if took := time.Since(begin); took < c.after || took > c.after+4*time.Second {
						t.Errorf("the slot was free after %v, want %v", took, c.after)
					}
				})
				synctest.Wait()
				c.use(t, resp.Body)
				other.Wait()
				_ = resp.Body.Close()
			})
		})
	}
}

// Salesforce refuses everybody while as many calls as it allows have been open
// for 20 s: until one of ours ends, no other is sent.
func TestLongCallsHoldTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := roomy()
		p.LongCap = 2
		org := &script{delay: time.Minute}
		rt := governed(t, org, transport.Options{Policy: p})
		var all sync.WaitGroup
		send := func() {
			all.Go(func() {
				if _, _, err := do(t.Context(), rt, request(t, "GET", someURL, "")); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for range 2 {
			send()
		}
		time.Sleep(19 * time.Second)
		send() // none is long yet
		time.Sleep(2 * time.Second)
		send()
		all.Wait()
		if took := org.sent[3].at.Sub(org.sent[0].at); len(org.sent) != 4 || took < time.Minute {
			t.Errorf("%d calls, the last %v after the first", len(org.sent), took)
		}
	})
}

type readCloser interface {
	Read([]byte) (int, error)
	Close() error
}

// TestOneProbeAtATime after a refusal: the others wait until it was answered.
func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &script{}
		rt := governed(t, org, transport.Options{Policy: roomy()})
		closeGate(t, rt, org, 10)
		org.delay = 3 * time.Second
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				if _, _, err := do(t.Context(), rt, request(t, "GET", someURL, "")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		calls := org.calls()[1:]
		if gap := calls[1].at.Sub(calls[0].at); gap < 3*time.Second {
			t.Errorf("a second call went %v after the probe, before its answer", gap)
		}
	})
}
