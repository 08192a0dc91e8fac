package deadline

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Span is a length of time as laws state it.
type Span struct {
	Months       int `json:"months,omitempty"`
	Days         int `json:"days,omitempty"`
	BusinessDays int `json:"business_days,omitempty"`
}

// IsZero says whether the law sets no such time.
func (s Span) IsZero() bool { return s == Span{} }

// String says the span as in "1 month" or "45 days".
func (s Span) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		unit string
	}{{s.Months, "month"}, {s.Days, "day"}, {s.BusinessDays, "business day"}} {
		switch {
		case p.n == 1:
			parts = append(parts, "1 "+p.unit)
		case p.n != 0:
			parts = append(parts, fmt.Sprintf("%d %ss", p.n, p.unit))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, " ")
}

// Ground is why a clock may be stopped.
type Ground string

// The grounds that some law accepts.
const (
	GroundIdentity      Ground = "identity"      // reasonable doubt about who asks
	GroundClarification Ground = "clarification" // the scope must be made clear
	GroundFee           Ground = "fee"           // a lawful fee is not paid yet
)

// Clock is one version of one law's times.
type Clock struct {
	Key         string   `json:"key"`     // such as "gdpr"
	Version     string   `json:"version"` // from when it applies
	Name        string   `json:"name"`
	Acknowledge Span     `json:"acknowledge,omitzero"`
	Answer      Span     `json:"answer"`
	Extension   Span     `json:"extension,omitzero"` // added to Answer, once
	Pauses      []Ground `json:"pauses,omitempty"`
	Source      string   `json:"source"`
}

// clocks is the data. A change of the law is a new entry with a new version;
// an entry that a request may have been received under is never edited.
var clocks = []Clock{ //nolint:gochecknoglobals // a constant table
	{
		Key: "gdpr", Version: "2018-05-25", Name: "EU General Data Protection Regulation",
		Answer: Span{Months: 1}, Extension: Span{Months: 2}, Pauses: []Ground{GroundIdentity},
		Source: "Art. 12(3) and (6) GDPR; EDPB Guidelines 01/2022, section 5.3",
	},
	{
		Key: "uk-gdpr", Version: "2026-02", Name: "UK GDPR as amended by the Data (Use and Access) Act 2025",
		Answer: Span{Months: 1}, Extension: Span{Months: 2},
		Pauses: []Ground{GroundIdentity, GroundClarification, GroundFee},
		Source: "Art. 12A UK GDPR",
	},
	{
		Key: "ccpa", Version: "2023-03-29", Name: "California Consumer Privacy Act",
		Acknowledge: Span{BusinessDays: 10}, Answer: Span{Days: 45}, Extension: Span{Days: 45},
		Source: "11 CCR section 7021: from receipt, regardless of verification",
	},
	{
		Key: "ccpa-opt-out", Version: "2023-03-29", Name: "California Consumer Privacy Act, opt-out of sale and sharing",
		Answer: Span{BusinessDays: 15},
		Source: "11 CCR section 7026(f)",
	},
	{
		Key: "vcdpa", Version: "2023-01-01", Name: "Virginia Consumer Data Protection Act",
		Answer: Span{Days: 45}, Extension: Span{Days: 45},
		Source: "Va. Code section 59.1-577",
	},
	{
		Key: "ctdpa", Version: "2023-07-01", Name: "Connecticut Data Privacy Act",
		Answer: Span{Days: 45}, Extension: Span{Days: 45},
		Source: "Conn. Gen. Stat. section 42-518",
	},
	{
		Key: "lgpd", Version: "2020-09-18", Name: "Brazil Lei Geral de Proteção de Dados",
		Answer: Span{Days: 15},
		Source: "Art. 19 LGPD: the full declaration",
	},
}

// ErrUnknownLaw is returned for a law or version without a clock.
var ErrUnknownLaw = errors.New("no clock for this law")

// Clocks lists every clock, versions of one law oldest first.
func Clocks() []Clock {
	out := slices.Clone(clocks)
	for i := range out {
		out[i].Pauses = slices.Clone(out[i].Pauses)
	}
	return out
}

// Laws lists the keys that Lookup knows, in alphabetical order.
func Laws() []string {
	var keys []string
	for _, c := range clocks {
		keys = append(keys, c.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Lookup finds a clock by its key, such as "gdpr" for the newest version, or
// by key and version, such as "gdpr@2018-05-25".
func Lookup(law string) (Clock, error) {
	key, version, exact := strings.Cut(law, "@")
	var found Clock
	for _, c := range Clocks() {
		if c.Key == key && (!exact && c.Version > found.Version || exact && c.Version == version) {
			found = c
		}
	}
	if found.Key == "" {
		return Clock{}, fmt.Errorf("law %q: %w; known are %s", law, ErrUnknownLaw, strings.Join(Laws(), ", "))
	}
	return found, nil
}

// ID names the clock and its version.
func (c Clock) ID() string { return c.Key + "@" + c.Version }
