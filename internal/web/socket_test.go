package web_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/internal/web"
)

// A weir that is killed in the middle of an answer is one that does not answer:
// half a document is no answer, and no mistake of ours.
func TestKilledWhileAnswering(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":         "",
		"head only":       "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
		"half a document": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"requests\":[{",
		"half a chunk":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"requests\":[{",
		"half a failure":  "HTTP/1.1 409 Conflict\r\nContent-Length: 100\r\n\r\n{\"co",
	} {
		dir := t.TempDir()
		l, err := net.Listen("unix", filepath.Join(dir, web.SocketName))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				head := make([]byte, 1)
				if _, err := c.Read(head); err == nil { // the look whether somebody answers sends nothing
					_, _ = c.Write([]byte(answer))
				}
				_ = c.Close()
			}
		}()
		r, err := web.Dial(t.Context(), dir)
		if err != nil || r == nil {
			t.Fatalf("dial: %v", err)
		}
		var out map[string]any
		err = r.Call(t.Context(), "requests", struct{}{}, &out)
		if f := web.AsFailure(err); f.Exit != web.ExitStore || !strings.Contains(f.Error(), "did not answer") {
			t.Errorf("%s: exit %d, %v", name, f.Exit, err)
		}
		_ = l.Close()
	}
}

// The socket is one process's: a second server would take its name away.
func TestOneServer(t *testing.T) {
	dir := t.TempDir()
	first, err := web.NewServer(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := web.NewServer(dir); !errors.Is(err, engine.ErrLocked) {
		t.Errorf("a second server: %v, want %v", err, engine.ErrLocked)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := web.NewServer(dir)
	if err != nil {
		t.Fatalf("after the first one: %v", err)
	}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := web.NewServer(dir); !errors.Is(err, store.ErrUnsafe) {
		t.Errorf("where others could exchange the socket: %v, want %v", err, store.ErrUnsafe)
	}
}
