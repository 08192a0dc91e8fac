package datamap_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/internal/datamap"
)

// Every line of the map means something: no value of it can change and leave
// the hash alone.
func TestHashChangesWithEveryMeaning(t *testing.T) {
	base := mustParse(t, full).Hash()
	for _, change := range [][2]string{
		{"org: prod-eu", "org: prod-us"},
		{`"66.0"`, `"67.0"`},
		{"at: 2026-11-23", "at: 2026-11-24"},
		{"Alt_Email__c", "Alt_Mail__c"},
		{"IsConverted = false", "IsConverted != false"},
		{"confidence: review", "confidence: high"},
		{"fields: personal", "fields: all"},
		{"Date of birth", "Birthday"},
		{"fields: [FirstName, LastName]", "fields: [FirstName]"},
		{"HasOptedOutOfEmail: true", "HasOptedOutOfEmail: false"},
		{"LastName: \"Erased {hash8}\"", "LastName: \"Gone {hash8}\""},
		{"Email: null", "Email: \"null\""},
		{"Score__c: 0", "Score__c: 1"},
		{"if_unmodified_since: true", "if_unmodified_since: false"},
		{"      verify: re-read\n", ""},
		{"purge: none", "purge: recycle-bin"},
		{"shared_by: [Secondary_Contact__c]", "shared_by: [Third_Contact__c]"},
		{"after: [EmailMessage, Task]", "after: [Task]"},
		{"parents: [Case]", "parents: [Lead]"},
		{"reason: tax-10y, until: \"Issued__c + 10y\"", "reason: tax-10y, until: \"Issued__c + 11y\""},
		{"history: {ContactHistory: {on_erase: report}}\n", ""},
		{"Statutory bookkeeping duty", "Statutory duty"},
		{"17(3)(b)", "17(3)(e)"},
		{"Contact.Notes_Internal__c", "Contact.Notes__c"},
	} {
		src := strings.Replace(full, change[0], change[1], 1)
		if src == full {
			t.Fatalf("%q is not in the map", change[0])
		}
		if mustParse(t, src).Hash() == base {
			t.Errorf("%q -> %q leaves the hash alone", change[0], change[1])
		}
	}
}

// Comments, blank lines and the order of keys mean nothing.
func TestHashIgnoresLayout(t *testing.T) {
	lines := strings.SplitAfter(full, "\n")
	base := mustParse(t, full).Hash()
	rapid.Check(t, func(rt *rapid.T) {
		var b strings.Builder
		for _, line := range lines {
			switch rapid.IntRange(0, 4).Draw(rt, "layout") {
			case 0:
				b.WriteString("# a note\n")
			case 1:
				b.WriteString("\n")
			case 2:
				if line != "" {
					line = strings.TrimSuffix(line, "\n") + "   # why\n"
				}
			}
			b.WriteString(line)
		}
		m, err := datamap.Parse("other.yaml", []byte(b.String()))
		if err != nil {
			rt.Fatalf("%v in\n%s", err, b.String())
		}
		if m.Hash() != base {
			rt.Fatalf("layout changed the hash:\n%s", b.String())
		}
	})
	swapped := strings.Replace(full, "version: 1\norg: prod-eu\n", "org: 'prod-eu'\nversion: 1\n", 1)
	if mustParse(t, swapped).Hash() != base {
		t.Error("the order of keys or quotes changed the hash")
	}
}

// Parse never panics and never accepts what it complains about.
func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Add(head + "objects: {}\n")
	f.Add("a: [\n- {")
	f.Fuzz(func(t *testing.T, src string) {
		m, err := datamap.Parse("f.yaml", []byte(src))
		if (m == nil) == (err == nil) {
			t.Fatal("a map and an error exclude each other, and one is needed")
		}
		if m != nil {
			m.Check(nil)
		}
	})
}
