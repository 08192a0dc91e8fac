package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// wait tells the first durable wait of each cause, with the sentence that
// `weir why` recomputes from the recorded inputs.
func (s *story) wait(ctx context.Context, e Event, n weir.Entry, what string) (Event, bool, error) {
	e.Kind = kindWait
	var err error
	if e.Until, err = time.Parse(time.RFC3339Nano, n.Detail[engine.KeyWaitUntil]); err != nil {
		return e, false, fmt.Errorf("wait of step %s in the ledger: %w", n.Step, err)
	}
	if unanswered(n) {
		s.lost[n.Step] = true
		e.Kind = kindLostAnswer
	}
	kind := e.Kind + string(e.Class)
	if e.Class != weir.ThrottledBurst && s.told[kind] {
		return e, false, nil // a throttle of the burst limit comes in two kinds
	}
	if s.told[kind] && s.told[kind+promised] {
		return e, false, nil
	}
	w, err := s.demo.engine.Why(ctx, string(n.Step))
	if err != nil {
		return e, false, err
	}
	for _, x := range w.Decisions {
		if !x.Decision.Wait.Until.Equal(e.Until) {
			continue
		}
		if slices.ContainsFunc(x.Decision.Wait.Evidence, func(v weir.Evidence) bool { return v.Name == promised }) && e.Class == weir.ThrottledBurst {
			kind += promised
		}
		decided := struct {
			Now time.Time `json:"now"`
		}{n.At}
		if err := json.Unmarshal(x.Input, &decided); err != nil {
			return e, false, fmt.Errorf("input of decision %d: %w", x.Seq, err)
		}
		e.Text = fmt.Sprintf("%s: %s %s: %s", n.Request, what, s.until(decided.Now, e.Until), because(x))
		if e.Kind == kindLostAnswer {
			e.Text = fmt.Sprintf("%s: %s %s and is then read back, not sent again: no answer came", n.Request, what, s.until(decided.Now, e.Until))
		}
		return e, s.first(kind), nil
	}
	return e, false, nil
}

// promised is the evidence of a wait whose length the org has named.
const promised = "retry-after"

// until says how long a wait is and, when that is long, when it ends.
func (s *story) until(from, to time.Time) string {
	text := "waits " + span(to.Sub(from))
	if to.Sub(from) >= time.Minute {
		text += " until " + hours(to.Sub(s.demo.born))
	}
	return text
}

// because tells a decision's cause in the words of `weir why`, and the most
// telling of its evidence.
func because(x engine.Explained) string {
	_, text, _ := strings.Cut(x.Sentence, "because ")
	text, _, _ = strings.Cut(text, " (")
	text = strings.TrimSuffix(text, ".")
	for _, v := range x.Decision.Wait.Evidence {
		d, err := time.ParseDuration(v.Value)
		switch {
		case v.Name == promised && err == nil:
			return text + " (told " + span(d) + ")"
		case v.Name == "lag" && err == nil:
			return text + " (lag " + span(d) + ")"
		case v.Name == "attempts":
			return text + " (attempt " + v.Value + ")"
		}
	}
	return text
}
