package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/schedule"
	"github.com/weirhq/weir/internal/store"
)

// Foresight is what is foreseen for one open request.
type Foresight struct {
	Request weir.RequestID
	Right   weir.Right
	Stage   weir.Stage
	Due     time.Time
	Made    int64     // calls so far
	Left    int64     // calls that it still costs, as far as known
	Finish  time.Time // the middle forecast; zero when no end is in sight
	P10     time.Time
	P90     time.Time
	P95     time.Time
	Shed    bool  // others go first: not everything can be in time
	Short   int64 // calls that are lacking at its due date
	Urgent  bool  // a person let it go before all others

	was     bool      // given up by the arrangement before
	counted time.Time // the finish by arithmetic alone, before experience corrects it
}

// Slack is how long before its due date it is done in 95 of 100 cases; a year
// too late when no end is in sight.
func (f Foresight) Slack() time.Duration {
	if f.P95.IsZero() {
		return -365 * 24 * time.Hour
	}
	return f.Due.Sub(f.P95)
}

// Forecast foresees an org's open requests, in the order in which they are
// served.
func (e *Engine) Forecast(ctx context.Context, org weir.OrgID) ([]Foresight, error) {
	l, err := e.lane(org)
	if err != nil {
		return nil, err
	}
	var out []Foresight
	err = e.view(ctx, func(tx *store.Tx) error {
		out, err = e.foresee(tx, l)
		return err
	})
	return out, err
}

// Late counts an org's open requests that the schedule has given up: a person
// was told of each. It reads the marks and foresees nothing, so that it is cheap.
func (e *Engine) Late(ctx context.Context, org weir.OrgID) (int, error) {
	late := 0
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		late, err = tx.ShedRequests(org)
		return err
	})
	return late, err
}

// horizon is how many hours of an org's capacity are computed; what lies
// behind goes on at the same pace. Legal deadlines are a month or two away.
const horizon = 24 * 62

// foresee arranges the org's open requests over its capacity.
func (e *Engine) foresee(tx *store.Tx, l *lane) ([]Foresight, error) {
	loads, err := tx.Workloads(l.ID)
	if err != nil || len(loads) == 0 {
		return nil, err
	}
	org, err := tx.Org(l.ID)
	if err != nil {
		return nil, err
	}
	state, err := decodeState(org.Governor)
	if err != nil {
		return nil, err
	}
	known, err := experiences(tx, l.ID)
	if err != nil {
		return nil, err
	}
	jobs := make([]schedule.Job, len(loads))
	byID := map[weir.RequestID]store.Workload{}
	for i, w := range loads {
		byID[w.Request] = w
		jobs[i] = schedule.Job{
			ID: w.Request, Due: w.Due.Add(-e.tail(w)), Right: w.Right, Risk: w.Risk, Shed: w.Shed, Urgent: w.Urgent,
			Calls: known[w.Right].Left(w.Calls, w.Expected),
		}
	}
	var urgent schedule.Supply
	if slices.ContainsFunc(jobs, func(j schedule.Job) bool { return j.Urgent }) { // most of the time there is none
		urgent = supplyOf(l.Governor.Urgent(), state, tx.Now(), nil)
	}
	places := schedule.Arrange(jobs, supplyOf(l.Governor, state, tx.Now(), l.Quiet), urgent)
	out := make([]Foresight, len(places))
	for i, p := range places {
		out[i] = e.foresight(tx.Now(), p, byID[p.ID], known[p.Right])
	}
	return out, nil
}

func (e *Engine) foresight(now time.Time, p schedule.Place, w store.Workload, known schedule.Experience) Foresight {
	f := Foresight{
		Request: w.Request, Right: w.Right, Stage: w.Stage, Due: w.Due, Made: w.Calls, Left: p.Calls, Shed: p.Shed, Short: p.Short,
		Urgent: w.Urgent, was: w.Shed,
	}
	if p.Finish.IsZero() {
		return f
	}
	finish := p.Finish.Add(e.tail(w))
	if w.WakeAt.After(finish) {
		finish = w.WakeAt
	}
	f.counted = finish
	at := func(perMille int) time.Time { return known.Quantile(now, finish, perMille).Truncate(time.Second) }
	f.Finish, f.P10, f.P90, f.P95 = at(500), at(100), at(900), at(950)
	return f
}

// tail is what must pass after a request's last write, whatever the capacity:
// the org may need a day until what was deleted is really gone.
func (e *Engine) tail(w store.Workload) time.Duration {
	if w.Right.Mutates() && w.Stage != weir.Verifying {
		return e.policy.ProofLag
	}
	return 0
}

// supplyOf turns the governor's hourly forecast into the schedule's curve.
func supplyOf(p governor.Policy, s governor.State, now time.Time, quiet *QuietHours) schedule.Supply {
	supply := schedule.Supply{{At: now}}
	sum := int64(0)
	for i, calls := range governor.Capacity(p, s, now, horizon, quiet.At) {
		sum += calls
		supply = append(supply, schedule.Point{At: now.Add(time.Duration(i+1) * time.Hour), Calls: sum})
	}
	return supply
}

// arrangeEvery is how often the schedule is made anew: capacity and sizes move
// slowly beside deadlines of weeks.
const arrangeEvery = 30 * time.Second

// arrange makes the schedule of every org anew, and tells of each request that
// can no longer be in time, or can again. The telling is a ledger entry: a
// person sees it in the log, and how it stands in `weir forecast`, `weir status`,
// `weir requests` and the metric weir_org_requests_late.
func (e *Engine) arrange(ctx context.Context) error {
	now := e.now()
	if now.Sub(e.arrangedAt).Abs() < arrangeEvery { // the clock may have been set back
		return nil
	}
	e.arrangedAt = now
	for _, l := range e.orgs {
		all, err := e.Forecast(ctx, l.ID)
		if err != nil {
			return fmt.Errorf("schedule of %s: %w", l.ID, err)
		}
		for _, f := range all {
			if err := e.mark(ctx, l, f); err != nil {
				return fmt.Errorf("schedule of %s: %w", f.Request, err)
			}
		}
	}
	return nil
}

// mark writes down that the schedule gave a request up, or took it back.
func (e *Engine) mark(ctx context.Context, l *lane, f Foresight) error {
	if f.Shed == f.was {
		return nil
	}
	return e.update(ctx, crash.Arrange, func(tx *txn) error {
		if err := tx.WakeOrg(l.ID, tx.Now()); err != nil { // the org comes first: see txn
			return err
		}
		if w, err := tx.Workload(f.Request); err != nil || w.Shed == f.Shed {
			return err // another node was quicker
		}
		if err := tx.ShedRequest(f.Request, f.Shed); err != nil {
			return err
		}
		act, detail := "request.in_time", map[string]string{}
		if f.Shed {
			act = "request.late"
			detail = map[string]string{"short": strconv.FormatInt(f.Short, 10), KeyCalls: strconv.FormatInt(f.Left, 10)}
			if !f.Finish.IsZero() {
				detail["met_at"] = stamp(f.Finish)
			}
		}
		return tx.note(weir.Entry{Act: act, Org: l.ID, Request: f.Request, Detail: detail})
	})
}

// promise notes what is foreseen for a request at the moment at which only the
// org still stands between it and its end.
func (t *txn) promise(r *weir.Request) error {
	l, err := t.e.lane(r.Org)
	if err != nil {
		return err
	}
	all, err := t.e.foresee(t.Tx, l)
	if err != nil {
		return err
	}
	for _, f := range all {
		if f.Request == r.ID && !f.counted.IsZero() {
			return t.Foresee(r.ID, f.counted)
		}
	}
	return nil
}

// learn takes the lesson of a request that has been fulfilled.
func (t *txn) learn(r *weir.Request) error {
	w, err := t.Workload(r.ID)
	if err != nil {
		return err
	}
	known, err := experiences(t.Tx, r.Org)
	if err != nil {
		return err
	}
	var took, foreseen time.Duration
	if !w.ForeseenFrom.IsZero() {
		took, foreseen = t.Now().Sub(w.ForeseenFrom), w.ForeseenTo.Sub(w.ForeseenFrom)
	}
	known[r.Right] = known[r.Right].Learn(w.Calls, w.Expected, took, foreseen)
	doc, err := json.Marshal(known)
	if err != nil {
		return fmt.Errorf("encode what was learnt: %w", err)
	}
	return t.SetSetting(experienceKey(r.Org), string(doc))
}

func experienceKey(org weir.OrgID) string { return "experience:" + string(org) }

// experiences reads what an org's past requests have taught, by right.
func experiences(tx *store.Tx, org weir.OrgID) (map[weir.Right]schedule.Experience, error) {
	known := map[weir.Right]schedule.Experience{}
	doc, err := setting(tx, experienceKey(org))
	if err != nil || doc == "" {
		return known, err
	}
	if err := json.Unmarshal([]byte(doc), &known); err != nil {
		return nil, fmt.Errorf("decode what %s has taught: %w", org, err)
	}
	return known, nil
}
