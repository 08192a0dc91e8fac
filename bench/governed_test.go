package bench_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k-capehart/go-salesforce/v3"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/governor/transport"
)

// orgOnASocket is an emulated org behind a real HTTP server.
func orgOnASocket(t *testing.T, o emulator.Options) (*emulator.Org, salesforce.Creds) {
	t.Helper()
	org := emulator.New(o)
	org.Put("Account", map[string]any{"Name": "Acme"})
	server := httptest.NewServer(org.Handler())
	t.Cleanup(server.Close)
	keys := org.Credentials()
	return org, salesforce.Creds{Domain: server.URL, ConsumerKey: keys.ClientID, ConsumerSecret: keys.ClientSecret}
}

// TestAThousandGoroutines share one unmodified go-salesforce, while the org
// refuses again and again and says for how long. None of them sees a refusal;
// the org sees hardly a call while it refuses.
func TestAThousandGoroutines(t *testing.T) {
	org, creds := orgOnASocket(t, emulator.Options{
		Profile: emulator.Profile{Name: "busy", GateFor: 1500 * time.Millisecond},
		Limits:  emulator.Limits{DailyAPI: 100_000},
	})
	sf, err := connect(creds)
	if err != nil {
		t.Fatal(err)
	}
	const callers, gates = 1000, 3
	var done atomic.Int64
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			var accounts []struct{ Name string }
			if err := sf.Query("SELECT Name FROM Account", &accounts); err != nil || len(accounts) != 1 {
				t.Errorf("caller %d: %d accounts, %v", i, len(accounts), err)
			}
			if n := done.Add(1); n%250 == 0 && n/250 <= gates {
				org.InjectNext(emulator.FaultBurstSeconds, 1)
			}
		})
	}
	all.Wait()
	refused := 0
	for _, c := range org.Log() {
		if c.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	early := org.Truth().Early
	t.Logf("%d calls for %d callers, %d refused, %d of them while a Retry-After was running", len(org.Log())-1, callers, refused, early)
	if refused < gates {
		t.Errorf("the org refused %d calls: this test shows nothing", refused)
	}
	// Eight calls are in flight at most: those that were under way when the
	// gate closed could not be called back.
	if early > 7*gates {
		t.Errorf("%d calls came while a Retry-After was running", early)
	}
}

// TestADeferredCallIsSeenThroughGoSalesforce: its own errors do not hide ours.
func TestADeferredCallIsSeenThroughGoSalesforce(t *testing.T) {
	org, creds := orgOnASocket(t, emulator.Options{Profile: emulator.Profile{Name: "busy", GateFor: time.Hour}})
	sf, err := connect(creds)
	if err != nil {
		t.Fatal(err)
	}
	org.InjectNext(emulator.FaultBurstSeconds, 1)
	if _, err := sf.InsertOne("Account", map[string]any{"Name": "A"}); err == nil {
		t.Fatal("the refusal of a POST was hidden")
	}
	begin, before := time.Now(), len(org.Log())
	var accounts []struct{ Name string }
	err = sf.Query("SELECT Name FROM Account", &accounts) // go-salesforce gives each call two minutes
	var late *transport.DeferredError
	if !errors.As(err, &late) || time.Since(begin) > time.Minute || errors.Is(err, context.Canceled) {
		t.Fatalf("got %v after %v", err, time.Since(begin))
	}
	if sent := len(org.Log()) - before; sent != 0 || late.Until.Before(begin.Add(50*time.Minute)) {
		t.Errorf("%d calls; deferred until %v", sent, late.Until)
	}
}
