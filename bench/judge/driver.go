package judge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// errRefused is a call that the org did not take.
var errRefused = errors.New("refused")

// inGo plays a peer that makes its calls over a transport of net/http.
func inGo(client func(wire http.RoundTripper) (func(context.Context) error, error)) func(*testing.T, *Scenario) Result {
	return func(t *testing.T, sc *Scenario) Result {
		t.Helper()
		var res Result
		synctest.Test(t, func(t *testing.T) {
			o := &orgWire{world: NewWorld(sc), began: time.Now()}
			d := driver{sc: sc, org: o, todo: sc.Calls}
			var all sync.WaitGroup
			processes := max(sc.Processes, 1)
			for range processes {
				do, err := client(o)
				if err != nil {
					t.Fatal(err)
				}
				for range sc.Workers / processes {
					all.Go(func() { d.work(do) })
				}
			}
			all.Wait()
			o.world.Settle(time.Since(o.began))
			time.Sleep(leftBehind)
			res.Makespan, res.Finished, res.Count, res.Begun = d.end, d.done == sc.Calls, o.world.Count, sc.Calls-d.todo
			res.P50, res.P99 = quantiles(d.took)
		})
		return res
	}
}

// leftBehind is longer than the timeout of any client: go-salesforce does not
// close the body of a refused call, whose timer then runs on for two minutes.
const leftBehind = 3 * time.Minute

// driver hands the work to workers; each process of them has a client of its own.
type driver struct {
	sc  *Scenario
	org *orgWire

	mu   sync.Mutex
	todo int
	done int
	end  time.Duration
	took []time.Duration
}

func (d *driver) work(do func(context.Context) error) {
	for d.take() {
		began := time.Since(d.org.began)
		for do(context.Background()) != nil {
			if d.org.calls() >= attemptsMost(d.sc) {
				return
			}
		}
		d.mu.Lock()
		d.done++
		d.end = time.Since(d.org.began)
		d.took = append(d.took, d.end-began)
		d.mu.Unlock()
	}
}

// take waits for the next piece of work, where it comes in one by one.
func (d *driver) take() bool {
	d.mu.Lock()
	if d.todo == 0 {
		d.mu.Unlock()
		return false
	}
	comes := d.sc.Every * time.Duration(d.sc.Calls-d.todo)
	d.todo--
	d.mu.Unlock()
	time.Sleep(comes - time.Since(d.org.began))
	return true
}

// orgWire is the org behind a http.RoundTripper.
type orgWire struct {
	began time.Time
	mu    sync.Mutex
	world *World
}

func (o *orgWire) calls() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.world.Count.Calls
}

// RoundTrip implements http.RoundTripper. All rejects are 429, also those for
// which Salesforce sends 403: that flatters peers, which know only 429.
func (o *orgWire) RoundTrip(req *http.Request) (*http.Response, error) {
	o.mu.Lock()
	a := o.world.Arrive(time.Since(o.began))
	o.mu.Unlock()
	time.Sleep(a.Took)
	res := &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(`{}`)), ProtoMajor: 1, ProtoMinor: 1,
	}
	if a.Reject != Taken {
		res.StatusCode = http.StatusTooManyRequests
		res.Body = io.NopCloser(strings.NewReader(`[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"refused"}]`))
		if a.RetryAfter > 0 {
			res.Header.Set("Retry-After", strconv.Itoa(seconds(a.RetryAfter)))
		}
	}
	res.Status = fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode))
	return res, nil
}

// seconds is what a Retry-After header can say, which is whole ones.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

const address = "https://org.invalid/services/data/v62.0/limits"

// get makes one call with a client and says whether the org took it.
func get(ctx context.Context, do func(*http.Request) (*http.Response, error)) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	res, err := do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }() // the judge reads no body
	if res.StatusCode != http.StatusOK {
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return time.Duration(after) * time.Second, errRefused
	}
	return 0, nil
}
