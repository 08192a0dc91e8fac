package emulator_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

const usage = "Sforce-Limit-Info"

func TestDailyAllocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t, func(o *emulator.Options) { o.Limits.DailyAPI = 10 })
		id := org.Put("Contact", map[string]any{"LastName": "L"})
		for i := range 5 {
			if got, want := c.send(http.MethodGet, "/limits", "").header.Get(usage), "api-usage="+strconv.Itoa(i+1)+"/10"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		time.Sleep(time.Hour)
		org.Neighbour(7)
		a := c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"x"}`)
		a.want(t, 403, "REQUEST_LIMIT_EXCEEDED")
		if !strings.Contains(a.body, "TotalRequests Limit exceeded.") || a.header.Get(usage) != "api-usage=10/10" || a.header.Get("Retry-After") != "" {
			t.Error(a.body, a.header)
		}
		truth := org.Truth()
		if len(truth.Mutations) != 0 || truth.NeighboursDenied != 2 || truth.CallsBelow(0) != 1 || truth.CallsBelow(6) != 2 {
			t.Errorf("%+v", truth)
		}
		c.send(http.MethodGet, "/services/data/", "").want(t, 200, "")
		time.Sleep(23*time.Hour - time.Second)
		c.signIn(org)
		c.send(http.MethodGet, "/limits", "").want(t, 403, "REQUEST_LIMIT_EXCEEDED")
		time.Sleep(time.Second)
		if a := c.send(http.MethodGet, "/limits", ""); a.header.Get(usage) != "api-usage=6/10" || !strings.Contains(a.body, `"DailyApiRequests":{"Max":10,"Remaining":4}`) {
			t.Errorf("the first calls have not aged out: %v %s", a.header, a.body)
		}
	})
}

func TestHeaderForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t, func(o *emulator.Options) {
			o.Limits = emulator.Limits{
				DailyAPI: 2, Soft: true, Bursts: 2, AppName: "a; b(1/2)", AppDaily: 5,
				CounterLag: time.Minute, LowerCaseHeader: true, GatewayHeaders: true,
			}
		})
		for range 3 {
			c.send(http.MethodGet, "/limits", "").want(t, 200, "")
		}
		time.Sleep(time.Minute)
		a := c.send(http.MethodGet, "/limits", "")
		if got := a.header.Get(usage); got != "api-usage=3/2; per-app-api-usage=3/5(appName=a; b(1/2)); api-bursts=2/2" {
			t.Error(got)
		}
		if a.header.Get("X-Rate-Limit-Remaining") != "0" || a.header.Get("X-Rate-Limit-Concurrent") != "1" {
			t.Error(a.header)
		}
		c.send(http.MethodGet, "/limits", "").want(t, 403, "REQUEST_LIMIT_EXCEEDED")
		if a := c.send(http.MethodGet, "/services/data", ""); a.header.Get(usage) != "" {
			t.Error("the versions resource shows usage")
		}
		org.ExpireSessions()
		if a := c.send(http.MethodGet, "/limits", ""); a.status != 401 || a.header.Get(usage) != "" {
			t.Error(a.status, a.header)
		}
	})
}

func TestHiddenBurstLimit(t *testing.T) {
	for _, answer := range []emulator.Fault{emulator.FaultBurstSeconds, emulator.FaultBurstDate, emulator.FaultBurstBare} {
		synctest.Test(t, func(t *testing.T) {
			org, c := calm(t, func(o *emulator.Options) {
				o.Limits = emulator.Limits{BurstRate: 0.5, BurstSize: 3, BurstAnswer: answer}
			})
			for range 3 {
				c.send(http.MethodGet, "/limits", "").want(t, 200, "")
			}
			a := c.send(http.MethodGet, "/limits", "")
			if a.status != 429 || a.header.Get(usage) != "" || org.Log()[len(org.Log())-1].Used != 3 {
				t.Errorf("%s: %d %v", answer, a.status, a.header)
			}
			retry := a.header.Get("Retry-After")
			date, err := http.ParseTime(retry)
			if answer == emulator.FaultBurstSeconds && retry != "2" || answer == emulator.FaultBurstBare && retry != "" ||
				answer == emulator.FaultBurstDate && (err != nil || time.Until(date) > 3*time.Second) {
				t.Errorf("%s: Retry-After %q", answer, retry)
			}
			time.Sleep(2 * time.Second)
			c.send(http.MethodGet, "/limits", "").want(t, 200, "")
		})
	}
}

func TestLongCallsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t, func(o *emulator.Options) { o.Limits.LongCap = 2 })
		org.InjectNext(emulator.FaultSlow, 2)
		done := make(chan int, 2)
		for range 2 {
			go func() { done <- c.send(http.MethodGet, "/limits", "").status }()
		}
		time.Sleep(19 * time.Second)
		c.send(http.MethodGet, "/limits", "").want(t, 200, "")
		time.Sleep(2 * time.Second)
		a := c.send(http.MethodGet, "/limits", "")
		a.want(t, 403, "REQUEST_LIMIT_EXCEEDED")
		if !strings.Contains(a.body, "ConcurrentRequests (Concurrent API Requests) Limit exceeded.") {
			t.Error(a.body)
		}
		for range 2 {
			if status := <-done; status != 200 {
				t.Errorf("a slow call ends with %d", status)
			}
		}
		synctest.Wait()
		c.send(http.MethodGet, "/limits", "").want(t, 200, "")
		if n := org.Truth().BusiestLong; n != 2 {
			t.Errorf("the truth tells of %d long calls at once, want 2", n)
		}
	})
}

// The truth tells how many calls were open at once, and who made them.
func TestTruthCountsOpenCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t, func(o *emulator.Options) { o.Latency = time.Second })
		var open sync.WaitGroup
		for range 3 {
			open.Go(func() { c.send(http.MethodGet, "/limits", "", "User-Agent", "node-a").want(t, 200, "") })
		}
		open.Wait()
		c.send(http.MethodGet, "/limits", "")
		if busiest := org.Truth().Busiest; busiest != 3 {
			t.Errorf("%d calls were open at once, want 3", busiest)
		}
		agents := map[string]int{}
		for _, call := range org.Log() {
			agents[call.Agent]++
		}
		if agents["node-a"] != 3 {
			t.Errorf("the log names %v", agents)
		}
	})
}

func TestVersions(t *testing.T) {
	_, c := calm(t)
	c.send(http.MethodGet, "/services/data/v29.0/limits", "").want(t, 410, "GONE")
	c.send(http.MethodGet, "/services/data/v99.0/limits", "").want(t, 404, "NOT_FOUND")
	c.send(http.MethodGet, "/services/data/v60.0/limits", "").want(t, 200, "")
	c.send(http.MethodGet, "/services/elsewhere", "").want(t, 404, "NOT_FOUND")
	if a := c.send(http.MethodGet, "/query?q="+strings.Repeat("x", 17_000), ""); a.status != 414 {
		t.Errorf("a URL of 17,000 bytes: %d", a.status)
	}
}
