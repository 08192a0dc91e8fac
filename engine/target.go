package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

// intended is what a mutation wants a record to hold. Replacement values are
// deterministic, so that a repeat after a lost acknowledgement writes the same.
type intended struct {
	names  []string
	text   map[string]string // field → value, absent = null
	fields map[string]any    // as JSON values for the wire
	digest string
}

func intend(key *vault.Key, st weir.Step, a eraseArgs) intended {
	w := intended{text: map[string]string{}, fields: map[string]any{}}
	hash8 := key.Digest("replacement", []byte(st.Object), []byte(st.Record))[:8]
	for _, f := range a.Fields {
		w.names = append(w.names, f.Field)
		v := datamap.Value(f, hash8)
		w.fields[f.Field] = v
		if v != nil {
			w.text[f.Field] = fmt.Sprint(v)
		}
	}
	w.digest = fieldsDigest(key, w.names, func(f string) (string, bool) { v, ok := w.text[f]; return v, ok })
	return w
}

// fieldsDigest is a keyed digest over field values, normalised as Salesforce
// stores them: trimmed, an empty string is null, and without regard to case,
// because it lower-cases e-mail addresses.
func fieldsDigest(key *vault.Key, names []string, value func(string) (string, bool)) string {
	parts := make([][]byte, 0, 2*len(names))
	for _, n := range names {
		v, ok := value(n)
		v = normal(v)
		if !ok || v == "" {
			parts = append(parts, []byte(n), nil)
			continue
		}
		parts = append(parts, []byte(n), []byte("="+v))
	}
	return key.Digest("fields", parts...)
}

func normal(v string) string { return strings.ToLower(strings.TrimSpace(v)) }

// look takes what the org shows of the record now.
func (t *target) look(row salesforce.Row, who openedRequest) {
	t.seen = true
	t.version, _ = row.String("SystemModstamp")
	t.modified, _ = row.String("LastModifiedDate")
	t.digest = fieldsDigest(who.key, t.want.names, row.String)
	t.asWanted = t.digest == t.want.digest
	t.belongs(row, who.subject)
}

// fields lists what the check of a record reads: versions, the fields by which
// it was found, and those about to change.
func (t *target) fields() []string {
	out := []string{"Id", "SystemModstamp", "LastModifiedDate"}
	for _, m := range t.args.Match {
		out = union(out, m.Fields)
	}
	return union(out, t.want.names)
}

func union(a, b []string) []string {
	for _, x := range b {
		found := false
		for _, y := range a {
			found = found || x == y
		}
		if !found {
			a = append(a, x)
		}
	}
	return a
}

// belongs notes whether a record still matches the subject in one of the ways by
// which it could have been found, and what it refers to: see stillReached.
func (t *target) belongs(row salesforce.Row, who subject) {
	for _, m := range t.args.Match {
		for _, f := range m.Fields {
			v, ok := row.String(f)
			if !ok || v == "" {
				continue
			}
			if m.By == plan.ByParent {
				t.refersTo = append(t.refersTo, reference{v, m.Parents})
			} else if who.has(m.By, v) {
				t.ofSubject = true
			}
		}
	}
}

// stillReached looks whether records that changed are still reached through
// others that are the subject's. Few change between plan and write, and only about
// those the findings are asked: there may be thousands.
func (e *Engine) stillReached(ctx context.Context, id weir.RequestID, targets []*target) error {
	doubtful := func(t *target) bool { return t.seen && t.version != t.args.Version && !t.ofSubject }
	var ids []string
	for _, t := range targets {
		for _, ref := range t.refersTo {
			if doubtful(t) {
				ids = append(ids, ref.record)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var have []weir.Finding
	err := e.view(ctx, func(tx *store.Tx) (err error) {
		have, err = tx.FindingsAbout(id, weir.PassConfirm, ids)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for what changed records refer to: %w", err)
	}
	for _, t := range targets {
		t.ofSubject = t.ofSubject || doubtful(t) && slices.ContainsFunc(t.refersTo, func(ref reference) bool {
			return slices.ContainsFunc(have, func(h weir.Finding) bool {
				return h.Record == ref.record && slices.Contains(ref.objects, h.Object)
			})
		})
	}
	return nil
}

// sealDetail keeps the org's message, which echoes values, under the request's
// key when the fault is about to reach a person. It returns no reference for
// faults that pass by themselves, and none when sealing fails: the outcome of a
// write must be recorded even when its message cannot be kept.
func (e *Engine) sealDetail(ctx context.Context, key *vault.Key, st weir.Step, f *weir.Fault, detail pii.Secret, p governor.Policy) weir.SealRef {
	if detail.IsZero() || f.Category.Throttled() || (f.Retryable && st.Attempts+1 < p.Retries) {
		return weir.SealRef{}
	}
	ref, err := key.Seal(ctx, letterBlob(st), func(w io.Writer) error {
		_, err := w.Write(detail.Reveal())
		return err
	})
	if err != nil {
		e.log.Warn("the org's message could not be sealed and was dropped", KeyStep, string(st.ID), "error", err.Error())
		return weir.SealRef{}
	}
	return ref
}

func letterBlob(st weir.Step) vault.BlobID {
	return vault.BlobID{Kind: "letter", Object: string(st.ID), Epoch: st.Epoch}
}

// parseStamp reads a Salesforce date-time.
func parseStamp(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05.000-0700", time.RFC3339Nano} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, errors.New("not a Salesforce date-time")
}
