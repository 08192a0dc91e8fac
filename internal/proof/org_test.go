package proof

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// latency is the mean duration of the org's calls: long enough that a kill can
// hit the middle of one.
const latency = 100 * time.Millisecond

// dailyCalls keeps the allocation out of a proof: what it does to weir is
// simulated elsewhere, in days.
const dailyCalls = 1_000_000

// org is an emulated org in a process of its own, with the door for testers.
type org struct {
	t       *testing.T
	api     string
	control string
	client  string // the consumer key
	secret  string // file with the consumer's secret
	people  []emulator.Subject
}

// startOrg serves an org with the default, rude profile and one person for each
// request.
func startOrg(t *testing.T, program string, f form) *org {
	t.Helper()
	dir := t.TempDir()
	o := &org{t: t, secret: filepath.Join(dir, "secret")}
	p := launch(t, filepath.Join(dir, "sim.log"), nil, program, "sim", "serve", "--json", "--gate", f.gate.String(),
		"--seed", strconv.FormatUint(f.seed, 10), "--subjects", strconv.Itoa(f.requests), "--credentials", o.secret,
		"--latency", latency.String(), "--recycle-lag", "0s",
		"--daily", strconv.Itoa(cmp.Or(f.daily, dailyCalls)), "--without", strings.Join(f.without, ","))
	var doc struct {
		URL      string `json:"url"`
		Control  string `json:"control"`
		ClientID string `json:"client_id"`
		Profile  string `json:"profile"`
	}
	if err := p.ready(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.Profile != emulator.Rude().Name {
		t.Fatalf("the org is %s by default, want %s", doc.Profile, emulator.Rude().Name)
	}
	o.api, o.control, o.client = doc.URL, doc.Control, doc.ClientID
	if f.lossy {
		o.lose(f.seed)
	}
	o.ask("/subjects", &o.people)
	if len(o.people) != f.requests {
		t.Fatalf("the org has %d subjects, want %d", len(o.people), f.requests)
	}
	return o
}

// try reads a document of the control API; found is false when there is none.
func (o *org) try(ctx context.Context, path string, into any) (found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.control+path, nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }() // only read
	switch resp.StatusCode {
	case http.StatusOK:
		return true, json.NewDecoder(resp.Body).Decode(into)
	case http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("control API: %s", resp.Status)
}

func (o *org) ask(path string, into any) {
	o.t.Helper()
	if found, err := o.try(o.t.Context(), path, into); err != nil || !found {
		o.t.Fatalf("GET %s of the org's control API: found %t, %v", path, found, err)
	}
}

func (o *org) truth() emulator.Truth {
	o.t.Helper()
	var truth emulator.Truth
	o.ask("/truth", &truth)
	return truth
}

// record reads a record as it really is.
func (o *org) record(object, id string) (map[string]any, bool) {
	o.t.Helper()
	var fields map[string]any
	found, err := o.try(o.t.Context(), "/records/"+object+"/"+id, &fields)
	if err != nil {
		o.t.Fatal(err)
	}
	return fields, found
}
