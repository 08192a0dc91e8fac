package transport

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// ErrMismatch says that a recorded decision does not follow from what was
// recorded before it.
var ErrMismatch = errors.New("recorded decision does not follow from its inputs")

// Replay computes recorded decisions again, beginning with the state that the
// first one was asked with (the zero State, or what Memory.Load gave), and
// returns the state after the last. Any difference is ErrMismatch.
func Replay(p governor.Policy, s governor.State, records []Record) (governor.State, error) {
	for i, r := range records {
		if governor.Hash(s) != r.Before {
			return s, fmt.Errorf("record %d: another state was asked: %w", i, ErrMismatch)
		}
		var d weir.Decision
		switch {
		case r.Ask != nil:
			s, d = governor.Admit(p, s, *r.Ask)
		case r.Outcome != nil:
			s, d = governor.Observe(p, s, *r.Outcome)
		}
		if !same(d, r.Decision) {
			return s, fmt.Errorf("record %d: %w", i, ErrMismatch)
		}
	}
	return s, nil
}

func same(a, b weir.Decision) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
