package config_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/internal/config"
)

func TestShareText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := config.Share(rapid.IntRange(0, 100_00).Draw(t, "share"))
		back, err := config.ParseShare(s.String())
		if err != nil || back != s {
			t.Fatalf("%d is written %s and read %d, %v", s, s, back, err)
		}
	})
}

// TestShareOf compares with arithmetic that cannot overflow.
func TestShareOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := config.Share(rapid.IntRange(0, 100_00).Draw(t, "share"))
		n := rapid.Int64Min(0).Draw(t, "n")
		want := new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(s)))
		want.Quo(want, big.NewInt(100_00))
		if got := s.Of(n); got != want.Int64() {
			t.Fatalf("%s of %d is %d, want %s", s, n, got, want)
		}
	})
}
