package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// jsforceHome holds the driver, and node_modules where somebody has run npm ci.
const jsforceHome = "jsforce"

// JSforce is the peer that is no Go: the real npm module under Node. The error
// says why it cannot run here. It has no second variant, because its
// documentation names no setting for a throttled API: maxRequest of a Connection
// bounds the parts of one call with many records, and the options of the retries
// are not among those that the documentation of Connection.request lists.
//
// package.json pins the newest version that runs on Node 20. Version 3.10.26,
// which wants Node 22 and calls another fetch, retries by the same law.
func JSforce() (Peer, error) {
	doc, err := os.ReadFile(filepath.Join(jsforceHome, "node_modules", "jsforce", "package.json"))
	if err != nil {
		return Peer{}, fmt.Errorf("its packages are not installed (npm ci in bench/judge/jsforce): %w", err)
	}
	var module struct{ Version string }
	if err := json.Unmarshal(doc, &module); err != nil {
		return Peer{}, fmt.Errorf("reading which version of jsforce is installed: %w", err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		return Peer{}, fmt.Errorf("jsforce needs Node: %w", err)
	}
	text := "npm jsforce " + module.Version + " under Node, defaults: 5 retries, 0.5 s · 2^n without jitter, Retry-After not read"
	return Peer{"jsforce", text, func(t *testing.T, sc *Scenario) Result {
		t.Helper()
		res, _, err := playJSforce(t.Context(), sc)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}}, nil
}

// played is what the driver says when the work is done or given up.
type played struct {
	End      time.Duration   // of the last call that the org took
	Left     time.Duration   // when the last worker stopped
	Took     []time.Duration // of each call that the org took in the end
	Requests int             // that jsforce sent
	Asked    int             // calls to jsforce; the other requests are its own retries
}

// playJSforce is the org for a driver in a process of its own, which keeps the
// virtual time and asks in its order.
func playJSforce(ctx context.Context, sc *Scenario) (Result, played, error) {
	start, err := json.Marshal(map[string]int{
		"workers": sc.Workers, "processes": sc.Processes, "calls": sc.Calls, "most": attemptsMost(sc),
	})
	if err != nil {
		return Result{}, played{}, fmt.Errorf("writing the scenario for jsforce: %w", err)
	}
	node := exec.CommandContext(ctx, "node", "driver.cjs", string(start))
	node.Dir = jsforceHome
	node.Env = []string{} // jsforce would take a proxy, a timeout and a log level from there
	var complaint bytes.Buffer
	node.Stderr = &complaint
	questions, err := node.StdoutPipe()
	if err != nil {
		return Result{}, played{}, fmt.Errorf("connecting to Node: %w", err)
	}
	answers, err := node.StdinPipe()
	if err != nil {
		return Result{}, played{}, fmt.Errorf("connecting to Node: %w", err)
	}
	if err := node.Start(); err != nil {
		return Result{}, played{}, fmt.Errorf("starting Node: %w", err)
	}
	world := NewWorld(sc)
	said, err := converse(world, json.NewDecoder(questions), json.NewEncoder(answers))
	_ = answers.Close() // a driver that still waits for an answer ends with that
	if ended := node.Wait(); err != nil || ended != nil {
		return Result{}, played{}, fmt.Errorf("jsforce on %s, seed %d: %w: %s", sc.Name, sc.Seed, errors.Join(err, ended), complaint.Bytes())
	}
	world.Settle(said.Left)
	res := Result{Makespan: said.End, Finished: len(said.Took) == sc.Calls, Count: world.Count}
	res.Begun = min(sc.Calls, len(said.Took)+sc.Workers) // a worker that stops early holds a piece
	res.P50, res.P99 = quantiles(said.Took)
	return res, said, nil
}

// converse answers one request after the other until the driver is done.
func converse(world *World, questions *json.Decoder, answers *json.Encoder) (played, error) {
	for {
		var said struct {
			At   time.Duration // of a request
			Done *played
		}
		if err := questions.Decode(&said); err != nil {
			return played{}, fmt.Errorf("reading a request: %w", err)
		}
		if said.Done != nil {
			return *said.Done, nil
		}
		if err := answers.Encode(respond(world.Arrive(said.At))); err != nil {
			return played{}, fmt.Errorf("answering a request: %w", err)
		}
	}
}

// response is what jsforce gets after a while of virtual time.
type response struct {
	Took       time.Duration `json:"took"`
	Status     int           `json:"status"`
	RetryAfter int           `json:"retryAfter"` // seconds; 0 = no header
}

// respond makes of all rejects a 429, as orgWire does for the peers in Go.
func respond(a Answer) response {
	if a.Reject == Taken {
		return response{Took: a.Took, Status: http.StatusOK}
	}
	return response{Took: a.Took, Status: http.StatusTooManyRequests, RetryAfter: seconds(a.RetryAfter)}
}
