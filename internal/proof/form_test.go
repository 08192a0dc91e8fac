package proof

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// form is how much a proof does.
type form struct {
	requests int
	kills    int
	within   time.Duration // for each store
	seed     uint64
	without  []string      // kinds of fault that the rude org leaves out
	gate     time.Duration // how long a burst refusal lasts; 0 is the org's own 2 to 9 s
	base     string        // weir's first backoff
	lossy    bool          // the org loses the acknowledgement of one write in ten
	daily    int           // calls that the org allows in 24 hours; 0 = its default
}

// formVariable chooses the long form, and seedVariable another seed.
const (
	formVariable = "WEIR_PROVE"
	seedVariable = "WEIR_PROVE_SEED"
)

func chosenForm(t *testing.T) form {
	t.Helper()
	// What costs minutes and teaches nothing more about kills is left to the
	// long form: weir rightly waits a minute for an org that is down, a slow call
	// lasts 25 s, and a burst refusal up to 9 s.
	f := form{
		requests: 24, kills: 6, within: 4 * time.Minute, seed: 1,
		without: []string{string(emulator.FaultHTML), string(emulator.FaultSlow)}, gate: time.Second, base: "500ms",
	}
	switch os.Getenv(formVariable) {
	case "":
	case "long":
		f = form{requests: 200, kills: 50, within: 40 * time.Minute, seed: 1, base: "2s"}
	default:
		t.Fatalf("%s is %q; it may be long, or empty", formVariable, os.Getenv(formVariable))
	}
	if text := os.Getenv(seedVariable); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
		f.seed = seed
	}
	return f
}
