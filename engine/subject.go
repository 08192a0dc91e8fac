package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/vault"
)

// Identifier is one thing by which a subject can be found.
type Identifier struct {
	Kind  string // email, phone or id
	Value pii.Secret
}

// ErrIdentifier is wrapped when an identifier cannot be used. The message
// never repeats the value.
var ErrIdentifier = errors.New("identifier not usable")

// ParseIdentifier reads "email:ada@example.com", "phone:…" or "id:…".
func ParseIdentifier(line pii.Secret) (Identifier, error) {
	kind, value, ok := strings.Cut(strings.TrimSpace(string(line.Reveal())), ":")
	if !ok {
		return Identifier{}, fmt.Errorf("%w: write it as kind:value, such as email:…", ErrIdentifier)
	}
	kind, value = strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(value)
	switch kind {
	case "email":
		if !oneAddress(value) {
			return Identifier{}, fmt.Errorf("%w: this is not one e-mail address", ErrIdentifier)
		}
		value = strings.ToLower(value)
	case "phone":
		if strings.IndexFunc(value, isDigit) < 0 || len(value) > maxPhone || !printable(value) {
			return Identifier{}, fmt.Errorf("%w: a phone number has digits, and at most %d characters", ErrIdentifier, maxPhone)
		}
	case "id":
		if len(value) != 15 && len(value) != 18 || strings.IndexFunc(value, func(r rune) bool { return !isDigit(r) && !isLetter(r) }) >= 0 {
			return Identifier{}, fmt.Errorf("%w: a record id has 15 or 18 letters and digits", ErrIdentifier)
		}
	default:
		return Identifier{}, fmt.Errorf("%w: kind is email, phone or id", ErrIdentifier)
	}
	return Identifier{Kind: kind, Value: pii.NewString(value)}, nil
}

// What Salesforce's fields hold: an address of 80 characters and no more than
// mail allows, a phone number of 40. A longer one finds nobody.
const (
	maxAddress = 254
	maxPhone   = 80
)

// oneAddress says whether this can only be one e-mail address.
func oneAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(s) > maxAddress || !printable(s) || strings.ContainsAny(s, " <>,;") || strings.Contains(domain, "@") {
		return false
	}
	labels := strings.Split(domain, ".")
	return len(labels) > 1 && !slices.Contains(labels, "")
}

func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func printable(s string) bool { return oneLine("", s) == nil }

// subject is who a request is about, open in memory for the length of one call.
type subject struct{ values identifiers }

// identifiers are the values by which records are found, by their kinds.
type identifiers map[string][]pii.Secret

func (s subject) close() {
	for _, vs := range s.values {
		for _, v := range vs {
			v.Clear()
		}
	}
}

// has says whether a field's value is one of the subject's identifiers.
func (s subject) has(kind, value string) bool {
	for _, v := range s.values[kind] {
		if strings.EqualFold(strings.TrimSpace(value), string(v.Reveal())) {
			return true
		}
	}
	return false
}

var subjectBlob = vault.BlobID{Kind: "subject"} //nolint:gochecknoglobals // a constant; Go has no constant structs

// sealSubject writes the identifiers under the request's key.
func sealSubject(ctx context.Context, key *vault.Key, ids []Identifier) (weir.SealRef, error) {
	doc := map[string][]string{}
	for _, id := range ids {
		doc[id.Kind] = append(doc[id.Kind], string(id.Value.Reveal()))
	}
	return key.Seal(ctx, subjectBlob, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(doc)
	})
}

// openSubject reads them back.
func openSubject(ctx context.Context, key *vault.Key, ref weir.SealRef) (subject, error) {
	r, err := key.Open(ctx, subjectBlob, ref)
	if err != nil {
		return subject{}, fmt.Errorf("open subject: %w", err)
	}
	doc := map[string][]string{}
	err = json.NewDecoder(r).Decode(&doc)
	if err = errors.Join(err, r.Close()); err != nil {
		return subject{}, fmt.Errorf("open subject: %w", err)
	}
	s := subject{values: identifiers{}}
	for k, vs := range doc {
		for _, v := range vs {
			s.values[k] = append(s.values[k], pii.NewString(v))
		}
	}
	return s, nil
}
