package emulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/emulator"
)

func fixed() time.Time { return time.Date(2026, 11, 23, 20, 10, 0, 0, time.UTC) }

func demo(seed uint64, subjects int) (*emulator.Org, []emulator.Subject) {
	org := emulator.New(emulator.Options{Seed: seed, Now: fixed, Profile: emulator.Calm()})
	return org, emulator.SeedDemo(org, subjects)
}

func TestSeedIsDeterministic(t *testing.T) {
	first, a := demo(7, 8)
	second, b := demo(7, 8)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	for _, s := range a {
		for object, ids := range s.Records {
			for _, id := range ids {
				x, ok := first.Record(object, id)
				y, _ := second.Record(object, id)
				if diff := cmp.Diff(x, y); diff != "" || !ok {
					t.Fatal(diff)
				}
			}
		}
	}
}

// TestSubjects finds each subject as a careful client would, and gets exactly
// the records that are theirs.
func TestSubjects(t *testing.T) {
	org, subjects := demo(3, 12)
	c := &client{t: t, http: &http.Client{Transport: org.Transport()}}
	c.signIn(org)
	total := 0
	for _, object := range []string{"Account", "Contact", "Lead", "Case", "Task", "EmailMessage", "Donation__c"} {
		var out struct{ TotalSize int }
		c.decode(c.query("SELECT COUNT() FROM "+object), &out)
		total += out.TotalSize
	}
	if total < 10_000 {
		t.Errorf("%d records", total)
	}
	locked := 0
	for _, s := range subjects {
		address := strings.ReplaceAll(s.Email, "'", `\'`)
		contacts := c.ids("SELECT Id FROM Contact WHERE Email = '" + address + "'")
		leads := c.ids("SELECT Id FROM Lead WHERE Email = '" + address + "'")
		in := "('" + strings.Join(contacts, "','") + "')"
		who := "('" + strings.Join(slices.Concat(contacts, leads), "','") + "')"
		cases := c.ids("SELECT Id FROM Case WHERE ContactId IN " + in + " OR SuppliedEmail = '" + address + "'")
		found := map[string][]string{
			"Contact": contacts, "Lead": leads, "Case": cases,
			"Task":         c.ids("SELECT Id FROM Task WHERE WhoId IN " + who),
			"EmailMessage": c.ids("SELECT Id FROM EmailMessage WHERE ParentId IN ('" + strings.Join(cases, "','") + "')"),
			"Donation__c":  c.ids("SELECT Id FROM Donation__c WHERE Contact__c IN " + in),
		}
		if diff := cmp.Diff(s.Records, found); diff != "" {
			t.Errorf("%d records of a subject: %s", s.Count(), diff)
		}
		if len(contacts) != 2 || len(s.IDs()) != s.Count() || len(s.LookAlikes) < 2 || len(s.Shared["Donation__c"]) != 2 {
			t.Errorf("%+v", s)
		}
		locked += len(s.Locked)
	}
	if locked != 1 {
		t.Errorf("%d records are locked", locked)
	}
}

// suffix is the checksum in another way than the emulator computes it.
func suffix(id string) string {
	out := ""
	for ; id != ""; id = id[5:] {
		n := 0
		for i := 4; i >= 0; i-- {
			n *= 2
			if strings.ToUpper(id[i:i+1]) == id[i:i+1] && strings.ToLower(id[i:i+1]) != id[i:i+1] {
				n++
			}
		}
		out += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[n : n+1]
	}
	return out
}

func TestIDs(t *testing.T) {
	if suffix("001D000000K0fXO") != "IAZ" { // from the vendor's documentation
		t.Fatal("the test is wrong")
	}
	org, subjects := demo(1, 3)
	prefixes := map[string]string{"Contact": "003", "Lead": "00Q", "Case": "500", "Task": "00T", "EmailMessage": "02s", "Donation__c": "a00"}
	seen := map[string]bool{}
	for _, s := range subjects {
		for object, ids := range s.Records {
			for _, id := range ids {
				if len(id) != 18 || !strings.HasPrefix(id, prefixes[object]) || seen[id] {
					t.Errorf("%s has id %s", object, id)
				}
				seen[id] = true
				if suffix(id[:15]) != id[15:] {
					t.Errorf("%s has a wrong checksum", id)
				}
				if _, ok := org.Record(object, id[:15]); !ok {
					t.Errorf("%s is not found by 15 characters", id)
				}
			}
		}
	}
}

// TestSameSeedSameFaults makes the same calls twice, and once with another seed.
func TestSameSeedSameFaults(t *testing.T) {
	run := func(seed uint64) []emulator.Call {
		org := emulator.New(emulator.Options{Seed: seed, Now: fixed, Profile: emulator.Rude().Without(emulator.FaultSlow)})
		people := emulator.SeedSmall(org)
		c := &client{t: t, http: &http.Client{Transport: org.Transport()}}
		c.signIn(org)
		for i := range 200 {
			id := people[i%4].Records["Contact"][0]
			if a, err := c.try(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"x"}`); err == nil && a.status == 401 {
				c.signIn(org)
			}
		}
		return org.Log()
	}
	if diff := cmp.Diff(run(5), run(5)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(run(5), run(6)) {
		t.Error("the seed changes nothing")
	}
}
