package engine_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
)

// ids are drawn by chance; the golden log numbers them as they appear.
var ids = regexp.MustCompile(`\b(R|S)-[0-9A-Z]{8,12}\b|\b[0-9a-f]{64}\b|s:[0-9a-f]{12}`)

func numbered(log string) string {
	log = regexp.MustCompile(`(object|record)=\S+`).ReplaceAllString(log, "$1=…") // which of several comes first is chance too
	seen := map[string]string{}
	return ids.ReplaceAllStringFunc(log, func(id string) string {
		if seen[id] == "" {
			kind := id[:1]
			if len(id) == 64 {
				kind = "hash"
			}
			seen[id] = fmt.Sprintf("<%s%d>", kind, len(seen)+1)
		}
		return seen[id]
	})
}

// One event per transition, with the keys of txn.go, ids and classes only. Run
// with WEIR_UPDATE_GOLDEN=1 to write the file anew, and read the difference.
func TestLogIsGolden(t *testing.T) {
	const golden = "testdata/log.golden"
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := newWorld(t, setup{log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.String(a.Key, a.Value.Time().UTC().Format(time.RFC3339))
				}
				return a
			},
		}))})
		r := w.approved(0)
		w.org.InjectNext(emulator.FaultBurstSeconds, 1, emulator.Match{})
		w.org.InjectNext(emulator.FaultLostAck, 1, emulator.Match{Writes: true})
		w.org.Touch("Case", w.subjects[1].Records["Case"][0], map[string]any{"Approval_Status__c": "Pending"})
		w.until(r.ID, 96*time.Hour, weir.Closed)
		held := w.approved(1)
		for len(w.letters()) == 0 {
			w.settle()
			w.pass()
		}
		if err := w.engine.ResolveLetter(t.Context(), w.letters()[0].ID, "waived", "kept by order of the court", "kim"); err != nil {
			t.Fatal(err)
		}
		w.until(held.ID, 96*time.Hour, weir.Closed)
		got := numbered(story(out.String()))
		if os.Getenv("WEIR_UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("the log changed (-want +got):\n%s", d)
		}
		for _, p := range w.subjects[:2] {
			if strings.Contains(out.String(), p.Email) || strings.Contains(out.String(), "O'Neil") {
				t.Error("the log holds personal data")
			}
		}
	})
}

// story keeps the first line of each act and set of keys: a log of every step
// would say the same many times.
func story(log string) string {
	seen := map[string]bool{}
	values := regexp.MustCompile(`=("[^"]*"|\S+)`)
	var out strings.Builder
	for line := range strings.Lines(log) {
		act := regexp.MustCompile(`msg=\S+`).FindString(line)
		if key := act + values.ReplaceAllString(line, ""); !seen[key] {
			seen[key] = true
			out.WriteString(line)
		}
	}
	return out.String()
}
