package proof

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// naiveVariable makes this test binary the naive client, in a process of its
// own that can be killed; its value is the file with the client's orders.
const naiveVariable = "WEIR_PROOF_NAIVE"

func TestMain(m *testing.M) {
	if orders := os.Getenv(naiveVariable); orders != "" {
		if err := naive(orders); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// build makes the program that the proofs run, as it is shipped: without cgo.
// Only the crash proof gives it a tag.
func build(t *testing.T, tags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "weir")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", strings.Join(tags, ","), "-o", program, "github.com/weirhq/weir/cmd/weir")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build weir: %v\n%s", err, out)
	}
	return program
}
