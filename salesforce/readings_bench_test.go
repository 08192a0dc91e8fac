package salesforce_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

func answerHeader() http.Header {
	return http.Header{
		"Content-Type": {"application/json;charset=UTF-8"}, "Date": {"Mon, 23 Nov 2026 12:00:00 GMT"}, "Vary": {"Accept-Encoding"},
		"Cache-Control": {"no-cache,must-revalidate,max-age=0,no-store,private"}, "Sforce-Limit-Info": {"api-usage=18/15000"},
		"Strict-Transport-Security": {"max-age=63072000; includeSubDomains"}, "X-Content-Type-Options": {"nosniff"},
	}
}

// TestReadingsIntoABuffer holds the promise to whoever looks at every call.
func TestReadingsIntoABuffer(t *testing.T) {
	h, at := answerHeader(), time.Unix(1_795_435_200, 0)
	buf := make([]weir.Reading, 0, 4)
	if n := testing.AllocsPerRun(100, func() { buf = salesforce.AppendReadings(buf[:0], h, at) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if len(buf) != 1 || buf[0].Used != 18 || buf[0].Limit != 15000 {
		t.Errorf("read %+v", buf)
	}
	if buf = salesforce.AppendReadings(buf, h, at); len(buf) != 2 {
		t.Error("the readings of another answer were overwritten")
	}
}

func BenchmarkAppendReadings(b *testing.B) {
	h, at := answerHeader(), time.Unix(1_795_435_200, 0)
	buf := make([]weir.Reading, 0, 4)
	b.ReportAllocs()
	for b.Loop() {
		buf = salesforce.AppendReadings(buf[:0], h, at)
	}
}
