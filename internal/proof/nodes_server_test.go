package proof

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// server is a PostgreSQL server of this test alone, which it may take away.
type server struct {
	url    string
	orders io.WriteCloser
	lines  chan string
}

// ownServer starts a server that disappears with the test. Where the tests run
// without PostgreSQL, so does this one.
func ownServer(t *testing.T) *server {
	t.Helper()
	cmd := exec.Command("../../scripts/with-postgres", "--own") // ends with its input, below
	cmd.Stderr = os.Stderr
	s := &server{lines: make(chan string)}
	var err error
	if s.orders, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the script
		defer close(s.lines)
		for r := bufio.NewScanner(out); r.Scan(); {
			s.lines <- r.Text()
		}
	}()
	t.Cleanup(func() {
		_ = s.orders.Close() // the script may have ended
		for range s.lines {  // nobody waits for these any more
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the PostgreSQL server: %v", err)
		}
	})
	if s.url, err = s.line(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.url, "postgres://") {
		t.Fatalf("the PostgreSQL server says %q", s.url)
	}
	return s
}

func (s *server) line() (string, error) {
	select {
	case line, ok := <-s.lines:
		if !ok {
			return "", io.ErrUnexpectedEOF
		}
		return line, nil
	case <-time.After(2 * time.Minute):
		return "", fmt.Errorf("no answer from the PostgreSQL server")
	}
}

// order stops the server as a power cut would, or starts it again.
func (s *server) order(what string) error {
	if _, err := io.WriteString(s.orders, what+"\n"); err != nil {
		return err
	}
	line, err := s.line()
	if err == nil && line != "ok" {
		err = fmt.Errorf("the PostgreSQL server answers %q", line)
	}
	return err
}
