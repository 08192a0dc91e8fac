package engine

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// nodeName names this process start: host, process and chance, so that a
// process on the same host can tell at once that another one has died.
func (e *Engine) nodeName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "host"
	}
	return strings.ReplaceAll(host, "/", "-") + "/" + strconv.Itoa(os.Getpid()) + "/" + e.randomID(8)
}

// tail is the part of a node's name that is chance: it tells nodes apart and
// tells nobody about our hosts.
func tail(node string) string { return node[strings.LastIndex(node, "/")+1:] }

// Nodes sorts the nodes: those that run, this one included; those that are silent
// and may not be judged, because this node itself was cut off; those that no longer
// run: silent for longer than deadAfter, or, on this host, without a process.
func (e *Engine) Nodes(ctx context.Context) (alive, silent, dead []string, err error) {
	err = e.view(ctx, func(tx *store.Tx) error {
		nodes, err := tx.Nodes()
		hears := e.pulse.hears(time.Now())
		alive, silent, dead = []string{e.node}, nil, nil
		for _, n := range nodes {
			quiet := tx.Now().Sub(n.BeatAt) > deadAfter
			switch {
			case n.ID == e.node:
			case hears && quiet, processGone(e.node, n.ID):
				dead = append(dead, n.ID)
			case quiet:
				silent = append(silent, n.ID)
			default:
				alive = append(alive, n.ID)
			}
		}
		return err
	})
	return alive, silent, dead, err
}

// leave says that this node has stopped, so that the others give it no more slots.
// One that still holds claims stays, and is missed.
func (e *Engine) leave(ctx context.Context) error {
	err := e.transact(ctx, crash.Beat, func(tx *store.Tx) error { return tx.Leave(e.node) })
	if err != nil {
		return fmt.Errorf("leave the other nodes: %w", err)
	}
	return nil
}

// processGone says whether another node of our host has no process any more.
// A process id that was given out again makes it say no, and the silence of
// the heartbeat decides.
func processGone(ours, other string) bool {
	a, b := strings.Split(ours, "/"), strings.Split(other, "/")
	if len(a) != 3 || len(b) != 3 || a[0] != b[0] {
		return false
	}
	pid, err := strconv.Atoi(b[1])
	if err != nil || pid <= 0 || pid == os.Getpid() {
		return false
	}
	return syscall.Kill(pid, 0) == syscall.ESRCH
}
