package benchmark

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// resultsVariable chooses the long form, and says in which directory its
// figures go; each run of a package writes one file there.
const resultsVariable = "WEIR_BENCH"

func long() bool { return os.Getenv(resultsVariable) != "" }

// scaleVariable makes a long form smaller, in percent, for a machine that is
// busy with other things; each figure says how much it was measured with.
const scaleVariable = "WEIR_BENCH_PERCENT"

func scaled(n int) int {
	percent, err := strconv.Atoi(os.Getenv(scaleVariable))
	if err != nil || percent <= 0 {
		percent = 100
	}
	return max(n*percent/100, 1)
}

// figure is one measurement. Goal is what was promised, in words; Baseline is
// what the same machine did in the same run without weir in between.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Goal     string  `json:"goal,omitempty"`
	Reached  bool    `json:"reached"`
	Baseline string  `json:"baseline,omitempty"`
	Note     string  `json:"note,omitempty"`
	Load     float64 `json:"load"` // average of the last minute when it was measured
}

// document is one file of figures with the machine that they were measured on.
type document struct {
	Schema  string   `json:"schema"`
	Date    string   `json:"date"`
	Cores   int      `json:"cores"`
	Go      string   `json:"go"`
	System  string   `json:"system"`
	Figures []figure `json:"figures"`
}

// book collects the figures of one run.
type book struct {
	mu      sync.Mutex
	figures []figure
}

// results is a function's variable, so that no package variable changes.
var results = sync.OnceValue(func() *book { return &book{} })

// note records a figure and says it.
func note(t *testing.T, f figure) {
	t.Helper()
	f.Load = load()
	t.Logf("%s: %.4g %s (goal %s, reached %t; baseline %s; load %.1f) %s", f.Name, f.Value, f.Unit, f.Goal, f.Reached, f.Baseline, f.Load, f.Note)
	b := results()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.figures = append(b.figures, f)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir := os.Getenv(resultsVariable); dir != "" {
		if err := results().write(filepath.Join(dir, "weir.json")); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

// write replaces the figures of the same names in a file and keeps the others,
// so that one scenario can be measured again.
func (b *book) write(file string) error {
	if len(b.figures) == 0 {
		return nil
	}
	d := document{}
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &d); err != nil {
			return err
		}
	}
	d.Schema, d.Date = "weir.bench/v1", time.Now().UTC().Format("2006-01-02")
	d.Cores, d.Go, d.System = runtime.NumCPU(), runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	kept := d.Figures[:0]
	for _, f := range d.Figures {
		if !b.has(f.Name) {
			kept = append(kept, f)
		}
	}
	d.Figures = append(kept, b.figures...)
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

func (b *book) has(name string) bool {
	for _, f := range b.figures {
		if f.Name == name {
			return true
		}
	}
	return false
}

// load is the load average of the last minute; zero where the kernel tells none.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return n
}

// memory reads a size of a process from the kernel: VmHWM is the peak, VmRSS
// what it has now. In MiB.
func memory(t *testing.T, pid int, key string) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatalf("the kernel does not tell %s", key)
	return 0
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
