package proof

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// mapping is one range of a process's memory.
type mapping struct {
	from, to uint64
	name     string
}

// readable lists the ranges of a process's memory that can be read. The
// kernel's own pages, which hold nothing of the process, are left out.
func readable(pid int) ([]mapping, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, fmt.Errorf("the memory map of weir: %w", err)
	}
	var out []mapping
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		from, to, ok := strings.Cut(fields[0], "-")
		if !ok || fields[1][0] != 'r' {
			continue
		}
		m := mapping{}
		if len(fields) > 5 {
			m.name = fields[5]
		}
		if strings.HasPrefix(m.name, "[v") { // vvar, vdso, vsyscall
			continue
		}
		var errs [2]error
		m.from, errs[0] = strconv.ParseUint(from, 16, 64)
		m.to, errs[1] = strconv.ParseUint(to, 16, 64)
		if err := errors.Join(errs[:]...); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// eachRange reads all readable memory of a process, piece by piece. A range
// that the process gave back meanwhile is passed over; whatever else cannot be
// read is an error. A process that forbids dumps can be read by root only.
func eachRange(pid int, visit func(m mapping, r io.Reader) error) (bytes int64, err error) {
	list, err := readable(pid)
	if err != nil {
		return 0, err
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, fmt.Errorf("the memory of a hardened weir can be read by root only: %w", err)
	}
	defer func() { _ = mem.Close() }() // only read
	for _, m := range list {
		r := &counter{r: io.NewSectionReader(mem, int64(m.from), int64(m.to-m.from))}
		err := visit(m, bufio.NewReaderSize(r, 1<<20))
		bytes += r.n
		if errors.Is(err, syscall.EIO) && !mapped(pid, m) {
			err = nil
		}
		if err != nil {
			return bytes, fmt.Errorf("read memory %x-%x %s: %w", m.from, m.to, m.name, err)
		}
	}
	return bytes, nil
}

func mapped(pid int, want mapping) bool {
	list, err := readable(pid)
	if err != nil {
		return true
	}
	for _, m := range list {
		if m.from <= want.from && want.to <= m.to {
			return true
		}
	}
	return false
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// scanner remembers what a scan has read and found.
type scanner struct {
	*haystack
	bytes int64
	found hits
}

func (h *haystack) scan() *scanner { return &scanner{haystack: h, found: hits{}} }

// read looks through a stream; a needle may lie across two pieces.
func (s *scanner) read(r io.Reader) error {
	buf := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		s.bytes += int64(n)
		text := buf[:kept+n]
		limit := len(text)
		if err == nil {
			limit -= s.longest
		}
		s.search(text, limit, s.found)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		kept = copy(buf, text[limit:])
	}
}

// memory scans what a process holds at this moment. The witness is a text that
// the process surely holds: a scan that does not see it reads the wrong thing.
func (h *haystack) memory(pid int) (*scanner, error) {
	s := h.scan()
	_, err := eachRange(pid, func(_ mapping, r io.Reader) error { return s.read(r) })
	return s, errors.Join(err, s.witnessed("memory"))
}

// witness owns the needle that every scan of weir's memory must find.
const witness = "witness"

func (s *scanner) witnessed(place string) error {
	if s.found.of(witness) == 0 {
		return fmt.Errorf("the scan of %s does not even find the name of weir's own directory: it is blind", place)
	}
	return nil
}

// core makes an image of a process, scans it and removes it.
func (h *haystack) core(pid int, dir string, make func(pid int, file string) error) (*scanner, error) {
	file := filepath.Join(dir, "core."+strconv.Itoa(pid))
	defer func() { _ = os.Remove(file) }() // it may never have been made
	if err := make(pid, file); err != nil {
		return nil, fmt.Errorf("make a core image: %w", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	s := h.scan()
	return s, errors.Join(s.read(f), f.Close(), s.witnessed("the core image"))
}

// freeze stops a process at this moment, so that one state of it can be read
// at leisure, whatever the machine is doing.
func freeze(pid int) (thaw func() error, err error) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, fmt.Errorf("stop weir: %w", err)
	}
	return func() error { return syscall.Kill(pid, syscall.SIGCONT) }, nil
}

// image copies the readable memory of a process to a file: what a core holds
// of it. It takes a second where a debugger takes half a minute.
func image(pid int, file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = eachRange(pid, func(_ mapping, r io.Reader) error {
		_, err := io.Copy(f, r)
		return err
	})
	return errors.Join(err, f.Close())
}

// byDebugger lets gdb write the core: more than a gigabyte, because gdb also
// copies what the Go runtime has only reserved.
func byDebugger(pid int, file string) error {
	out, err := exec.Command("gcore", "-o", strings.TrimSuffix(file, filepath.Ext(file)), strconv.Itoa(pid)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("gcore: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// debugged says whether there is a debugger.
func debugged() bool {
	_, err := exec.LookPath("gcore")
	return err == nil
}
