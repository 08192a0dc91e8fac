package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// flock is an emulated org whose people have canaries for personal values.
type flock struct {
	*org
	alias   string
	canary  map[string]canary
	seeded  int
	sampled int // calls of the org's log that were looked at
}

// newFlock serves an org where nothing goes wrong by itself.
func newFlock(t *testing.T, program, alias string, gate time.Duration) *flock {
	t.Helper()
	dir := t.TempDir()
	o := &org{t: t, secret: filepath.Join(dir, "secret")}
	p := launch(t, filepath.Join(dir, "sim.log"), nil, program, "sim", "serve", "--json", "--profile", "calm", "--small",
		"--gate", gate.String(), "--credentials", o.secret, "--latency", "60ms", "--recycle-lag", "0s")
	var doc struct {
		URL      string `json:"url"`
		Control  string `json:"control"`
		ClientID string `json:"client_id"`
	}
	if err := p.ready(&doc); err != nil {
		t.Fatal(err)
	}
	o.api, o.control, o.client = doc.URL, doc.Control, doc.ClientID
	return &flock{org: o, alias: alias, canary: newCanaries(alias)}
}

// send posts a document to the org's door for testers.
func (o *org) send(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, o.control+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("control API: %s %s: %s", method, path, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// person puts somebody into the org, with a canary of every class in each
// object that the data map knows, and returns the address to ask by.
func (f *flock) person(ctx context.Context) (email string, err error) {
	f.seeded++
	n := strconv.Itoa(f.seeded)
	email = f.canary[classEmail].text + "." + n + "@example.org"
	name, phone, text := f.canary[className].text, f.canary[classPhone].text, f.canary[classText].text
	put := func(object string, fields map[string]any) (id string) {
		var made struct {
			ID string `json:"id"`
		}
		if err == nil {
			err = f.send(ctx, http.MethodPost, "/records", map[string]any{"object": object, "fields": fields}, &made)
		}
		return made.ID
	}
	contact := put("Contact", map[string]any{
		"FirstName": name, "LastName": name + n, "Email": email, "Phone": phone, "MobilePhone": phone + "9", "Description": text,
		"MailingStreet": text + n, "Loyalty_Id__c": "LOY-C" + n, "Segment__c": "Retail",
	})
	put("Lead", map[string]any{"FirstName": name, "LastName": name, "Email": email, "Company": name, "Phone": phone, "Status": "Open"})
	for range 3 {
		ticket := put("Case", map[string]any{
			"Subject": text, "Description": strings.Repeat(text+" "+name+"\n", 40), "Status": "Working", "Origin": "Email",
			"ContactId": contact, "SuppliedEmail": email, "SuppliedName": name, "Approval_Status__c": "None",
		})
		put("EmailMessage", map[string]any{
			"ParentId": ticket, "FromAddress": email, "FromName": name, "ToAddress": "support@acme.example", "Subject": text,
			"TextBody": strings.Repeat(text+" "+phone+"\n", 40), "Status": "1",
		})
	}
	put("Task", map[string]any{"Subject": text, "WhoId": contact, "Status": "Completed", "Priority": "Normal", "Description": text + name})
	put("Donation__c", map[string]any{"Contact__c": contact, "Donor_Name__c": name, "Donor_Email__c": email, "Amount__c": 5.0, "Dedication__c": text})
	return email, err
}

// calls returns what reached the org since the last look.
func (f *flock) calls(ctx context.Context) ([]emulator.Call, error) {
	var list []emulator.Call
	if _, err := f.try(ctx, "/log?after="+strconv.Itoa(f.sampled), &list); err != nil {
		return nil, err
	}
	if len(list) > 0 {
		f.sampled = list[len(list)-1].Seq
	}
	return list, nil
}

// refuse lets the n-th next call of the API meet a burst limit.
func (f *flock) refuse(ctx context.Context, n int) error {
	return f.send(ctx, http.MethodPut, "/faults", emulator.FaultScript{{Kind: emulator.FaultBurstSeconds, At: n}}, nil)
}

// join adds another org to an installation, with the data map of the proofs.
func (w *installation) join(f *flock, recipient string) {
	w.t.Helper()
	text, err := os.ReadFile("testdata/datamap.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("org: "+alias), []byte("org: "+f.alias), 1)
	if err := os.WriteFile(w.path("datamap", f.alias+".yaml"), text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.must(nil, "org", "add", f.alias, "--instance-url", f.api, "--client-id", f.client, "--secret", "file:"+f.secret, "--recipient", recipient)
	w.lucky("org", "test", f.alias)
}

// ask submits a request of a new person and returns its id. Text is what a
// person may add to it: the reference.
func (w *installation) ask(ctx context.Context, f *flock, right, text string) (id string, err error) {
	email, err := f.person(ctx)
	if err != nil {
		return "", err
	}
	var doc struct {
		Request status `json:"request"`
	}
	err = w.run(ctx, "email:"+email+"\n", &doc, "submit", "--org", f.alias, "--right", right, "--ref", text)
	return doc.Request.ID, err
}
