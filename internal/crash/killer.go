//go:build crashpoints

package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Before is the moment right before a durable write.
func Before(w Write) { pass(Point{w, false}) }

// After is the moment right after a durable write.
func After(w Write) { pass(Point{w, true}) }

// trap is where this process ends.
type trap struct {
	point  string
	passes atomic.Int64 // that are left
}

// armed reads the environment once; a process has only one.
var armed = sync.OnceValue(func() *trap { //nolint:gochecknoglobals // of a program that is built for proofs only
	value := os.Getenv(Variable)
	if value == "" {
		return &trap{}
	}
	i := strings.LastIndexByte(value, ':')
	nth, err := strconv.ParseInt(value[i+1:], 10, 64)
	if i < 0 || err != nil || nth < 1 {
		panic(fmt.Sprintf("%s is %q, want POINT:N", Variable, value))
	}
	t := &trap{point: value[:i]}
	t.passes.Store(nth)
	return t
})

// pass ends the process at the armed point, as a power cut would: nothing of it
// runs any more, no deferred call and no handler.
func pass(p Point) {
	t := armed()
	if t.point != p.String() || t.passes.Add(-1) != 0 {
		return
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic("crash: " + err.Error())
	}
	select {} // the signal takes the other threads with it
}
