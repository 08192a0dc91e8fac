package proof

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// form is how much a proof does.
type form struct {
	requests int
	kills    int
	within   time.Duration // for each store
	seed     uint64
}

// formVariable chooses the long form, and seedVariable another seed.
const (
	formVariable = "WEIR_PROVE"
	seedVariable = "WEIR_PROVE_SEED"
)

func chosenForm(t *testing.T) form {
	t.Helper()
	f := form{requests: 24, kills: 6, within: 4 * time.Minute, seed: 1}
	switch os.Getenv(formVariable) {
	case "":
	case "long":
		f = form{requests: 200, kills: 50, within: 40 * time.Minute, seed: 1}
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
