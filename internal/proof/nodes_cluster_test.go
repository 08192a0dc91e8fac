package proof

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// cluster is several weirs on one PostgreSQL database and one vault directory.
type cluster struct {
	t     *testing.T
	weir  *installation // the people's verbs: they reach the store themselves, whatever the nodes do
	org   *org
	dsn   string
	db    *sql.DB
	nodes []*member
}

// member is a node's place; the process in it changes.
type member struct {
	at      *installation
	process *process
	where   served
	mu      sync.Mutex
	names   []string // of all processes that were here
	falling bool     // it is being killed and started again
}

// startCluster sets weir up with one vault and starts the nodes, each with a
// data directory and, where the system lets us, a host name of its own: then no
// node can look at another's process, and only the heartbeat tells who lives.
func startCluster(t *testing.T, program, dsn string, o *org, f form, nodes int) *cluster {
	t.Helper()
	vault := t.TempDir()
	if err := os.Chmod(vault, 0o700); err != nil {
		t.Fatal(err)
	}
	w := install(t, program, dsn, o, f)
	w.env = append(w.env, "WEIR_VAULT_DIR="+vault)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // the database is dropped anyway
	c := &cluster{t: t, weir: w, org: o, dsn: dsn, db: db}
	for i := range nodes {
		at := *w
		name := "node-" + strconv.Itoa(i)
		at.log = name + ".log"
		at.env = append(slices.Clip(at.env), "WEIR_DATA_DIR="+w.path(name))
		at.host = otherHost(name)
		m := &member{at: &at}
		c.nodes = append(c.nodes, m)
		if err := m.start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// otherHost is the command that runs another one under a host name of its own;
// nil where we may not.
func otherHost(name string) []string {
	as := []string{"unshare", "--uts", "sh", "-c", `hostname "$0" && exec "$@"`, name}
	if exec.Command(as[0], append(as[1:], "true")...).Run() != nil {
		return nil
	}
	return as
}

func (m *member) start(ctx context.Context) error {
	p, where, err := m.at.serve(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.process, m.where = p, where
	m.names = append(m.names, where.Node)
	return nil
}

// dying says whether the node's end is our doing.
func (m *member) dying(yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.falling = yes
}

func (m *member) name() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.where.Node
}

func (m *member) signal(s syscall.Signal) error { return m.process.cmd.Process.Signal(s) }

// alive says why the node does not run, if it does not.
func (m *member) alive() error {
	m.mu.Lock()
	falling, p := m.falling, m.process
	m.mu.Unlock()
	if falling {
		return nil
	}
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended by itself: %w\n%s", m.name(), p.err, tail(m.at.path(m.at.log)))
	default:
		return nil
	}
}

// agent is what a node calls itself towards the org.
func agent(node string) string { return "weir/" + node[strings.LastIndex(node, "/")+1:] }

// held counts the steps that a node's claims hold, and those of them that are
// about to write.
func (c *cluster) held(ctx context.Context, node string) (all, writes int, err error) {
	err = c.db.QueryRowContext(ctx, `
		SELECT count(*), count(*) FILTER (WHERE phase = 'write') FROM step WHERE state = 'EXECUTING' AND node = $1`, node).Scan(&all, &writes)
	return all, writes, err
}

// adopted reads when steps of a node were last taken over since a moment, and
// how many; the ledger says so.
func (c *cluster) adopted(ctx context.Context, node string, since time.Time) (n int, last time.Time, err error) {
	var at int64
	err = c.db.QueryRowContext(ctx, `
		SELECT coalesce(sum((detail::json->>'count')::int), 0), coalesce(max(at), 0) FROM entry
		WHERE act = 'step.adopted' AND detail::json->>'from' = $1 AND at >= $2`, node, since.UnixMilli()).Scan(&n, &at)
	return n, time.UnixMilli(at), err
}

// calls counts the calls of each node since a call of the log.
func (c *cluster) calls(after int) (byNode map[string]int, last int, err error) {
	var log []emulator.Call
	if _, err := c.org.try(c.t.Context(), "/log?after="+strconv.Itoa(after), &log); err != nil {
		return nil, 0, err
	}
	byNode, last = map[string]int{}, after
	for _, call := range log {
		last = call.Seq
		if call.Kind != "token" {
			byNode[call.Agent]++
		}
	}
	return byNode, last, nil
}
