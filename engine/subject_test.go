package engine_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pii"
)

func TestIdentifiersThatAreNone(t *testing.T) {
	for _, line := range []string{
		"", ":", "email:", "ada@example.com", "mail:ada@example.com", "email:ada", "email:@example.com", "email:ada@", "email:ada@example", "email:ada@.com",
		"email:ada@example.", "email:ada@exam..ple.com", "email:ada@a@example.com", "email:ada@example.com,bob@example.com", "email:Ada <ada@example.com>",
		"email:a da@example.com", "email:ada@example.com\x00", "email:ada\x1b[2J@example.com", "email:ada@example\u202e.com", "email:ada@example.com\u2028x",
		"email:" + strings.Repeat("a", 300) + "@example.com", "email:\xff@example.com",
		"phone:", "phone:call me", "phone:" + strings.Repeat("1", 100), "phone:1\n2", "phone:+49\x07",
		"id:", "id:003", "id:' OR Id != ''''", "id:003000000000001AA'", "id:00300000000000é",
	} {
		if _, err := engine.ParseIdentifier(pii.NewString(line)); !errors.Is(err, engine.ErrIdentifier) {
			t.Errorf("%q was taken for an identifier: %v", line, err)
		}
	}
	for _, line := range []string{"email:ada@example.com", " EMAIL : Ada.O'Neil+x@Example.co.uk ", "email:müller@exämple.de", "phone:+49 (30) 12-34/5", "id:003000000000001AAA"} {
		if _, err := engine.ParseIdentifier(pii.NewString(line)); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// Whatever a line holds, it is refused without being repeated, or it is one
// printable value.
func FuzzIdentifier(f *testing.F) {
	for _, s := range []string{"email:ada@example.com", "phone:+49 30 1", "id:003000000000001AAA", "email:a@b@c.d", "email:\x00@x.y", "\xff:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		id, err := engine.ParseIdentifier(pii.NewString(line))
		if err != nil {
			if _, value, _ := strings.Cut(line, ":"); len(value) > 12 && strings.Contains(err.Error(), value) {
				t.Errorf("the refusal of %q repeats it: %v", line, err)
			}
			return
		}
		value := string(id.Value.Reveal())
		if value == "" || len(value) > 260 || !utf8.ValidString(value) || strings.IndexFunc(value, unicode.IsControl) >= 0 {
			t.Errorf("%q was taken for %s %q", line, id.Kind, value)
		}
	})
}
