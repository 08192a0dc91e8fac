package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// ErrInvalidMutation says that a mutation is refused before anything is sent.
var ErrInvalidMutation = errors.New("invalid mutation")

// Mutation changes or deletes one record.
type Mutation struct {
	Object string
	ID     string
	Delete bool
	// Fields are the new values: string, bool, int, int64, float64,
	// json.Number, pii.Secret, or nil for null. Empty for a deletion.
	Fields            map[string]any
	IfMatch           string    // an ETag as the org wrote it, quotes included
	IfUnmodifiedSince time.Time // zero = no such condition; seconds are all that counts
	Alone             bool      // it must not share its fate with others
}

// MutationAnswer is what one mutation of a call gave. A nil Fault means that
// the org acknowledged it.
type MutationAnswer struct {
	Status int
	ETag   string
	Shared bool        // it was in a collection: another record of it may be to blame
	Fault  *weir.Fault // Conflict: the precondition failed; NotExecuted: another element was to blame
	Detail pii.Secret  // the org's message text, which echoes values
}

// Mutate sends mutations in one composite call, each on its own (allOrNone=false):
// those with a precondition one by one, the others in collections of up to 200. When
// the answer is lost or ends early, every mutation that it did not settle has
// UnknownOutcome and EffectUnknown.
//
// An invalid mutation, or more than fit one call, is refused before anything is
// sent: the Answer and every MutationAnswer have a Fault with Validation, EffectNone
// and CodeInvalidMutation.
func (c *Client) Mutate(ctx context.Context, mutations []Mutation) (Answer, []MutationAnswer) {
	a, answers, _, _ := c.MutateAndQuery(ctx, mutations, nil, nil, nil)
	return a, answers
}

// MutateAndQuery sends mutations as Mutate does, and queries and probes behind them in
// the same call, which the org answers after the mutations: see QueryAndProbe. They make
// at most 25 subrequests, of which five are queries or collections.
func (c *Client) MutateAndQuery(ctx context.Context, mutations []Mutation, queries []Query, probes []Probe, sink func(i int, row Row) error) (Answer, []MutationAnswer, []QueryAnswer, []ProbeAnswer) {
	answers, read, guards := make([]MutationAnswer, len(mutations)), make([]QueryAnswer, len(queries)), make([]ProbeAnswer, len(probes))
	groups := pack(mutations)
	n, m := len(groups), len(groups)+len(queries)
	var subs []subrequest
	err := fits(groups, len(queries), len(probes)) // before values are copied
	if err == nil {
		subs, err = c.mutationSubs(mutations, groups)
	}
	if err == nil && len(queries) > 0 {
		var asks []subrequest
		if asks, err = c.querySubs(queries); err == nil {
			subs = append(subs, asks...)
		}
	}
	if err == nil {
		var asks []subrequest
		asks, err = c.probeSubs(probes)
		subs = append(subs, asks...)
	}
	if err != nil {
		a := c.refuse(CodeInvalidMutation, weir.Validation)
		return a, failMutations(a, answers, nil), failQueries(a, read, nil), failProbes(a, guards)
	}
	trees, parts, settled := make([]any, len(subs)), make([]part, n), make([]bool, len(subs))
	bodies, rows := make([]queryBody, len(queries)), &rowReader{}
	defer rows.wipe()
	a := c.composite(ctx, call{mutates: true, header: courtesy(nil)}, subs,
		func(i int, s *scanner) (err error) {
			if i >= n && i < m {
				return bodies[i-n].read(c, s, rows, func(r Row) error { return sink(i-n, r) })
			}
			trees[i], err = s.value()
			return err
		},
		func(i int, p part) {
			settled[i] = true
			switch {
			case i >= m:
				guards[i-m] = c.probeAnswer(p, trees[i])
			case i >= n:
				read[i-n] = bodies[i-n].answer(c, p)
			default:
				parts[i] = p
			}
		})
	halted := haltedAmong(trees[:n])
	told := make([]bool, len(mutations))
	for g, places := range groups {
		if !settled[g] {
			continue
		}
		for _, i := range places {
			told[i] = true
		}
		if len(places) > 1 {
			c.itemAnswers(mutations, places, parts[g], trees[g], halted, answers)
		} else {
			answers[places[0]] = c.mutationAnswer(mutations[places[0]], parts[g], trees[g], halted)
		}
	}
	return a, failMutations(a, answers, told), failQueries(a, read, settled[n:m]), failProbes(a, guards)
}

// fits says whether one composite carries the groups of mutations, as many queries and
// as many probes.
func fits(groups [][]int, queries, probes int) error {
	counted := queries // the org limits queries and collections together
	for _, g := range groups {
		if len(g) > 1 {
			counted++
		}
	}
	if all := len(groups) + queries + probes; len(groups) == 0 || all > maxSubrequests || counted > maxQueries {
		return fmt.Errorf("%d subrequests with %d queries and collections: %w", all, counted, ErrInvalidMutation)
	}
	return nil
}

func (c *Client) mutationAnswer(m Mutation, p part, tree any, halted bool) MutationAnswer {
	v := c.subVerdict(Response{Method: m.method(), Halted: halted, Seen: true}, p, tree)
	out := MutationAnswer{Status: p.status, ETag: p.header.Get("ETag"), Fault: v.Fault(), Detail: v.Detail}
	if out.Fault == nil && p.status/100 != 2 {
		out.Fault = brokenItem()
	}
	return out
}

// haltedAmong says whether an element reports that the whole was halted; a 412
// next to it does not speak of a precondition.
func haltedAmong(trees []any) bool {
	var env envelope
	for _, t := range trees {
		env.add(item{env: unwrapTree(t)})
	}
	return env.halted
}

func failMutations(a Answer, answers []MutationAnswer, settled []bool) []MutationAnswer {
	if a.Fault == nil {
		return answers
	}
	for i := range answers {
		if settled == nil || !settled[i] || a.Fault.Code == CodeMismatch {
			fault := *a.Fault
			answers[i] = MutationAnswer{Status: a.Fault.Status, Fault: &fault}
		}
	}
	return answers
}

func (m Mutation) method() string {
	if m.Delete {
		return http.MethodDelete
	}
	return http.MethodPatch
}

// courtesy adds the headers that keep a write from reaching people: the
// default of Sforce-Auto-Assign mails the new owner, and a duplicate rule would
// put other people's records into the answer.
func courtesy(h map[string]string) map[string]string {
	if h == nil {
		h = map[string]string{}
	}
	h["Sforce-Auto-Assign"] = "FALSE"
	h["Sforce-Duplicate-Rule-Header"] = "allowSave=true; includeRecordDetails=false; runAsCurrentUser=false"
	return h
}

func (c *Client) mutationSubs(mutations []Mutation, groups [][]int) ([]subrequest, error) {
	for i, m := range mutations {
		if !apiName.MatchString(m.Object) || !recordID.MatchString(m.ID) || m.Delete == (len(m.Fields) > 0) {
			return nil, fmt.Errorf("mutation %d: %w", i, ErrInvalidMutation)
		}
	}
	subs := make([]subrequest, len(groups))
	for g, places := range groups {
		var err error
		if len(places) > 1 {
			subs[g], err = c.collection(mutations, places)
		} else {
			subs[g], err = c.mutationSub(mutations[places[0]])
		}
		if err != nil {
			return nil, err
		}
	}
	return subs, nil
}

// mutationSub is the subrequest that carries one mutation.
func (c *Client) mutationSub(m Mutation) (subrequest, error) {
	header, err := m.conditions()
	if err != nil {
		return subrequest{}, err
	}
	sub := subrequest{method: m.method(), url: c.objectPath(m.Object, m.ID), header: courtesy(header)}
	if !m.Delete {
		sub.body, err = fieldsBody(m.Fields)
	}
	return sub, err
}

var entityTag = regexp.MustCompile(`^(?:W/)?"[!#-~]*"$`)

// conditions returns the headers of a mutation's precondition.
func (m Mutation) conditions() (map[string]string, error) {
	h := map[string]string{}
	if m.IfMatch != "" {
		if !entityTag.MatchString(m.IfMatch) {
			return nil, fmt.Errorf("entity tag: %w", ErrInvalidMutation)
		}
		h["If-Match"] = bothTags(m.IfMatch)
	}
	if !m.IfUnmodifiedSince.IsZero() {
		h["If-Unmodified-Since"] = m.IfUnmodifiedSince.UTC().Format(http.TimeFormat)
	}
	return h, nil
}

// bothTags lists a tag with and without its compression suffix: the same
// version of a record has both names, depending on how it was fetched.
func bothTags(tag string) string {
	const suffix = `-gzip"`
	if plain, ok := strings.CutSuffix(tag, suffix); ok {
		return tag + ", " + plain + `"`
	}
	return tag + ", " + strings.TrimSuffix(tag, `"`) + suffix
}
