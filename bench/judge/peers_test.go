package judge

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	out     = flag.String("out", "", "directory for peers.json, peers.svg and peers.md; empty = print only")
	page    = flag.String("page", "", "the page whose table of peers is to be written, such as the README; empty = none")
	only    = flag.String("policies", "", "peers to run, weir always does; empty = all")
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
	policies := append(Ours(), present(t)...)
	var texts []string
	for _, p := range policies {
		texts = append(texts, p.Name+": "+p.Text)
	}
	rep := Report{Peers: texts, Made: time.Now().UTC().Truncate(time.Second), First: *first, Seeds: n, Ranges: in}
	for _, name := range names {
		for _, p := range policies {
			if !p.plays(name) {
				continue
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

// present is the peers that can run here and were asked for. jsforce needs Node
// and its packages, and takes part only in the comparison.
func present(t *testing.T) []Peer {
	t.Helper()
	peers := Peers()
	if *compare {
		js, err := JSforce()
		if err != nil {
			t.Logf("jsforce is left out of the comparison: %v", err)
		} else {
			peers = append(peers, js)
		}
	}
	if *only == "" {
		return peers
	}
	var chosen []Peer
	for name := range strings.SplitSeq(*only, ",") {
		i := slices.IndexFunc(peers, func(p Peer) bool { return p.Name == name })
		if i < 0 && name != "weir" {
			t.Fatalf("-policies: there is no peer %q here", name)
		}
		if i >= 0 {
			chosen = append(chosen, peers[i])
		}
	}
	return chosen
}

// joined reads the reports of several runs and publishes them as one.
func joined(t *testing.T) {
	var rep Report
	for i, name := range strings.Split(*merge, ",") {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		part := Report{Ranges: Stated()} // of what older reports do not say
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

// publish writes the report, and all that is made of it, at once: none of them
// says anything that another does not.
func publish(t *testing.T, rep Report) {
	t.Helper()
	if *out != "" {
		doc, err := json.MarshalIndent(rep, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(*out, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(*out, "peers.json"), string(doc)+"\n")
		write(t, filepath.Join(*out, "peers.svg"), Chart(rep.Lines))
		write(t, filepath.Join(*out, "peers.md"), rep.Page())
	}
	if *page != "" {
		old, err := os.ReadFile(*page)
		if err != nil {
			t.Fatal(err)
		}
		text, err := rep.Into(string(old))
		if err != nil {
			t.Fatalf("%s: %v", *page, err)
		}
		write(t, *page, text)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPublished: the README, the page and the chart show what peers.json holds,
// and nobody typed a figure. -merge docs/bench/peers.json writes them again.
func TestPublished(t *testing.T) {
	const dir, readme = "../../docs/bench", "../../README.md"
	rep := Report{Ranges: Stated()} // of what older reports do not say
	if err := json.Unmarshal([]byte(text(t, filepath.Join(dir, "peers.json"))), &rep); err != nil {
		t.Fatal(err)
	}
	shown := text(t, readme)
	want, err := rep.Into(shown)
	if err != nil {
		t.Fatalf("%s: %v", readme, err)
	}
	for name, same := range map[string]bool{
		readme:      shown == want,
		"peers.md":  text(t, filepath.Join(dir, "peers.md")) == rep.Page(),
		"peers.svg": text(t, filepath.Join(dir, "peers.svg")) == Chart(rep.Lines),
	} {
		if !same {
			t.Errorf("%s does not show what peers.json holds", name)
		}
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
