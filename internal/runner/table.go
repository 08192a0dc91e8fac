package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// unfinished is which of River's jobs are slots that stand: those in the states in
// which a slot is unique.
const unfinished = `kind = 'slot' AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`

// freeSlots looks who runs, and removes the slots of nodes that no longer do: the
// control loop inserts them for others. River rescues by age only, after minutes
// (engine reference, section 2), and a slot that is lost for so long would hold its
// org's place. An embedded store has one process.
func (r *Runner) freeSlots(ctx context.Context) error {
	alive, silent, _, err := r.opts.Engine.Nodes(ctx)
	if err != nil {
		return fmt.Errorf("look who runs: %w", err)
	}
	const free = `DELETE FROM river_job WHERE ` + unfinished + ` AND queue `
	if r.opts.Store.Dialect() == store.SQLite {
		alive = []string{r.opts.Node}
		_, err = r.opts.Store.DB().ExecContext(ctx, free+`<> ?1`, queueOf(r.opts.Node))
	} else {
		_, err = r.opts.Store.DB().ExecContext(ctx, free+`<> ALL($1)`, queuesOf(slices.Concat(alive, silent)))
	}
	if err != nil {
		return fmt.Errorf("free slots of dead nodes: %w", store.Unavailable(err))
	}
	r.slots.circle.Store(newCircle(alive))
	return r.freeFuture(ctx)
}

// freeFuture makes slots due that were scheduled for later than a slot ever is:
// somebody stepped the wall clock back, by which River schedules, and a slot
// that waits for that time to come again would hold its place until then.
func (r *Runner) freeFuture(ctx context.Context) error {
	const states = `state IN ('available', 'retryable', 'scheduled') AND kind = 'slot' AND scheduled_at > `
	now := time.Now().UTC()
	var err error
	if r.opts.Store.Dialect() == store.SQLite {
		const layout = "2006-01-02 15:04:05.000" // riversqlite's own
		_, err = r.opts.Store.DB().ExecContext(ctx, `UPDATE river_job SET state = 'available', scheduled_at = ?1 WHERE `+states+`?2`,
			now.Format(layout), now.Add(time.Minute).Format(layout))
	} else {
		_, err = r.opts.Store.DB().ExecContext(ctx, `UPDATE river_job SET state = 'available', scheduled_at = $1 WHERE `+states+`$2`,
			now, now.Add(time.Minute))
	}
	if err != nil {
		return fmt.Errorf("free slots that wait for a time that was taken back: %w", store.Unavailable(err))
	}
	return nil
}

// insertSlots inserts the slots of orgs that have work, but for those that stand:
// River would write the row of each anew, while whoever works it ends it.
func (r *Runner) insertSlots(ctx context.Context, due []weir.OrgID) error {
	if len(due) == 0 {
		return nil
	}
	stand, err := r.standing(ctx)
	if err != nil {
		return err
	}
	var slots []river.InsertManyParams
	c, now := r.slots.circle.Load(), time.Now()
	for _, org := range due {
		width, err := r.opts.Engine.Width(ctx, org)
		if err != nil {
			return err
		}
		for i := range width {
			slot := slotArgs{Org: string(org), Slot: i}
			if stand[slot] {
				continue
			}
			owner, _ := c.turn(org, i, width, now)
			slots = append(slots, river.InsertManyParams{Args: slot, InsertOpts: &river.InsertOpts{Queue: queueOf(owner)}})
		}
	}
	if len(slots) == 0 {
		return nil
	}
	crash.Before(crash.Slots)
	if _, err := r.client.InsertMany(ctx, slots); err != nil {
		return fmt.Errorf("insert slots: %w", err)
	}
	crash.After(crash.Slots)
	return nil
}

// standing reads which slots stand.
func (r *Runner) standing(ctx context.Context) (stand map[slotArgs]bool, err error) {
	args := `args`
	if r.opts.Store.Dialect() == store.SQLite {
		args = `json(args)` // kept as JSONB
	}
	rows, err := r.opts.Store.DB().QueryContext(ctx, `SELECT `+args+` FROM river_job WHERE `+unfinished)
	if err != nil {
		return nil, fmt.Errorf("read slots: %w", store.Unavailable(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	stand = map[slotArgs]bool{}
	for rows.Next() {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return nil, fmt.Errorf("read slots: %w", err)
		}
		var s slotArgs
		if err := json.Unmarshal(doc, &s); err != nil {
			return nil, fmt.Errorf("read a slot: %w", err)
		}
		stand[s] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read slots: %w", store.Unavailable(err))
	}
	return stand, nil
}
