package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// startWithin is how long a program may take until it says that it runs.
const startWithin = 60 * time.Second

// process is a program that runs beside the test until somebody ends it.
type process struct {
	cmd   *exec.Cmd
	hello chan []byte   // its first line
	ended chan struct{} // closed when it has ended and was reaped
	err   error         // how it ended
}

// launch starts a program whose output, on both channels, goes to the end of a
// file. The test ends it, if nobody did before.
func launch(t *testing.T, log string, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), hello: make(chan []byte, 1), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = dyingWithUs()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = file
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	go func() { // ends with the program
		defer close(p.ended)
		r := bufio.NewReader(out)
		line, failed := r.ReadBytes('\n')
		_, copied := file.Write(line)
		if failed == nil {
			p.hello <- line
			_, copied = io.Copy(file, r)
		}
		p.err = p.cmd.Wait()
		if p.err == nil {
			p.err = copied
		}
		_ = file.Close() // the program wrote it, not we
	}()
	return p
}

// ready waits for the document with which the program says that it runs.
func (p *process) ready(into any) error {
	select {
	case line := <-p.hello:
		if err := json.Unmarshal(line, into); err != nil {
			return fmt.Errorf("%s printed no document: %w", p.cmd.Path, err)
		}
		return nil
	case <-p.ended:
		return fmt.Errorf("%s ended at its start: %w", p.cmd.Path, p.err)
	case <-time.After(startWithin):
		return fmt.Errorf("%s does not start", p.cmd.Path)
	}
}

// kill ends the program as a power cut would, and reaps it. A program that has
// ended before is left alone.
func (p *process) kill() {
	select {
	case <-p.ended:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may end at this very moment
	<-p.ended
}

// dump ends a program that stands still, with what each of its goroutines waits for
// in its log.
func (p *process) dump() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may end at this very moment
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
	}
	p.kill()
}

// stop asks the program to end and says how it did.
func (p *process) stop(within time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return p.err
	case <-time.After(within):
		p.kill()
		return fmt.Errorf("%s was still running %s after SIGTERM", p.cmd.Path, within)
	}
}
