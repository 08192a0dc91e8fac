package proof

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// verifyWithin is what the verification of a million entries may take on two
// idle cores.
const verifyWithin = 10 * time.Second

// TestAuditOfAMillion fills the ledger with a million entries, lets weir number
// and sign them, and measures how long the verbs take to verify them: from the
// store, and from an export. The short form has fewer, and judges no time.
func TestAuditOfAMillion(t *testing.T) {
	entries, long := 20_000, os.Getenv(formVariable) == "long"
	if long {
		entries = 1_000_000
	}
	program := build(t)
	verifier := filepath.Join(t.TempDir(), "weir-verify")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", verifier, "github.com/weirhq/weir/cmd/weir-verify")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build weir-verify: %v\n%s", err, out)
	}
	pgtest.Each(t, func(t *testing.T, dsn string) {
		h := &household{t: t, dsn: dsn, weir: installQuiet(t, program, dsn)}
		began := time.Now()
		h.inside(func(ctx context.Context, s *store.Store, _ *vault.Vault) error { return appendEntries(ctx, s, entries) })
		t.Logf("%d entries appended in %s", entries, time.Since(began).Round(time.Second))
		saved, log := h.weir.path("saved.note"), h.weir.path("log.jsonl")
		h.timed("number and sign", "--timeout", "30m", "audit", "checkpoint", "-o", saved)
		took := h.timed("verify the store", "audit", "verify", "--timeout", "5m", "--checkpoint", saved)
		h.timed("export", "audit", "export", "--timeout", "5m", "-o", log)
		h.timed("verify the export", "audit", "verify", log, "--key", h.weir.public, "--checkpoint", saved)
		began = time.Now()
		out, err := exec.CommandContext(t.Context(), verifier, "--key", h.weir.public, "--checkpoint", saved, log).CombinedOutput()
		t.Logf("weir-verify: %s in %s", out, time.Since(began).Round(10*time.Millisecond))
		if err != nil {
			t.Error(err)
		}
		if long && took > verifyWithin {
			t.Errorf("the verification took %s, want at most %s", took, verifyWithin)
		}
	})
}

// timed runs a verb to its end and says how long it took, and how much work it was.
func (h *household) timed(what string, args ...string) time.Duration {
	h.t.Helper()
	began := time.Now()
	cmd := h.start(args...)
	if err := cmd.Wait(); err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
	took := time.Since(began)
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss // KiB
	h.t.Logf("%s: %s, with %s of processor time and at most %d MiB", what, took.Round(10*time.Millisecond), work(cmd).Round(10*time.Millisecond), peak>>10)
	return took
}

// appendEntries writes entries as transitions do, many in a transaction.
func appendEntries(ctx context.Context, s *store.Store, n int) error {
	for from := 0; from < n; from += 1000 {
		err := s.Update(ctx, time.Now(), func(tx *store.Tx) error {
			for i := from; i < min(from+1000, n); i++ {
				err := tx.Append(weir.Entry{
					By: "weir", Act: "step.done", Org: alias, Request: weir.RequestID(fmt.Sprintf("R-%08d", i/40)),
					Step:   weir.StepID(fmt.Sprintf("S-%08d", i)),
					Detail: map[string]string{"object": "Contact", "record": fmt.Sprintf("003%012dAAA", i), "calls": "1", "outcome": "applied"},
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
