package proof

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/web"
)

// patron is a customer who does everything that people do, and does at once
// what the next blow needs: some points lie on ways that are seldom taken.
type patron struct {
	*customer
	form    crashForm
	pool    []*order // who has not asked yet
	dropped int      // requests that a person ended
	tries   map[string]int
	tried   map[string]time.Time
	files   int
	socket  *web.Remote
	unheard error     // why the last question had no answer
	refused bool      // the org refuses our credentials
	since   time.Time // the last change of that
	late    time.Time // the last one came whose deadline has passed
	wall    wall
}

func newPatron(c *customer, f crashForm) *patron {
	p := &patron{customer: c, form: f, pool: c.orders, tries: map[string]int{}, tried: map[string]time.Time{}, wall: wall{file: c.weir.path("wall")}}
	c.orders = nil
	return p
}

// receive plays the people until every blow has fallen and every request that
// was accepted has ended.
func (s *crashSiege) receive(ctx context.Context, p *patron) error {
	for {
		struck := int(s.kills.Load())
		open, err := p.round(ctx, s.wanted.Load(), struck == len(s.blows))
		if err != nil {
			return err
		}
		if s.held == "" && struck >= len(s.blows)/2 {
			if err := unlessPassing(s.hold(ctx)); err != nil {
				return err
			}
		}
		if open == 0 && struck == len(s.blows) {
			return nil
		}
		if err := pause(ctx, 150*time.Millisecond); err != nil {
			return err
		}
	}
}

// round does what is to be done now, and brings about what is wanted. It says
// how many requests are open. At last, nobody asks any more.
func (p *patron) round(ctx context.Context, wanted *crash.Write, last bool) (open int, err error) {
	if lives, err := p.look(ctx); err != nil || !lives {
		return len(p.orders), err
	}
	want := crash.Write("")
	if wanted != nil {
		want = *wanted
	}
	if err := p.provoke(ctx, want); err != nil {
		return 0, err
	}
	stock := 0
	for _, o := range p.orders {
		if over(o) {
			continue
		}
		open++
		if err := p.serve(ctx, o, want, &stock, last); err != nil {
			return open, err
		}
	}
	late := want == crash.Arrange && time.Since(p.late) > lateEvery
	if last || open-stock >= p.form.window && !late {
		return open, nil
	}
	if len(p.pool) == 0 {
		return open, fmt.Errorf("all %d people have asked, and blows are still to come", len(p.orders))
	}
	o := p.pool[0]
	p.pool = p.pool[1:]
	if err := p.lockSome(ctx, o, stock); err != nil {
		return open, err
	}
	if late { // the schedule gives it up
		o.asked, p.late = time.Now().AddDate(0, -3, 0).Format(time.DateOnly), time.Now()
	}
	p.orders = append(p.orders, o)
	return open + 1, p.handIn(ctx, o)
}

// lateEvery is how often somebody comes whose deadline has passed, while a blow
// waits for the schedule to tell of it, which is made anew every half minute.
const lateEvery = 40 * time.Second

// handIn submits a request. When weir dies meanwhile, the next look tells by the
// reference whether it was accepted.
func (p *patron) handIn(ctx context.Context, o *order) error {
	var doc struct {
		Request status `json:"request"`
	}
	args := []string{"submit", "--org", alias, "--right", o.right, "--ref", o.ref}
	if o.asked != "" {
		args = append(args, "--received", o.asked)
	}
	err := p.weir.run(ctx, "email:"+o.person.Email+"\n", &doc, args...)
	if err == nil {
		o.id = doc.Request.ID
	}
	return unlessPassing(err)
}

// over says whether a request has ended, in whatever way.
func over(o *order) bool {
	return o.ended() || o.status.Stage == "CANCELLED" || o.status.Stage == "REJECTED"
}

// serve does for one request what its stage asks of people.
func (p *patron) serve(ctx context.Context, o *order, want crash.Write, stock *int, last bool) error {
	switch {
	case o.id == "": // weir died while it was handed in
		return p.handIn(ctx, o)
	case o.status.Stage == "RECEIVED" && want == crash.Arrange && o.asked != "":
		return nil // it stays open until the schedule is made anew
	case o.status.Stage == "RECEIVED" && want == crash.Urgent:
		return unlessPassing(p.weir.run(ctx, "", nil, "urgent", o.id, "--reason", "the subject is in danger"))
	case o.status.Stage == "RECEIVED":
		return unlessPassing(p.weir.run(ctx, "", nil, "verify", o.id, "--evidence", "TICKET-"+o.ref))
	case o.status.Stage == "AWAITING_APPROVAL" && o.right == erasure && (want == crash.End || want == crash.Shred):
		verb := []string{"cancel", "reject"}[p.dropped%2]
		p.dropped++
		return unlessPassing(p.weir.run(ctx, "", nil, verb, o.id, "--reason", "withdrawn"))
	case o.status.Stage == "AWAITING_APPROVAL" && want == crash.Replan:
		p.again++
		err := p.weir.run(ctx, "", nil, "--timeout", "10s", "plan", o.id, "--again")
		if failedWith(err, exitThrottled) {
			return nil // the new plan waits for the org, and nobody for the plan
		}
		return unlessPassing(err)
	case o.status.Stage == "AWAITING_APPROVAL":
		return p.approve(ctx, o)
	case len(o.status.Letters) > 0:
		return p.adjudicate(ctx, o, want, stock, last)
	}
	return nil
}

// inStock is how many locked records may wait for a person, so that there is
// always a letter to decide about when a blow needs one.
const inStock = 2

// lockSome lets the org lock a record of every fourth erasure, and of every one
// while no letter waits.
func (p *patron) lockSome(ctx context.Context, o *order, stock int) error {
	if o.right != erasure || (stock >= inStock || len(p.orders)%4 > 1) {
		return nil
	}
	id := o.person.Records["Case"][0]
	if !slices.Contains(o.person.Locked, id) {
		o.person.Locked = append(slices.Clone(o.person.Locked), id)
	}
	return p.org.tell(ctx, http.MethodPost, "/touch", map[string]any{
		"object": "Case", "id": id, "fields": map[string]any{"Approval_Status__c": "Pending"},
	})
}

// maxTries is how often a letter may be sent again, wanted or not.
const maxTries = 40

// thinking is how long people look at a letter that they have decided about
// before: what waits for a gate that ends too late for it comes back at once.
const thinking = 3 * time.Second

// adjudicate decides about the dead letters of a request.
func (p *patron) adjudicate(ctx context.Context, o *order, want crash.Write, stock *int, last bool) error {
	for _, id := range o.status.Letters {
		var doc struct {
			Letter letter `json:"letter"`
		}
		if err := p.weir.persist(ctx, &doc, "dlq", "show", id); err != nil {
			return err
		}
		l := doc.Letter
		if l.State != "OPEN" || l.Cause == string(weir.AuthConfig) { // that one goes by itself
			continue
		}
		act := []string{"retry", id}
		if l.Code == "ENTITY_IS_LOCKED" {
			if !slices.Contains(o.person.Locked, l.Record) {
				return fmt.Errorf("%s says that %s %s is locked, and it is not", id, l.Object, l.Record)
			}
			*stock++
			if want != crash.Retry && want != crash.Resolve && !last && *stock <= inStock {
				continue
			}
			if want != crash.Retry {
				act = []string{"resolve", id, "--as", "withheld", "--reason", "approval under way"}
			}
		}
		if time.Since(p.tried[id]) < thinking {
			continue
		}
		p.tried[id] = time.Now()
		if p.tries[id]++; p.tries[id] > maxTries {
			return fmt.Errorf("%s of %s is still open after %d decisions: %s %s %s, cause %s %s", id, o.id, maxTries, l.Kind, l.Object, l.Record, l.Cause, l.Code)
		}
		if err := unlessPassing(p.weir.run(ctx, "", nil, append([]string{"dlq"}, act...)...)); err != nil {
			return err
		}
		p.decided[act[0]+" "+l.Cause+" "+l.Code]++
	}
	return nil
}

// settled leaves the requests that were carried out, for the judge: what a person
// ended may have touched nothing, so that its records count as foreign.
func (p *patron) settled() {
	all := len(p.orders)
	p.orders = slices.DeleteFunc(p.orders, func(o *order) bool { return !o.ended() })
	p.dropped = all - len(p.orders)
}
