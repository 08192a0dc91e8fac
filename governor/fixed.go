package governor

import (
	"math"
	"math/bits"
	"time"
)

// Rates are integers in millionths of a call per second, and times nanoseconds,
// so that a replay is exact on any machine.
const (
	maxRate    = int64(1_000_000) * millionths   // nothing is known of faster limits
	millionths = int64(1_000_000)                // of a call per second
	unit       = millionths * int64(time.Second) // gap · rate
)

// mulDiv is a·b/c without overflow, at most the greatest int64.
func mulDiv(a, b, c int64) int64 {
	if a <= 0 || b <= 0 || c <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(min(q, math.MaxInt64))
}

// perSecond is the rate of n calls in d nanoseconds.
func perSecond(n, d int64) int64 { return min(mulDiv(n, unit, max(d, 1)), maxRate) }

// callsIn is how many calls a rate gives in d nanoseconds.
func callsIn(rate, d int64) int64 { return min(mulDiv(rate, d, unit), maxCount) }

// gap is the time between two calls at a rate.
func gap(rate int64) int64 { return min(unit/max(rate, 1), holdMost) }

// mean is the geometric mean of two rates.
func mean(a, b int64) int64 {
	const scale = 20 // maxRate shifted by it still fits
	return root(min(a, maxRate)<<scale) * root(min(b, maxRate)<<scale) >> scale
}

// root is the integer square root, by Newton's method from above.
func root(n int64) int64 {
	if n <= 0 {
		return 0
	}
	x := int64(1) << ((bits.Len64(uint64(n)) + 1) / 2)
	for {
		y := (x + n/x) / 2
		if y >= x {
			return x
		}
		x = y
	}
}
