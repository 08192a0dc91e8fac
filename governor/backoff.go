package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// Backoff is the wait before a repeat: base doubled attempt times, plus up to
// one second of jitter, never above the ceiling. jitter is uniform over the
// whole range of uint32; the shell draws it from crypto/rand and records it.
func Backoff(p Policy, attempt int, jitter uint32) time.Duration {
	return backoff(p.Base, p.Ceiling, attempt, jitter)
}

func backoff(base, ceiling time.Duration, attempt int, jitter uint32) time.Duration {
	base, ceiling = max(base, 0), max(ceiling, 0)
	d := double(base, ceiling, attempt)
	if j := scatter(jitter); d <= ceiling-j {
		return d + j
	}
	return ceiling
}

// double is base·2^n, or the ceiling if that is less. Whether it is less is
// found by shifting the ceiling right, which cannot overflow.
func double(base, ceiling time.Duration, n int) time.Duration {
	n = max(n, 0)
	if n >= 63 || base > ceiling>>n {
		if base == 0 {
			return 0
		}
		return ceiling
	}
	return base << n
}

// scatter scales a recorded jitter to [0, 1 s).
func scatter(jitter uint32) time.Duration {
	return time.Duration(uint64(jitter) * uint64(time.Second) >> 32)
}

// Counts says whether a fault of the category counts as an attempt of the
// step. What the org does to everybody (throttles, maintenance, a revoked
// token), and a disk that is full, says nothing about the step; a failed precondition has a budget of
// its own.
func Counts(c weir.Category) bool {
	switch c {
	case weir.ThrottledDaily, weir.ThrottledConcurrent, weir.ThrottledBurst, weir.ThrottledLogin,
		weir.Maintenance, weir.StorageFull, weir.AuthDrift, weir.AuthConfig, weir.NotExecuted, weir.Conflict,
		weir.Success, weir.PartialFailure, weir.Gone, weir.DeadlineRisk:
		return false
	case weir.Permission, weir.Validation, weir.LockContention, weir.NotFound, weir.AmbiguousMatch,
		weir.CursorLost, weir.QueryTimeout, weir.PlatformFault, weir.EndpointMoved, weir.Capacity,
		weir.UnknownOutcome, weir.UnknownClient, weir.Drift, weir.Residue, weir.StorageFault:
		return true
	}
	return true
}
