package ledger

import (
	"bytes"
	_ "embed" // the page is a file of its own
	"fmt"
	"html/template"
	"time"
)

//go:embed certificate.html
var certificatePage string

// HTML returns the certificate as a page for people: no script, no external
// resource, fit for printing. The page is a reading copy and says so; only the
// signed document proves anything.
func HTML(c Certificate) ([]byte, error) {
	t, err := template.New("certificate").Funcs(template.FuncMap{"stamp": stamp}).Parse(certificatePage)
	if err != nil {
		return nil, fmt.Errorf("ledger: certificate page: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, struct {
		Certificate
		Counts []outcomeCount
		Late   bool
	}{c, countOutcomes(c.Items), !c.DueAt.IsZero() && c.CompletedAt.After(c.DueAt)}); err != nil {
		return nil, fmt.Errorf("ledger: certificate page of %s: %w", c.Request, err)
	}
	return out.Bytes(), nil
}

type outcomeCount struct {
	Outcome CertOutcome
	N       int
}

func countOutcomes(items []CertItem) []outcomeCount {
	n := map[CertOutcome]int{}
	for _, it := range items {
		n[it.Outcome] += it.Records()
	}
	var out []outcomeCount
	for _, o := range CertOutcomes() {
		if n[o] > 0 {
			out = append(out, outcomeCount{o, n[o]})
		}
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "not set"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
