package judge

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	out     = flag.String("out", "", "directory for peers.json and peers.svg; empty = print only")
	only    = flag.String("policies", "", "policies to run; empty = all")
	merge   = flag.String("merge", "", "join these peers.json instead of running; of a policy that is in several, the last counts")
	compare = flag.Bool("compare", false, "run the comparison with the peers, which takes minutes")
)

// TestPeers runs weir and its peers on the same orgs.
func TestPeers(t *testing.T) {
	if *merge != "" {
		joined(t)
		return
	}
	names, in := asked(t)
	n := *seeds
	if !*compare {
		names, n = []string{"fixed"}, 1
	}
	peers := present(t)
	var texts []string
	for _, p := range peers {
		texts = append(texts, p.Name+": "+p.Text)
	}
	rep := Report{Peers: texts, Made: time.Now().UTC().Truncate(time.Second), First: *first, Seeds: n, Ranges: in}
	for _, name := range names {
		runs := []Result{}
		for seed := *first; seed < *first+n; seed++ {
			runs = append(runs, Weir(Draw(name, seed, in), true))
		}
		rep.Lines = append(rep.Lines, Tally(runs))
		for _, p := range peers {
			if *only != "" && !strings.Contains(*only, p.Name) || name == "daily" && strings.HasPrefix(p.Name, "aws") {
				continue // our 5 ms poll for aws would ask 17 million times a day
			}
			began, runs := time.Now(), []Result{}
			for seed := *first; seed < *first+n; seed++ {
				runs = append(runs, p.Run(t, Draw(name, seed, in)))
			}
			rep.Lines = append(rep.Lines, Tally(runs))
			t.Logf("%s %s took %v", name, p.Name, time.Since(began).Round(time.Millisecond))
		}
		publish(t, rep) // what is done is not lost when a later scenario is cut short
	}
	t.Log("\n" + Table(rep.Lines))
	for _, l := range rep.Lines {
		if l.Policy == "weir" && l.Done != l.Seeds && l.Scenario != "daily" { // neighbours may leave too little
			t.Errorf("weir did not finish %s in %d of %d runs", l.Scenario, l.Seeds-l.Done, l.Seeds)
		}
	}
}

// present is the peers that can run here. jsforce needs Node and its packages,
// and takes part only in the comparison.
func present(t *testing.T) []Peer {
	t.Helper()
	if !*compare {
		return Peers()
	}
	js, err := JSforce()
	if err != nil {
		t.Logf("jsforce is left out of the comparison: %v", err)
		return Peers()
	}
	return append(Peers(), js)
}

// joined reads the reports of several runs and publishes them as one.
func joined(t *testing.T) {
	var rep Report
	for i, name := range strings.Split(*merge, ",") {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var part Report
		if err := json.Unmarshal(b, &part); err != nil {
			t.Fatal(err)
		}
		if part.Lines = newest(append(rep.Lines, part.Lines...)); i > 0 {
			part.Seeds = min(part.Seeds, rep.Seeds)
		}
		rep = part
	}
	t.Log("\n" + Table(rep.Lines))
	publish(t, rep)
}

// newest keeps the last line of each policy in each scenario, where the first
// one stood: a policy that was run again replaces what it was before.
func newest(lines []Line) []Line {
	var out []Line
	at := map[string]int{}
	for _, l := range lines {
		key := l.Scenario + " " + l.Policy
		if i, known := at[key]; known {
			out[i] = l
			continue
		}
		at[key] = len(out)
		out = append(out, l)
	}
	return out
}

func publish(t *testing.T, rep Report) {
	if *out == "" {
		return
	}
	doc, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "peers.json", append(doc, '\n'))
	write(t, "peers.svg", []byte(Chart(rep.Lines)))
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(*out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*out, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}
