//go:build !race

package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
)

// front stands between weir and the org: it loses the answers of writes, and
// lets colleagues edit the very records that weir is about to read or write.
type front struct {
	next http.RoundTripper
	org  *emulator.Org
	dice *rand.Rand

	honours bool // the org honours conditional headers in a composite
	loses   bool // answers of writes get lost
	edits   bool // colleagues edit
	left    int  // edits that they will still make: nobody edits the same few records for ever

	lateFor time.Duration        // how long a late write takes
	flying  map[string]time.Time // deletions that may still land, and until when
	edited  map[weir.Rung]int    // edits right before a call, by what guards the record there
	lost    map[weir.Rung]int    // writes whose answer was lost, by what guards them
	partly  int                  // lost calls of which the org refused a part
}

func newFront(org *emulator.Org, dice *rand.Rand) *front {
	return &front{
		next: org.Transport(), org: org, dice: dice, left: 60, flying: map[string]time.Time{},
		edited: map[weir.Rung]int{}, lost: map[weir.Rung]int{},
	}
}

// target is one record that a call reads or writes.
type target struct {
	object, id string
	method     string // GET, PATCH or DELETE
}

var (
	writesIn  = regexp.MustCompile(`"method":"(PATCH|DELETE)","url":"[^"]*/sobjects/(\w+)/(\w{15,18})`)
	deletesIn = regexp.MustCompile(`"method":"DELETE","url":"[^"]*/composite/sobjects\?ids=([\w,]+)`)
	updatesIn = regexp.MustCompile(`"attributes":{"type":"(\w+)"},"id":"(\w{15,18})"`)
	readsIn   = regexp.MustCompile(`FROM[ +%20]+(\w+)[^"]*? IN \(([^)]*)\)`)
	rowIn     = regexp.MustCompile(`/sobjects/(\w+)/(\w{15,18})$`)
	anyID     = regexp.MustCompile(`\w{18}`)
)

// records names what a call is about.
func records(req *http.Request, body []byte) (out []target) {
	for _, m := range writesIn.FindAllSubmatch(body, -1) {
		out = append(out, target{string(m[2]), string(m[3]), string(m[1])})
	}
	for _, m := range updatesIn.FindAllSubmatch(body, -1) {
		out = append(out, target{string(m[1]), string(m[2]), http.MethodPatch})
	}
	objects := map[string]string{} // of what is read, by record: a deletion names none, and reads back what it wrote
	for _, m := range readsIn.FindAllSubmatch(body, -1) {
		for _, id := range anyID.FindAllString(string(m[2]), -1) {
			objects[id] = string(m[1])
		}
	}
	for _, m := range deletesIn.FindAllSubmatch(body, -1) {
		for _, id := range anyID.FindAllString(string(m[1]), -1) {
			out = append(out, target{objects[id], id, http.MethodDelete})
		}
	}
	for _, r := range out {
		delete(objects, r.id) // written first
	}
	for _, id := range slices.Sorted(maps.Keys(objects)) { // the dice are the same each time
		out = append(out, target{objects[id], id, http.MethodGet})
	}
	if m := rowIn.FindStringSubmatch(req.URL.Path); m != nil {
		out = append(out, target{m[1], m[2], req.Method})
	}
	return out
}

// RoundTrip implements http.RoundTripper.
func (f *front) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil || strings.HasSuffix(req.URL.Path, "/token") {
		return f.pass(req, nil)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return f.pass(req, body)
}

func (f *front) pass(req *http.Request, body []byte) (*http.Response, error) {
	about := records(req, body)
	writes := slices.ContainsFunc(about, func(r target) bool { return r.method != http.MethodGet })
	refused := 0
	for _, r := range about {
		if f.edits && f.dice.IntN(4) == 0 && f.mayEdit(r) && f.edit(r) {
			refused++
		}
	}
	if writes && f.loses && f.dice.IntN(2) == 0 {
		f.lose(about, refused)
	}
	return f.next.RoundTrip(req)
}

// lose makes the org lose the answer of the call that comes now.
func (f *front) lose(about []target, refused int) {
	kind := []emulator.Fault{emulator.FaultLostAck, emulator.FaultLateEffect, emulator.FaultLateEffect, emulator.FaultTruncated}[f.dice.IntN(4)]
	f.org.InjectNext(kind, 1, emulator.Match{Writes: true})
	for _, r := range about {
		f.lost[f.guard(r)]++
		if kind == emulator.FaultLateEffect && r.method == http.MethodDelete {
			f.flying[r.id] = time.Now().Add(f.lateFor)
		}
	}
	if refused > 0 && refused < len(about) {
		f.partly++
	}
}

// guard is what keeps a write of the record from going over somebody's edit.
func (f *front) guard(r target) weir.Rung {
	switch {
	case !f.honours || r.method == http.MethodDelete: // DELETE takes no condition
		return weir.RungReadCompare
	case r.object == "Account":
		return weir.RungIfMatch
	}
	return weir.RungUnmodified
}

// mayEdit leaves out what no client of Salesforce can guard against: an edit
// between its last read and a write that takes no condition, and a second
// change within one second, which the dates of Salesforce do not show.
func (f *front) mayEdit(r target) bool {
	if f.left == 0 || r.method != http.MethodGet && f.guard(r) == weir.RungReadCompare {
		return false
	}
	if time.Now().Before(f.flying[r.id]) || !f.honours && f.loses {
		return false
	}
	rec, ok := f.org.Record(r.object, r.id)
	if !ok || rec["IsDeleted"] == true {
		return false
	}
	changed, ok := rec["LastModifiedDate"].(time.Time)
	return ok && time.Since(changed) >= 2*time.Second
}

// edit lets a colleague change the record, in a field that is to be erased or in
// another one.
func (f *front) edit(r target) bool {
	fields := map[string][]string{
		"Contact": {"Title", "AssistantName"}, "Account": {"Description", "Type"}, "Lead": {"Title"}, "Case": {"Subject"},
		"Task": {"Description"}, "EmailMessage": {"TextBody"}, "Donation__c": {"Note__c"},
	}[r.object]
	if len(fields) == 0 {
		return false
	}
	field := fields[f.dice.IntN(len(fields))]
	value := fmt.Sprintf("Edited %d", f.dice.IntN(1000))
	if field == "Type" {
		value = "Partner"
	}
	if !f.org.Touch(r.object, r.id, map[string]any{field: value}) {
		return false
	}
	f.left--
	f.edited[f.guard(r)]++
	return true
}
