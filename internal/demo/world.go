package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

const orgID weir.OrgID = "acme-demo"

// The recycle bin's lag, as Salesforce documents it, and how long the proof
// waits for it: the policy's default.
const recycleLag = 24 * time.Hour

// behind is how long ago the demonstration's time begins: longer than it
// lasts, so that what is stamped lies in the past for whoever reads it later.
const behind = 72 * time.Hour

// dailyLimit is what a Developer Edition org has in any 24 hours.
const dailyLimit = 15_000

// Open makes the directory, fills the org and opens the engine on it. Nothing
// is asked for yet.
func Open(ctx context.Context, opts Options) (*Demo, error) {
	scenario, err := findScenario(opts.Scenario)
	if err != nil {
		return nil, err
	}
	d := &Demo{opts: opts, scenario: scenario}
	d.clock = NewClock(time.Now().Add(-behind), opts.Speed)
	d.born = d.clock.Now()
	people := d.populate()
	creds := d.org.Credentials()
	if d.place, err = makePlace(ctx, opts.Dir, creds.ClientID, pii.NewString(creds.ClientSecret)); err != nil {
		return nil, err
	}
	if err := d.openEngine(ctx, creds); err != nil {
		return nil, errors.Join(err, d.place.remove())
	}
	d.desk = newDesk(d, people)
	d.story = newStory(d)
	return d, nil
}

// populate fills the org and returns who will ask for something: first those
// who want to be erased, the one with the locked record among them.
func (d *Demo) populate() []emulator.Subject {
	d.org = emulator.New(emulator.Options{
		Seed: d.opts.Seed, Now: d.clock.Now, Sleep: d.clock.Sleep, Profile: d.scenario.profile,
		InstanceURL: instanceURL, RecycleLag: recycleLag, Limits: emulator.Limits{DailyAPI: dailyLimit},
	})
	people := emulator.SeedDemo(d.org, max(d.opts.Access+d.opts.Erasure, 3))
	slices.SortStableFunc(people, func(a, b emulator.Subject) int { return min(len(b.Locked), 1) - min(len(a.Locked), 1) })
	for i := range people {
		p := &people[i]
		// A household of their own: the one object whose rows carry an ETag.
		p.Records["Account"] = append(p.Records["Account"], d.org.Put("Account", map[string]any{
			"Name": "Household of " + p.Name, "Type": "Household", "Billing_Email__c": p.Email, "BillingCity": "London",
		}))
		if d.scenario.locked {
			continue
		}
		for _, id := range p.Locked {
			d.org.Touch("Case", id, map[string]any{"Approval_Status__c": "None"})
		}
	}
	return people
}

func (d *Demo) openEngine(ctx context.Context, creds emulator.Credentials) error {
	m, err := datamap.Parse(d.place.mapFile(), dataMap)
	if err != nil {
		return err
	}
	policy := engine.DefaultPolicy()
	d.engine, err = engine.Open(ctx, engine.Options{
		DataDir: d.place.data(), DSN: "sqlite://" + filepath.Join(d.place.data(), "weir.db"),
		KEK: d.place.kek, SigningKey: d.place.signing, Policy: policy, Now: d.clock.Now, Tick: tick,
		Orgs: []engine.Org{{
			ID: orgID, InstanceURL: instanceURL, APIVersion: m.APIVersion, Map: m, Transport: paced{d.clock, d.org.Transport()},
			Auth:     &salesforce.ClientCredentials{ID: creds.ClientID, Secret: pii.NewString(creds.ClientSecret)},
			Governor: governor.DefaultPolicy(), Recipients: []string{d.place.recipient},
		}},
	})
	if err != nil {
		return fmt.Errorf("open the demonstration's engine: %w", err)
	}
	return nil
}

// tick is the wall's time between two looks of the control loop: short enough
// that no wake-up is late by much of the demonstration's time.
const tick = 40 * time.Millisecond

// records counts what the org holds.
func (d *Demo) records() (all int, byObject map[string]int) {
	byObject = map[string]int{}
	for _, object := range []string{"Account", "Contact", "Lead", "Case", "Task", "EmailMessage", "Donation__c"} {
		n := len(d.org.Find(object, "IsDeleted", false))
		byObject[object] = n
		all += n
	}
	return all, byObject
}
