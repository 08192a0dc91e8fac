package transport_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/governor/transport"
)

// instant answers at once, with the headers of a Salesforce org.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{
			"Content-Type": {"application/json;charset=UTF-8"}, "Date": {"Mon, 23 Nov 2026 12:00:00 GMT"}, "Vary": {"Accept-Encoding"},
			"Cache-Control": {"no-cache,must-revalidate,max-age=0,no-store,private"}, "Sforce-Limit-Info": {"api-usage=18/1000000000"},
		},
		Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2,
	}, nil
}

// roomy is a policy under which no call ever waits: what is measured is the
// price of asking.
func roomy() governor.Policy {
	p := governor.DefaultPolicy()
	p.Share, p.FloorCalls, p.FloorShare = 1000, 0, 0
	return p
}

func governed(t testing.TB, base http.RoundTripper, o transport.Options) *transport.Transport {
	t.Helper()
	rt, err := transport.New(base, o)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// oneCall is what a client does: send, read to the end, close.
func oneCall(t testing.TB, rt http.RoundTripper, req *http.Request, buf []byte) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err = resp.Body.Read(buf); err != nil {
			break
		}
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

func request(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token-1")
	return req
}

const someURL = "https://acme.my.salesforce.com/services/data/v66.0/query?q=x"

// TestAllocations: a governed call costs at most two allocations more than the
// bare one (performance reference, section 6 a).
func TestAllocations(t *testing.T) {
	req, buf := request(t, "GET", someURL, ""), make([]byte, 64)
	rt := governed(t, instant{}, transport.Options{Policy: roomy()})
	bare := testing.AllocsPerRun(2000, func() { oneCall(t, instant{}, req, buf) })
	with := testing.AllocsPerRun(2000, func() { oneCall(t, rt, req, buf) })
	t.Logf("%v allocations bare, %v governed", bare, with)
	if with-bare > 2 {
		t.Errorf("%v allocations more than the bare call", with-bare)
	}
}

func BenchmarkBare(b *testing.B) { benchmarkCalls(b, instant{}) }

func BenchmarkGoverned(b *testing.B) {
	benchmarkCalls(b, governed(b, instant{}, transport.Options{Policy: roomy()}))
}

// BenchmarkOverhead measures both in turns, in blocks that are shorter than a
// slice of the scheduler: the medians are those of blocks that nobody
// interrupted, also on a busy machine, and the difference comes from the same
// moments. cpu-ns are means over all blocks, garbage collection included.
func BenchmarkOverhead(b *testing.B) {
	req, buf := request(b, "GET", someURL, ""), make([]byte, 64)
	rt := governed(b, instant{}, transport.Options{Policy: roomy()})
	const block = 200
	var bare, with []time.Duration
	measure := func(into []time.Duration, rt http.RoundTripper) ([]time.Duration, time.Duration) {
		used := processor(b)
		begin := time.Now()
		for range block {
			oneCall(b, rt, req, buf)
		}
		return append(into, time.Since(begin)), processor(b) - used
	}
	var cpuBare, cpuWith time.Duration
	for b.Loop() {
		var a, c time.Duration
		bare, a = measure(bare, instant{})
		with, c = measure(with, rt)
		cpuBare, cpuWith = cpuBare+a, cpuWith+c
	}
	calls := float64(block * len(bare))
	slices.Sort(bare)
	slices.Sort(with)
	b.ReportMetric(float64(bare[len(bare)/2])/block, "bare-p50-ns/call")
	b.ReportMetric(float64(with[len(with)/2])/block, "governed-p50-ns/call")
	b.ReportMetric(float64(with[len(with)/2]-bare[len(bare)/2])/block, "added-p50-ns/call")
	b.ReportMetric(float64(cpuWith-cpuBare)/calls, "added-cpu-ns/call")
}

func benchmarkCalls(b *testing.B, rt http.RoundTripper) {
	req, buf := request(b, "GET", someURL, ""), make([]byte, 64)
	b.ReportAllocs()
	used := cpuTime(b, func() {
		for b.Loop() {
			oneCall(b, rt, req, buf)
		}
	})
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}

func cpuTime(t testing.TB, f func()) time.Duration {
	before := processor(t)
	f()
	return processor(t) - before
}

// processor is the time that this process has had a processor.
func processor(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
