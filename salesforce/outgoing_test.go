package salesforce_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

// A process may be stopped after it has begun to send. The org has most of the
// body then, and must not get the last byte once the claim has lapsed.
func TestNothingIsSentOnceTheClaimHasLapsed(t *testing.T) {
	for _, c := range []struct {
		name  string
		asked int32 // how often the answer is yes
		body  int   // bytes of the field's value
	}{
		{"before the call", 0, 10},
		{"before the last byte", 1, 10},
		{"before the last byte of many", 1, 300_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			var whole atomic.Int32
			o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err == nil {
					whole.Add(1)
				}
				reply(w, 200, elements(element(0, 204, "", "null")))
			})
			client := o.client(t)
			if a := client.Renew(t.Context()); a.Fault != nil {
				t.Fatal(a.Fault)
			}
			var asked atomic.Int32
			ctx := salesforce.SendWhile(t.Context(), func() bool { return asked.Add(1) <= c.asked })
			write := []salesforce.Mutation{{Object: "Contact", ID: contact, Fields: map[string]any{"A": strings.Repeat("x", c.body)}}}
			a, got := client.Mutate(ctx, write)
			for _, f := range []*weir.Fault{a.Fault, got[0].Fault} {
				if f == nil || f.Code != salesforce.CodeLapsed || f.Category != weir.StorageFault || f.Effect != weir.EffectNone || !f.Retryable {
					t.Errorf("the fault is %+v, want a lapsed claim without effect", f)
				}
			}
			if a.Calls != 0 || !a.SentAt.IsZero() || whole.Load() != 0 {
				t.Errorf("%d calls, sent at %s, %d whole bodies arrived; want nothing", a.Calls, a.SentAt, whole.Load())
			}
			if a, _ := client.Mutate(t.Context(), write); a.Fault != nil || whole.Load() != 1 {
				t.Errorf("the next call gives %+v", a.Fault)
			}
		})
	}
}

func TestAgentNamesTheNode(t *testing.T) {
	var agent atomic.Value
	for node, want := range map[string]string{"": "weir", "K7Q2MNPR": "weir/K7Q2MNPR", "a\r\nX-Evil: 1": "weir"} {
		o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
			agent.Store(r.Header.Get("User-Agent"))
			reply(w, 200, `{"DailyApiRequests":{"Max":5000,"Remaining":4000}}`)
		})
		c := o.client(t, func(p *salesforce.Options) { p.Node = node })
		if a, _ := c.Limits(t.Context()); a.Fault != nil || agent.Load() != want {
			t.Errorf("node %q: the org sees %q, want %q (%v)", node, agent.Load(), want, a.Fault)
		}
	}
}
