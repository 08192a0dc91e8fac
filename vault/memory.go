package vault

import (
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// scrubbedAt is when the heap was last collected; the heap is the process's.
var scrubbedAt atomic.Int64 //nolint:gochecknoglobals // one heap, one limit

const scrubEvery = int64(time.Second)

// Scrub collects garbage twice, so that dropped personal data is overwritten
// before a wait: the first collection finds it (and ages the pools), the second
// empties the pools. It overwrites only under GODEBUG=clobberfree=1; see
// ReexecScrubbed. It runs at most once a second and returns false when it did
// not: then the caller asks again a second later.
func Scrub() bool {
	now := monotonic()
	last := scrubbedAt.Load()
	if last != 0 && now-last < scrubEvery || !scrubbedAt.CompareAndSwap(last, now) {
		return false
	}
	runtime.GC()
	runtime.GC()
	return true
}

// Scrubbing says whether freed memory is overwritten in this process.
func Scrubbing() bool { return clobberSetting() == "1" }

// clobberSetting is the value of clobberfree in GODEBUG, or empty.
func clobberSetting() (value string) {
	for setting := range strings.SplitSeq(os.Getenv("GODEBUG"), ",") {
		if v, found := strings.CutPrefix(strings.TrimSpace(setting), "clobberfree="); found {
			value = v // the last one wins
		}
	}
	return value
}
