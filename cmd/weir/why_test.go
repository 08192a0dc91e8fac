package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/web"
)

// A step that has waited for a day has thousands of decisions: a person reads the newest.
func TestWhyShowsTheNewest(t *testing.T) {
	var w web.WhyAnswer
	for i := range 1234 {
		w.Decisions = append(w.Decisions, web.DecisionDoc{Sentence: "decision " + strconv.Itoa(i)})
	}
	for most, want := range map[int]string{
		20:   "1234 were recorded, each computed again from its recorded inputs\n    1214 earlier ones: --all shows them\n    0001-01-01 00:00:00Z  decision 1214\n",
		1234: "1234 were recorded, each computed again from its recorded inputs\n    0001-01-01 00:00:00Z  decision 0\n",
	} {
		p := &page{}
		whyText(p, w, most)
		if got := p.buf.String(); !strings.Contains(got, want) || !strings.HasSuffix(got, "decision 1233\n") {
			t.Errorf("at most %d: %.300q, want %q in it", most, got, want)
		}
	}
}
