package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/weirhq/weir/emulator"
)

// The rights of the mixed requests.
const (
	access  = "access"
	erasure = "erasure"
)

// order is one data subject request of the proof.
type order struct {
	ref    string
	right  string
	person emulator.Subject
	asked  string // the day on which they asked; empty = today
	id     string // weir's; empty until submitted
	status status
}

// status is what `weir requests` shows of a request.
type status struct {
	ID      string   `json:"id"`
	Ref     string   `json:"ref"`
	Stage   string   `json:"stage"`
	Reason  string   `json:"reason"`
	Plan    string   `json:"plan_hash"`
	Letters []string `json:"dead_letters"`
}

func (o *order) ended() bool { return o.status.Stage == "CLOSED" || o.status.Stage == "DELIVERED" }

// customer is the people around a weir: they submit, approve, and decide about
// dead letters, all on the command line.
type customer struct {
	weir    *installation
	org     *org
	orders  []*order
	retried map[string]int // by dead letter
	decided map[string]int // what was decided about dead letters, by cause
	again   int            // plans that had to be made anew
}

func newCustomer(w *installation, o *org) *customer {
	c := &customer{weir: w, org: o, retried: map[string]int{}, decided: map[string]int{}}
	for i, p := range o.people {
		c.orders = append(c.orders, &order{ref: "PROOF-" + strconv.Itoa(i), right: []string{erasure, access}[i%2], person: p})
	}
	return c
}

// round does what is to be done now: submit up to so many requests, approve
// plans, decide about dead letters. It says how many requests have ended.
func (c *customer) round(ctx context.Context, allowed int) (ended int, err error) {
	for _, o := range c.orders[:min(allowed, len(c.orders))] {
		if o.id == "" {
			if err := c.submit(ctx, o); err != nil {
				return 0, err
			}
		}
	}
	if err := c.refresh(ctx); err != nil {
		return 0, err
	}
	for _, o := range c.orders {
		switch {
		case o.ended():
			ended++
		case o.status.Stage == "AWAITING_APPROVAL":
			err = c.approve(ctx, o)
		case len(o.status.Letters) > 0:
			err = c.decide(ctx, o)
		}
		if err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// submit hands a request in. When weir dies meanwhile, nobody knows whether
// the request was accepted; the reference tells, so that none is handed in
// twice.
func (c *customer) submit(ctx context.Context, o *order) error {
	var doc struct {
		Request status `json:"request"`
	}
	err := c.weir.run(ctx, "email:"+o.person.Email+"\n", &doc, "submit", "--org", alias, "--right", o.right, "--ref", o.ref)
	if err == nil {
		o.id = doc.Request.ID
		return nil
	}
	if !failedWith(err, exitStore) {
		return err
	}
	return c.refresh(ctx)
}

// refresh reads how far every request has come.
func (c *customer) refresh(ctx context.Context) error {
	var doc struct {
		Requests []status `json:"requests"`
	}
	if err := c.weir.persist(ctx, &doc, "requests", "--all"); err != nil {
		return err
	}
	known := map[string]status{}
	for _, s := range doc.Requests {
		if _, twice := known[s.Ref]; twice {
			return fmt.Errorf("there are two requests %s", s.Ref)
		}
		known[s.Ref] = s
	}
	for _, o := range c.orders {
		s, ok := known[o.ref]
		if !ok && o.id != "" {
			return fmt.Errorf("the accepted request %s is lost", o.id)
		}
		o.id, o.status = s.ID, s
	}
	return nil
}

// approve consents to a plan, or asks for a new one where something changed
// after the consent. Weir may die meanwhile and may have moved on: the next
// round sees.
func (c *customer) approve(ctx context.Context, o *order) error {
	var err error
	switch {
	case o.status.Reason == "plan_stale":
		c.again++
		err = c.weir.run(ctx, "", nil, "--timeout", "10s", "plan", o.id, "--again")
	case o.status.Plan == "":
		return fmt.Errorf("%s has no plan: %s", o.id, o.status.Reason)
	default:
		err = c.weir.run(ctx, "", nil, "approve", o.id, "--plan", o.status.Plan)
	}
	return unlessPassing(err)
}

// unlessPassing forgets a failure that a killed weir explains.
func unlessPassing(err error) error {
	if failedWith(err, exitStore) || failedWith(err, exitConflict) {
		return nil
	}
	return err
}

// maxRetries is how often the same letter may be sent again: what still dies
// then is no bad luck.
const maxRetries = 6

// letter is what `weir dlq show` tells about a dead letter.
type letter struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Cause  string `json:"cause"`
	Code   string `json:"code"`
	Kind   string `json:"kind"`
	Object string `json:"object"`
	Record string `json:"record"`
}

// decide acts upon the dead letters of a request. A record that an approval in
// the org has locked is kept; anything else that the rude org may cause is sent
// again.
func (c *customer) decide(ctx context.Context, o *order) error {
	for _, id := range o.status.Letters {
		var doc struct {
			Letter letter `json:"letter"`
		}
		if err := c.weir.persist(ctx, &doc, "dlq", "show", id); err != nil {
			return err
		}
		l := doc.Letter
		if l.State != "OPEN" {
			continue
		}
		if c.retried[id]++; c.retried[id] > maxRetries {
			return fmt.Errorf("%s of %s died again after %d retries: %s %s %s, cause %s %s", id, o.id, maxRetries, l.Kind, l.Object, l.Record, l.Cause, l.Code)
		}
		act := []string{"retry", id}
		if l.Code == "ENTITY_IS_LOCKED" {
			if !slices.Contains(o.person.Locked, l.Record) {
				return fmt.Errorf("%s says that %s %s is locked, and it is not", id, l.Object, l.Record)
			}
			act = []string{"resolve", id, "--as", "withheld", "--reason", "approval under way"}
		}
		if err := unlessPassing(c.weir.run(ctx, "", nil, append([]string{"dlq"}, act...)...)); err != nil {
			return err
		}
		c.decided[act[0]+" "+l.Cause+" "+l.Code]++
	}
	return nil
}

// unfinished names the requests that have not come to their end.
func (c *customer) unfinished() error {
	var errs []error
	for _, o := range c.orders {
		if !o.ended() {
			errs = append(errs, fmt.Errorf("%s (%s, %s) is %s %s", o.id, o.ref, o.right, o.status.Stage, o.status.Reason))
		}
	}
	return errors.Join(errs...)
}
