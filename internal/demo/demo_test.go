package demo_test

import (
	"testing"
	"path/filepath"
	"fmt"

	"github.com/weirhq/weir/internal/demo"
)

type tell struct{ demo.JSON; t *testing.T }

func TestOne(t *testing.T) {
	for seed := range uint64(6) {
	o := demo.Defaults()
	o.Dir = filepath.Join(t.TempDir(), "d")
	o.Seed, o.Speed, o.Access, o.Erasure = seed, 0, 2, 4
	d, err := demo.Open(t.Context(), o)
	if err != nil { t.Fatal(err) }
	s, err := d.Run(t.Context(), demo.NewTeller(nothing{}, "x", nil, false))
	if err != nil { t.Fatal(err) }
	fmt.Println(seed, s.WallSeconds, s.DemoSeconds, s.Org.Calls, s.Org.Faults, "early", s.Org.Early, "below", s.Org.BelowFloor, "foreign", s.Org.Foreign, s.Org.Doubled, "letters", s.Letters, "conf", s.Waits.Conflicts, s.Waits.Lost, "drift", s.Waits.Drifts, s.Steps)
	if err := d.Close(false); err != nil { t.Fatal(err) }
	}
}
type nothing struct{}
func (nothing) Write(p []byte) (int, error) { return len(p), nil }
