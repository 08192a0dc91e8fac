package vault

import (
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// The heap is the process's, and so is what is owed to it.
//
//nolint:gochecknoglobals // one heap, one limit
var (
	droppedAt  atomic.Int64 // personal data was last dropped; 0 = never
	scrubbedAt atomic.Int64 // the last collection began
)

const (
	scrubEvery = int64(time.Second)
	// settling is how long after Dropped somebody up the stack, or a goroutine of
	// a connection that was closed, may still hold a copy: a collection that
	// begins earlier is not the last.
	settling = int64(400 * time.Millisecond)
)

// Dropped says that personal data was dropped just now: a collection is owed.
// Whoever closes a Key has said it.
func Dropped() { droppedAt.Store(monotonic()) }

// owed says whether something was dropped that no collection has surely found.
func owed() bool {
	at := droppedAt.Load()
	return at != 0 && at > scrubbedAt.Load()-settling
}

// Scrub collects garbage twice when a collection is owed, so that dropped
// personal data is overwritten before a wait: the first collection finds it (and
// ages the pools), the second empties the pools. It overwrites only under
// GODEBUG=clobberfree=1; see ReexecScrubbed. It collects at most once a second.
// It returns whether nothing is owed any more; until then the caller asks again.
func Scrub() bool {
	if !owed() {
		return true
	}
	now := monotonic()
	last := scrubbedAt.Load()
	if last != 0 && now-last < scrubEvery || !scrubbedAt.CompareAndSwap(last, now) {
		return false
	}
	runtime.GC()
	runtime.GC()
	return !owed()
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
