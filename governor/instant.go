package governor

import (
	"strconv"
	"time"

	"github.com/weirhq/weir"
)

// Times are kept as nanoseconds since 1970, limited to 1970-2200, so that no
// input can make the arithmetic overflow.
const lastInstant = int64(7_258_118_400) * int64(time.Second)

const minute = int64(time.Minute)

// nanos turns a time into the state's form; a zero time becomes 0.
func nanos(t time.Time) int64 {
	switch y := t.Year(); {
	case y < 1970:
		return 0
	case y >= 2200:
		return lastInstant
	}
	return max(t.UnixNano(), 0)
}

// moment is the reverse of nanos.
func moment(n int64) time.Time {
	if n <= 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// after adds a duration and stays within the range of instants.
func after(n int64, d time.Duration) int64 {
	switch {
	case d <= 0:
		return n
	case int64(d) > lastInstant-n:
		return lastInstant
	}
	return n + int64(d)
}

// minuteOf is the minute that an instant falls into.
func minuteOf(n int64) int64 { return n / minute }

// maxCount bounds every number that comes from outside, so that sums and
// products of a few of them cannot overflow.
const maxCount = int64(1_000_000_000_000)

// maxCalls bounds the cost of one call and the number of calls in flight.
const maxCalls = 1_000_000

// clamp cuts a number from outside to the range that the arithmetic is safe for.
func clamp(n int64) int64 { return min(max(n, 0), maxCount) }

func clampCalls(n int) int64 { return int64(min(max(n, 0), maxCalls)) }

func number(name string, n int64) weir.Evidence {
	return weir.Evidence{Name: name, Value: strconv.FormatInt(n, 10)}
}

func ratio(name string, a, b int64) weir.Evidence {
	return weir.Evidence{Name: name, Value: strconv.FormatInt(a, 10) + "/" + strconv.FormatInt(b, 10)}
}

func span(name string, d time.Duration) weir.Evidence {
	return weir.Evidence{Name: name, Value: d.String()}
}

func at(name string, n int64) weir.Evidence {
	return weir.Evidence{Name: name, Value: moment(n).Format(time.RFC3339Nano)}
}
