package transport_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/governor/transport"
)

// TestAHiddenRateIsKept before a gateway that takes 20 calls a second and does not
// say so: a program that notices the rate, or learns it from the first refusal
// on, is refused less, and is done sooner.
func TestAHiddenRateIsKept(t *testing.T) {
	refused, took := hiddenRate(t, func(p *governor.Policy) { p.NoticeRate = false })
	t.Logf("2000 calls: %d refused in %v where nothing is learnt", refused, took)
	for name, edit := range map[string]func(*governor.Policy){
		"noticed": func(*governor.Policy) {},
		"always":  func(p *governor.Policy) { p.LearnRate = true },
	} {
		fewer, sooner := hiddenRate(t, edit)
		t.Logf("%s: %d in %v", name, fewer, sooner)
		if bound := 100 * time.Second; sooner > bound*5/4 || sooner > took {
			t.Errorf("%s: took %v, and %v where nothing is learnt; the gateway would have taken them in %v", name, sooner, took, bound)
		}
		if fewer*4 > refused || fewer > 2000/50 {
			t.Errorf("%s: %d refused, and %d where nothing is learnt", name, fewer, refused)
		}
	}
}

// hiddenRate sends 2,000 calls, and again those that were refused, and returns
// how many were refused and how long it took.
func hiddenRate(t *testing.T, edit func(*governor.Policy)) (refused int, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		org := emulator.New(emulator.Options{
			Profile: emulator.Calm(), Latency: 80 * time.Millisecond, InstanceURL: "https://acme.my.salesforce.com",
			Limits: emulator.Limits{DailyAPI: 100_000, BurstRate: 20, BurstSize: 10, BurstAnswer: emulator.FaultBurstBare},
		})
		p := roomy()
		edit(&p)
		rt := governed(t, org.Transport(), transport.Options{Policy: p, Jitter: func() uint32 { return 1 << 31 }})
		token := login(t, org, rt)
		begin := time.Now()
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				for taken := 0; taken < 50; {
					req := request(t, "GET", "https://acme.my.salesforce.com/services/data/v66.0/limits", "")
					req.Header.Set("Authorization", "Bearer "+token)
					switch status, text, err := do(t.Context(), rt, req); {
					case err == nil && status == http.StatusOK:
						taken++
					case err != nil || status != http.StatusTooManyRequests:
						t.Errorf("status %d, %v: %s", status, err, text)
						return
					}
				}
			})
		}
		all.Wait()
		took = time.Since(begin)
		for _, c := range org.Log() {
			if c.Status == http.StatusTooManyRequests {
				refused++
			}
		}
	})
	return refused, took
}
