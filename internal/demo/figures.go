package demo

import (
	"context"
	"fmt"
	"net/http"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
)

// Summary is the last line: what the store and the org's own log say.
type Summary struct {
	Head
	Seed        uint64             `json:"seed"`
	Scenario    string             `json:"scenario"`
	WallSeconds float64            `json:"wall_seconds"`
	DemoSeconds float64            `json:"demo_seconds"`
	Requests    map[weir.Stage]int `json:"requests"`
	Delivered   int                `json:"access_delivered"`
	Certified   int                `json:"erasures_certified"`
	Held        int                `json:"requests_held"`
	Letters     int                `json:"dead_letters"`
	Steps       Sum                `json:"steps"`
	Waits       tally              `json:"ledger"`
	Org         OrgFigures         `json:"org"`
	Audit       AuditFigures       `json:"audit"`
	Results     Results            `json:"results"`
	ExitCode    int                `json:"exit_code"`
}

// Sum is the accounting that must be even: accepted = done + waiting + dead + cancelled.
type Sum struct {
	Accepted  int64 `json:"accepted"`
	Done      int64 `json:"done"`
	Waiting   int64 `json:"waiting"`
	Dead      int64 `json:"dead"`
	Cancelled int64 `json:"cancelled"`
	Even      bool  `json:"even"`
}

// OrgFigures are what the emulated org itself has seen.
type OrgFigures struct {
	Calls      int                    `json:"calls"`
	Refused    int                    `json:"calls_refused"` // throttled: 429, or 403 REQUEST_LIMIT_EXCEEDED
	Faults     map[emulator.Fault]int `json:"faults"`
	Writes     int                    `json:"writes_accepted"` // of ours; what a delete took along included
	Doubled    int                    `json:"writes_doubled"`
	Foreign    int                    `json:"records_of_others_touched"`
	Early      int                    `json:"calls_before_retry_after"` // among up to eight under way at once; at speed 0 there is one
	BelowFloor int                    `json:"calls_below_floor"`
	Neighbours int                    `json:"calls_of_neighbours"`
	Logins     int                    `json:"logins"`
}

// AuditFigures are the verdict on the ledger.
type AuditFigures struct {
	OK      bool  `json:"ok"`
	Entries int64 `json:"entries"`
}

func (d *Demo) start() Start {
	all, objects := d.records()
	return Start{
		Head: d.head("start", d.born), Org: orgID, Seed: d.opts.Seed, Scenario: d.scenario.Name, Story: d.scenario.Story,
		Speed: max(d.opts.Speed, 0), Records: all, Objects: objects, DailyLimit: dailyLimit, RecycleLag: recycleLag.Seconds(),
		Access: d.opts.Access, Erasure: d.opts.Erasure, Dir: d.place.dir, Config: d.place.config(),
	}
}

func (d *Demo) status(ctx context.Context) (Status, error) {
	s := Status{Head: d.head("status", d.clock.Now()), Expected: len(d.desk.askers), Calls: len(d.org.Log()), Throttled: d.story.tally.Throttled}
	t, err := d.engine.Totals(ctx)
	if err != nil {
		return s, err
	}
	for stage, n := range t.Requests {
		s.Submitted += n
		if stage.Ended() || stage == weir.Delivered {
			s.Ended += n
		}
	}
	s.StepsDone, s.StepsAll, s.Waiting = t.StepSums.Done, t.StepSums.Accepted, t.Steps[weir.StepWaiting]
	s.Letters, s.Sealed = t.Letters, t.Sealed
	if s.Held, err = d.held(ctx); err != nil {
		return s, err
	}
	l, err := d.engine.Limits(ctx, orgID)
	if err != nil {
		return s, err
	}
	s.Used, s.Limit, s.Floor = l.View.Used, l.View.Limit, l.View.Floor
	if until := l.View.GateUntil; until.After(s.At) {
		s.GateCloses = until.Sub(s.At).Seconds()
	}
	return s, nil
}

// held counts the requests that a dead letter holds open.
func (d *Demo) held(ctx context.Context) (int, error) {
	letters, err := d.engine.Letters(ctx, engine.LetterFilter{State: weir.LetterOpen})
	by := map[weir.RequestID]bool{}
	for _, l := range letters {
		by[l.Request] = true
	}
	return len(by), err
}

func (d *Demo) summary(ctx context.Context) (*Summary, error) {
	at := d.clock.Now()
	s := &Summary{
		Head: d.head("summary", at), Seed: d.opts.Seed, Scenario: d.scenario.Name,
		DemoSeconds: at.Sub(d.born).Seconds(),
	}
	t, err := d.engine.Totals(ctx)
	if err != nil {
		return nil, err
	}
	a := t.StepSums
	s.Requests, s.Letters = t.Requests, t.Letters
	s.Steps = Sum{a.Accepted, a.Done, a.Waiting, a.Dead, a.Cancelled, a.Balanced() && t.RequestSum.Balanced()}
	if s.Held, err = d.held(ctx); err != nil {
		return nil, err
	}
	all, err := d.engine.Requests(ctx, engine.RequestFilter{})
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		switch {
		case r.Right == weir.Access && (r.Stage == weir.Delivered || r.Stage == weir.Closed):
			s.Delivered++
		case r.Right == weir.Erasure && r.Stage == weir.Closed:
			s.Certified++
		}
	}
	if s.Results, err = d.results(ctx, all); err != nil {
		return nil, err
	}
	report, err := d.engine.VerifyLedger(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("verify the demonstration's ledger: %w", err)
	}
	s.Audit = AuditFigures{OK: report.OK(), Entries: report.Entries}
	s.ExitCode = exitCode(t.Letters)
	if err := d.catchUp(ctx, s); err != nil {
		return nil, err
	}
	return s, nil
}

// catchUp reads the ledger to its end, so that its figures and those of the
// verification are of one moment.
func (d *Demo) catchUp(ctx context.Context, s *Summary) error {
	if _, err := d.story.news(ctx); err != nil {
		return err
	}
	s.Waits = d.story.tally.clone()
	var err error
	if s.Org, err = d.orgFigures(ctx); err != nil {
		return err
	}
	s.WallSeconds = d.elapsed()
	return nil
}

// orgFigures reads the org's truth. Whose records may be touched is what the
// seeds say, not what weir believes.
func (d *Demo) orgFigures(ctx context.Context) (OrgFigures, error) {
	l, err := d.engine.Limits(ctx, orgID)
	if err != nil {
		return OrgFigures{}, err
	}
	truth := d.org.Truth()
	log := d.org.Log()
	f := OrgFigures{
		Calls: len(log), Faults: truth.Faults, Doubled: len(truth.Doubled()), Foreign: len(truth.TouchedOutside(d.Owned())),
		Early: truth.Early, BelowFloor: truth.CallsBelow(int(l.View.Floor)), Logins: truth.Logins,
	}
	for _, m := range truth.Mutations {
		if !m.Foreign {
			f.Writes++
		}
	}
	used := 0
	for _, c := range log {
		if c.Status == http.StatusTooManyRequests || c.Code == "REQUEST_LIMIT_EXCEEDED" {
			f.Refused++
		}
		f.Neighbours += max(c.UsedBefore-used, 0)
		used = c.Used
	}
	return f, nil
}

// Owned lists the records of those who asked for erasure, by the seeds' truth:
// what a correct weir may write to.
func (d *Demo) Owned() map[string]bool {
	owned := map[string]bool{}
	for _, s := range d.desk.erased {
		for _, ids := range s.Records {
			for _, id := range ids {
				owned[id] = true
			}
		}
		for _, ids := range s.Shared {
			for _, id := range ids {
				owned[id] = true
			}
		}
	}
	return owned
}
