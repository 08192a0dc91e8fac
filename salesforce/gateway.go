package salesforce

import (
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// gatewayCount reads "used", or "used/limit".
func gatewayCount(value, source string, kind weir.ReadingKind, at time.Time) (r weir.Reading, ok bool) {
	used, limit, hasLimit := strings.Cut(value, "/")
	r = weir.Reading{Kind: kind, Name: strings.ToLower(strings.TrimSpace(source)), At: at, Source: source}
	if r.Used, r.Clamped, ok = count(used); !ok || !hasLimit {
		return r, ok
	}
	var cut bool
	r.Limit, cut, ok = count(limit)
	r.Clamped = r.Clamped || cut
	return r, ok
}

// retryAfter reads seconds or an HTTP date. The date is resolved against our
// own clock at arrival, because the wait will be measured by it too.
func retryAfter(value, source string, at time.Time) (weir.Reading, bool) {
	r := weir.Reading{Kind: weir.ReadRetryAfter, Name: "retry-after", At: at, Source: source}
	value = strings.TrimSpace(value)
	ceiling := int64(maxRetryAfter / time.Second)
	if n, clamped, ok := seconds(value); ok {
		r.Used, r.Clamped = min(n, ceiling), clamped || n > ceiling
		return r, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return r, false
	}
	wait := until.Sub(at) // saturates
	switch {
	case wait > maxRetryAfter:
		r.Used, r.Clamped = ceiling, true
	case wait > 0:
		r.Used = int64((wait + time.Second - 1) / time.Second)
	}
	return r, true
}

// seconds reads whole seconds; a fraction, which no standard allows, rounds up.
func seconds(s string) (n int64, clamped, ok bool) {
	whole, fraction, dotted := strings.Cut(s, ".")
	n, clamped, ok = count(whole)
	if !dotted || !ok {
		return n, clamped, ok
	}
	part, _, fine := count(fraction)
	if fine && part > 0 && !strings.HasPrefix(s, "-") {
		n++
	}
	return n, clamped, fine && !strings.ContainsAny(fraction, "+-")
}
