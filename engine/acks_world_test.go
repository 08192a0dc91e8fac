//go:build !race

package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

// skirmish is a world in which several erasures, some of them of the same
// records, meet one front.
type skirmish struct {
	*world
	front    *front
	dice     *rand.Rand
	requests []weir.RequestID
	letters  map[weir.LetterID]int
	waived   int // records of which a person said that they are nobody's any more
}

// lateness is when a late write lands: within the settle time, at its end, and
// long after the write was sent again. An org without conditions has only the
// first: there nothing but the settle time keeps two writes apart.
func lateness(honours bool) []time.Duration {
	all := []time.Duration{3 * time.Second, 20 * time.Second, 27 * time.Second}
	if honours {
		all = append(all, 31*time.Second, 34*time.Second, time.Minute, 10*time.Minute, 2*time.Hour)
	}
	return all
}

func newSkirmish(t *testing.T, seed uint64, loses, edits bool) *skirmish {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 21))
	o := emulator.Options{Seed: seed, Latency: 300 * time.Millisecond, RecycleLag: -1, PageRows: 1 + int(seed%4), Profile: emulator.Calm()}
	honours := seed%3 != 0
	if !honours {
		o.IgnoreConditionsInComposite, o.IgnoreUnmodifiedSince = seed%2 == 0, seed%2 == 1
	}
	late := lateness(honours)[dice.IntN(len(lateness(honours)))]
	o.Profile.LateFor = late
	if edits {
		o.Profile.Rate, o.Profile.GateFor = 0.08, time.Minute // so that steps wait between their check and their write
		o.Profile.Weights = map[emulator.Fault]int{emulator.FaultBurstSeconds: 3, emulator.FaultBurstBare: 1, emulator.FaultRowLock: 2}
	}
	s := &skirmish{dice: dice, letters: map[weir.LetterID]int{}}
	s.world = newWorld(t, setup{
		org: o, people: 3, random: rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 9}),
		gov:    func(p *governor.Policy) { p.FloorCalls = 0 },
		policy: func(p *engine.Policy) { p.ProofLag = time.Minute },
	})
	s.front = newFront(s.org, dice)
	s.front.honours, s.front.loses, s.front.edits, s.front.lateFor = honours, loses, edits, late
	s.seedMore()
	s.options.Orgs = slices.Clone(s.options.Orgs)
	s.options.Orgs[0].Transport = s.front
	s.options.Orgs[0].Map = accountMap(t)
	if err := s.engine.Close(); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.exec(`PRAGMA synchronous = OFF`) // no power fails here
	time.Sleep(time.Minute)            // the records are older than what happens to them
	return s
}

// seedMore gives each person two accounts, which have ETags, and a donation that
// two of them share.
func (s *skirmish) seedMore() {
	for i := range s.subjects {
		p, other := &s.subjects[i], &s.subjects[(i+1)%len(s.subjects)]
		put := func(object string, fields map[string]any) string {
			id := s.org.Put(object, fields)
			p.Records[object] = append(p.Records[object], id)
			return id
		}
		for range 2 {
			put("Account", map[string]any{"Name": fmt.Sprintf("Household %d", i), "Billing_Email__c": p.Email, "Phone": "+49 40 1", "BillingCity": "Kiel"})
		}
		gift := put("Donation__c", map[string]any{"Contact__c": p.Records["Contact"][0], "Secondary_Contact__c": other.Records["Contact"][0]})
		other.Records["Donation__c"] = append(other.Records["Donation__c"], gift)
	}
}

// fight lets everybody ask at once, and the first one twice, and works until all
// has ended.
func (s *skirmish) fight() {
	s.t.Helper()
	for i := range s.subjects {
		s.requests = append(s.requests, s.submit(weir.Erasure, i).ID)
	}
	s.requests = append(s.requests, s.submit(weir.Erasure, 0).ID)
	for end := time.Now().Add(60 * 24 * time.Hour); time.Now().Before(end); {
		s.settle()
		if s.people() {
			return
		}
		s.wait()
	}
	for _, id := range s.requests {
		r, _ := s.engine.Request(s.t.Context(), id)
		s.t.Errorf("%s is %s (%s) after 60 days\n%s", id, r.Stage, r.Reason, s.story(id))
	}
}

// people approve, and send dead letters again. It says whether all has ended.
func (s *skirmish) people() (over bool) {
	s.t.Helper()
	ctx, over := s.t.Context(), true
	for _, id := range s.requests {
		r, err := s.engine.Request(ctx, id)
		if err != nil {
			s.t.Fatal(err)
		}
		if r.Stage.Ended() {
			continue
		}
		over = false
		switch {
		case r.Stage != weir.AwaitingApproval:
		case r.Reason == "no_match":
			_, err = s.engine.Reject(ctx, id, "nobody is left", "lee")
		case r.Reason != "":
			_, err = s.engine.Replan(ctx, id, "lee")
		default:
			_, err = s.engine.Approve(ctx, id, r.PlanHash, "", "lee")
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	open, err := s.engine.Letters(ctx, store.LetterFilter{State: weir.LetterOpen})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range open {
		if s.letters[l.ID]++; s.letters[l.ID] > 20 {
			s.t.Fatalf("%s died again and again: %s %s", l.Kind, l.Cause, l.Code)
		}
		if l.Cause == weir.Drift && s.wroteOver(l.Record) {
			// Another request, or an earlier write of this one, has erased by what the
			// subject was known, and then a colleague changed the record: weir asks.
			s.waived++
			err = s.engine.ResolveLetter(ctx, l.ID, "waived", "it is nobody's any more", "lee")
		} else {
			err = s.engine.RetryLetter(ctx, l.ID, false, "lee")
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return over
}

// wroteOver says whether the org has accepted a write of ours to the record.
func (s *skirmish) wroteOver(record string) bool {
	return slices.ContainsFunc(s.org.Truth().Records[record].Writes, func(m emulator.Mutation) bool { return !m.Foreign })
}

// longWait is more than weir lets lie between a check and a write that nothing
// but the check guards.
const longWait = 35 * time.Second

// wait passes time until the next wake-up. In the middle of a long wait
// colleagues go on with their work.
func (s *skirmish) wait() {
	s.t.Helper()
	next, ok, err := s.engine.NextWake(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	d := time.Hour
	if ok {
		d = min(max(time.Until(next), time.Second), time.Hour)
	}
	if s.front.edits && d > longWait {
		early := d - longWait
		time.Sleep(early)
		for _, p := range s.subjects {
			for object, ids := range p.Records {
				r := target{object, ids[s.dice.IntN(len(ids))], "GET"}
				if s.dice.IntN(3) == 0 && s.front.mayEdit(r) {
					s.front.edit(r)
				}
			}
		}
		d = longWait
	}
	time.Sleep(d)
}

// longForm says whether the proofs of this package run in their long form.
func longForm() bool { return os.Getenv("WEIR_PROVE") == "long" }
