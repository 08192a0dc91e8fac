package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
}

// MutationAnswer is what one mutation of a call gave. A nil Fault means that
// the org acknowledged it.
type MutationAnswer struct {
	Status int
	ETag   string
	Fault  *weir.Fault // Conflict: the precondition failed; NotExecuted: another element was to blame
	Detail pii.Secret  // the org's message text, which echoes values
}

// Mutate sends up to 25 mutations in one composite call, each on its own
// (allOrNone=false) and each with its own precondition. When the answer is
// lost or ends early, every mutation that it did not settle has
// UnknownOutcome and EffectUnknown.
//
// An invalid mutation is refused before anything is sent: the Answer and every
// MutationAnswer have a Fault with Validation, EffectNone and
// CodeInvalidMutation.
func (c *Client) Mutate(ctx context.Context, mutations []Mutation) (Answer, []MutationAnswer) {
	answers := make([]MutationAnswer, len(mutations))
	subs, err := c.mutationSubs(mutations)
	if err != nil {
		return failMutations(c.refuse(CodeInvalidMutation, weir.Validation), answers, nil)
	}
	trees := make([]any, len(mutations))
	parts := make([]part, len(mutations))
	settled := make([]bool, len(mutations))
	a := c.composite(ctx, call{mutates: true, header: courtesy(nil)}, subs,
		func(i int, s *scanner) error {
			var err error
			trees[i], err = s.value()
			return err
		},
		func(i int, p part) { parts[i], settled[i] = p, true })
	halted := haltedAmong(trees)
	for i, m := range mutations {
		if settled[i] {
			answers[i] = c.mutationAnswer(m, parts[i], trees[i], halted)
		}
	}
	return failMutations(a, answers, settled)
}

func (c *Client) mutationAnswer(m Mutation, p part, tree any, halted bool) MutationAnswer {
	v := c.subVerdict(Response{Method: m.method(), Halted: halted, Seen: true}, p, tree)
	out := MutationAnswer{Status: p.status, ETag: p.header.Get("ETag"), Fault: v.Fault(), Detail: v.Detail}
	if out.Fault == nil && p.status/100 != 2 {
		out.Fault = ownFault(CodeBrokenAnswer, weir.UnknownOutcome, weir.EffectUnknown)
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

func failMutations(a Answer, answers []MutationAnswer, settled []bool) (Answer, []MutationAnswer) {
	if a.Fault == nil {
		return a, answers
	}
	for i := range answers {
		if settled == nil || !settled[i] || a.Fault.Code == CodeMismatch {
			fault := *a.Fault
			answers[i] = MutationAnswer{Status: a.Fault.Status, Fault: &fault}
		}
	}
	return a, answers
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

func (c *Client) mutationSubs(mutations []Mutation) ([]subrequest, error) {
	if len(mutations) == 0 || len(mutations) > maxSubrequests {
		return nil, fmt.Errorf("%d mutations in one call: %w", len(mutations), ErrInvalidMutation)
	}
	subs := make([]subrequest, len(mutations))
	for i, m := range mutations {
		if !apiName.MatchString(m.Object) || !recordID.MatchString(m.ID) || m.Delete == (len(m.Fields) > 0) {
			return nil, fmt.Errorf("mutation %d: %w", i, ErrInvalidMutation)
		}
		header, err := m.conditions()
		if err != nil {
			return nil, err
		}
		subs[i] = subrequest{method: m.method(), url: c.objectPath(m.Object, m.ID), header: courtesy(header)}
		if !m.Delete {
			if subs[i].body, err = fieldsBody(m.Fields); err != nil {
				return nil, err
			}
		}
	}
	return subs, nil
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

// fieldsBody writes field values as a JSON object, in a buffer that is cleared
// after it was sent.
func fieldsBody(fields map[string]any) ([]byte, error) {
	b := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if !apiName.MatchString(name) {
			return nil, fmt.Errorf("field name %.80q: %w", name, ErrInvalidMutation)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":`...)
		var err error
		if b, err = appendValue(b, fields[name]); err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case pii.Secret:
		return appendQuoted(b, v.Reveal())
	case string:
		return appendQuoted(b, []byte(v))
	case nil, bool, int, int64, float64, json.Number:
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, ErrInvalidMutation // the encoder's text quotes the value
		}
		return append(b, raw...), nil
	}
	return nil, fmt.Errorf("a value of type %T: %w", v, ErrInvalidMutation)
}

// appendQuoted writes a JSON string byte by byte, so that a secret is copied
// only into the buffer that will be cleared.
func appendQuoted(b, s []byte) ([]byte, error) {
	if !utf8.Valid(s) {
		return nil, fmt.Errorf("not UTF-8: %w", ErrInvalidMutation)
	}
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"'), nil
}
