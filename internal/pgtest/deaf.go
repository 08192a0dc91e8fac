package pgtest

import (
	"bytes"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Deaf stands between weir and PostgreSQL. It hands every COMMIT on, and of one in so
// many it swallows the answer and closes the connection, as a server that goes away
// in that moment: the transaction stands, and nobody has told us. It can also cut a
// connection before a message has gone on.
type Deaf struct {
	DSN string // of the database behind it

	to      *pgconn.Config
	every   atomic.Int64
	commits atomic.Int64
	lost    atomic.Int64
	cut     atomic.Int64
}

// StartDeaf serves on a port of its own until the test ends.
func StartDeaf(t testing.TB, dsn string) *Deaf {
	t.Helper()
	to, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends with the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // nobody uses it any more
	d := &Deaf{to: to}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.serve(c)
		}
	}()
	at.Host = l.Addr().String()
	q := at.Query()
	q.Del("host") // a socket's directory
	q.Set("sslmode", "disable")
	at.RawQuery = q.Encode()
	d.DSN = at.String()
	return d
}

// Every says of which of the COMMITs from now on the answer is lost; 0 is none.
func (d *Deaf) Every(n int64) { d.every.Store(n) }

// Lost counts the COMMITs that were answered by nobody.
func (d *Deaf) Lost() int64 { return d.lost.Load() }

// Cut closes the connection over which the n-th message from now on would go, once.
func (d *Deaf) Cut(n int64) { d.cut.Store(n) }

// Uncut is how many messages are still to go before one is cut; 0 when it was.
func (d *Deaf) Uncut() int64 { return max(d.cut.Load(), 0) }

// commit ends a transaction. It is a message of its own: database/sql waits for the
// answers to what came before.
const commit = "Q\x00\x00\x00\x0bcommit\x00"

func (d *Deaf) serve(weir net.Conn) {
	defer func() { _ = weir.Close() }()
	network, address := pgconn.NetworkAddress(d.to.Host, d.to.Port)
	server, err := net.Dial(network, address) //nolint:noctx // ends with weir's connection
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var swallow atomic.Bool
	go func() {
		defer func() { _ = server.Close() }()
		buf := make([]byte, 1<<16)
		for {
			n, err := weir.Read(buf)
			if every := d.every.Load(); every > 0 && bytes.HasPrefix(buf[:n], []byte(commit)) && d.commits.Add(1)%every == 0 {
				swallow.Store(true)
			}
			if d.cut.Load() > 0 && d.cut.Add(-1) == 0 {
				_ = weir.Close() // which the other direction then finds out
				return
			}
			if _, write := server.Write(buf[:n]); err != nil || write != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		if swallow.Load() {
			d.lost.Add(1)
			return
		}
		if _, write := weir.Write(buf[:n]); err != nil || write != nil {
			return
		}
	}
}
