package benchmark

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

func dial(path string) error {
	c, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	return c.Close()
}

// From the start of the program on an existing store until its socket answers,
// and what it needs when it has nothing to do.
func TestStart(t *testing.T) {
	w := install(t, "")
	w.connect("one", emulator.New(emulator.Options{Profile: emulator.Calm()}))
	w.serve().stop() // migrates
	starts := 3
	if long() {
		starts = 15
	}
	var took, bare, cpu []time.Duration
	for range starts {
		began := time.Now()
		if err := exec.Command(w.program, "version").Run(); err != nil {
			t.Fatal(err)
		}
		bare = append(bare, time.Since(began))
		began = time.Now()
		s := w.serve()
		w.answers()
		took = append(took, time.Since(began))
		cpu = append(cpu, s.cpu())
		s.stop()
	}
	s := w.serve()
	w.answers()
	idle := 2 * time.Second
	if long() {
		idle = 10 * time.Second
	}
	time.Sleep(idle) // the memory of an idle process is what is left after a while
	rss := memory(t, s.cmd.Process.Pid, "VmRSS")
	s.stop()
	if rss > 90 {
		t.Errorf("an idle weir has %.0f MiB", rss)
	}
	if !long() {
		return
	}
	slices.Sort(took)
	slices.Sort(bare)
	slices.Sort(cpu)
	ms := float64(took[len(took)/2].Microseconds()) / 1000
	note(t, figure{
		Name: "cold start, median", Value: ms, Unit: "ms", Goal: "≤ 100", Reached: ms <= 100,
		Baseline: fmt.Sprintf("`weir version` takes %d ms", bare[len(bare)/2].Milliseconds()),
		Note:     fmt.Sprintf("%d starts on an existing store until the socket answers; the fastest took %d ms; %d ms of processor time", starts, took[0].Milliseconds(), cpu[len(cpu)/2].Milliseconds()),
	})
	note(t, figure{Name: "memory of an idle weir", Value: rss, Unit: "MiB", Goal: "≤ 60", Reached: rss <= 60, Note: "VmRSS, " + idle.String() + " after the start"})
}
