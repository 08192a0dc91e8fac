package benchmark

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// period is how often a bounded process gets its share anew. It is short, so that
// a process which has used its share up while it holds a row gives that row back
// soon, as a slow processor would.
const period = 10 * time.Millisecond

// bound gives the program so much of one processor, as a small machine of its own
// would. It skips the test where control groups are not ours to make.
func (s *server) bound(share float64) {
	s.t.Helper()
	quota, every := strconv.Itoa(int(share*float64(period.Microseconds()))), strconv.Itoa(int(period.Microseconds()))
	name := fmt.Sprintf("weir-benchmark-%d", s.cmd.Process.Pid)
	group, limits := filepath.Join("/sys/fs/cgroup", name), map[string]string{"cpu.max": quota + " " + every}
	if old := "/sys/fs/cgroup/cpu"; isDir(old) { // the first version of control groups
		group = filepath.Join(old, name)
		limits = map[string]string{"cpu.cfs_period_us": every, "cpu.cfs_quota_us": quota}
	}
	if err := os.Mkdir(group, 0o755); err != nil {
		s.t.Skipf("a bounded process needs a control group: %v", err)
	}
	s.t.Cleanup(func() { // after the process has ended: it lives in it
		if err := os.Remove(group); err != nil {
			s.t.Log(err)
		}
	})
	limits["cgroup.procs"] = strconv.Itoa(s.cmd.Process.Pid)
	for _, file := range []string{"cpu.max", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cgroup.procs"} {
		if limits[file] == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(group, file), []byte(limits[file]), 0o644); err != nil {
			s.t.Skipf("a bounded process needs a control group of processors: %v", err)
		}
	}
}

func isDir(path string) bool {
	at, err := os.Stat(path)
	return err == nil && at.IsDir()
}
