package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/socket"
	"github.com/weirhq/weir/internal/store"
)

// SocketName is the socket's file name in the data directory.
const SocketName = "weir.sock"

// maxDocument bounds what an operation reads.
const maxDocument = 1 << 20

// person names who is on the other end of a connection.
type person struct{}

// Handler serves the operations: POST /v1/{operation}. The person is taken
// from the connection, never from the document.
func Handler(e *engine.Engine) http.Handler {
	ops := Operations()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/{operation}", func(w http.ResponseWriter, r *http.Request) {
		op, ok := ops[r.PathValue("operation")]
		if !ok {
			fail(w, noOperation(r.PathValue("operation")))
			return
		}
		by, ok := r.Context().Value(person{}).(string)
		if !ok {
			fail(w, Fail(ExitAuth, "unknown_person", "", "the socket does not tell who is calling"))
			return
		}
		in, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDocument))
		if err != nil {
			fail(w, fmt.Errorf("%w: %w", ErrInput, err))
			return
		}
		out, err := op(r.Context(), e, by, in)
		clear(in) // a submission holds identifiers
		if err != nil {
			fail(w, err)
			return
		}
		reply(w, http.StatusOK, out)
	})
	return mux
}

func fail(w http.ResponseWriter, err error) { reply(w, http.StatusUnprocessableEntity, AsFailure(err)) }

// reply encodes before it answers: half a document would look like a weir that died.
func reply(w http.ResponseWriter, status int, doc any) {
	text, err := json.Marshal(doc)
	if err != nil {
		fail(w, fmt.Errorf("encode the answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the other end hung up: there is nobody to tell
}

// Server answers on the unix socket of a data directory. There is one at a time: a
// second one would take the name away from the first, and nobody could reach it.
type Server struct {
	dir  string
	lock *os.File
}

// NewServer takes the socket of a data directory for this process until Close. It
// fails with engine.ErrLocked while another process has it.
func NewServer(dir string) (*Server, error) {
	lock, err := store.Hold(filepath.Join(dir, SocketName+".lock"))
	if err != nil {
		return nil, fmt.Errorf("take the socket: %w", err)
	}
	return &Server{dir: dir, lock: lock}, nil
}

// Close leaves the socket to others. Serve must have ended.
func (s *Server) Close() error { return s.lock.Close() }

// Serve answers until ctx ends. The socket is 0600, and a connection's person is read
// from the kernel.
func (s *Server) Serve(ctx context.Context, e *engine.Engine) error {
	path, done, err := socket.Address(filepath.Join(s.dir, SocketName))
	if err != nil {
		return fmt.Errorf("place of the socket: %w", err)
	}
	defer done()
	// We hold its lock, so a leftover is stale.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("protect %s: %w", path, err), l.Close())
	}
	srv := &http.Server{
		Handler: Handler(e), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if by, err := peer(c); err == nil {
				return context.WithValue(ctx, person{}, by)
			}
			return ctx
		},
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() }) // Serve returns ErrServerClosed
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", path, err)
	}
	return nil
}

// Remote calls a running weir through its socket.
type Remote struct{ client http.Client }

// Dial looks for a running weir in a data directory. It returns nil without an
// error when none answers there.
func Dial(ctx context.Context, dir string) (*Remote, error) {
	path := filepath.Join(dir, SocketName)
	c, err := socket.Dial(ctx, path)
	if errors.Is(err, fs.ErrNotExist) || isRefused(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	if err := c.Close(); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return &Remote{client: http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return socket.Dial(ctx, path) },
	}}}, nil
}

// Call implements Caller.
func (r *Remote) Call(ctx context.Context, name string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://weir/v1/"+name, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	resp, err := r.client.Do(req)
	if ctx.Err() != nil {
		return AsFailure(ctx.Err())
	}
	if err != nil {
		return gone(name)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end or given up
	text, err := io.ReadAll(resp.Body)
	if ctx.Err() != nil {
		return AsFailure(ctx.Err())
	}
	if err != nil {
		return gone(name)
	}
	if resp.StatusCode != http.StatusOK {
		f := &Failure{}
		if err := json.Unmarshal(text, f); err != nil {
			return fmt.Errorf("decode failure of %s: %w", name, err)
		}
		return f
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", name, err)
	}
	return nil
}

// gone says that weir ended before it answered, or in the middle of it.
func gone(name string) error {
	return Fail(ExitStore, "server_gone", "Is weir still running? The work itself is durable.", "the running weir did not answer %s", name)
}
