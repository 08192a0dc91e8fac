package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) watchVerb() *cobra.Command {
	return &cobra.Command{
		Use: "watch REQUEST", Short: "Follow a request until it ends",
		Long: "Follow a request until it is delivered or closed (exit 0), was rejected or cancelled (exit 0),\n" +
			"its plan went stale (6), a dead letter holds it (10), or it waits for a person's approval (0).\n" +
			"While no weir runs, this verb does the work itself. With --json: JSON Lines, the last of type \"end\".",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDesk(cmd.Context(), 0, func(ctx context.Context, d *desk) error {
				return a.watch(ctx, d, args[0])
			})
		},
	}
}

// watchLine is one line of `weir watch --json`.
type watchLine struct {
	Schema  string         `json:"schema"`
	Type    string         `json:"type"` // event, status or end
	Entry   *weir.Entry    `json:"entry,omitempty"`
	Status  *web.StatusDoc `json:"status,omitempty"`
	Exit    *int           `json:"exit,omitempty"`
	Code    string         `json:"code,omitempty"`
	Elapsed float64        `json:"seconds_elapsed"`
}

// watcher follows one request.
type watcher struct {
	a     *app
	d     *desk
	id    string
	start time.Time
	seen  int // entries of the request that were shown
	wait  time.Time
}

// heartbeat is how often a status line comes while nothing happens.
const heartbeat = 30 * time.Second

// watch shows what happens to a request until it ends or needs a person.
func (a *app) watch(ctx context.Context, d *desk, id string) error {
	w := &watcher{a: a, d: d, id: id, start: a.now()}
	last := w.start
	for {
		s, err := w.look(ctx)
		if err != nil {
			return err
		}
		if code, word, over := watchEnd(s); over {
			// What the last look saw may have written entries meanwhile.
			if err := w.events(ctx); err != nil {
				return err
			}
			return w.end(s, code, word)
		}
		if now := a.now(); now.Sub(last) >= heartbeat || (!s.WaitUntil.IsZero() && !s.WaitUntil.Equal(w.wait)) {
			last, w.wait = now, s.WaitUntil
			if err := w.status(s); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return stillWaiting(ctx, s)
		case <-time.After(glance):
		}
	}
}

// look shows new entries and reads the status.
func (w *watcher) look(ctx context.Context) (web.StatusDoc, error) {
	if err := w.events(ctx); err != nil {
		return web.StatusDoc{}, err
	}
	var out web.StatusAnswer
	err := w.d.Call(ctx, "status", web.IDInput{ID: w.id}, &out)
	return out.Status, err
}

func (w *watcher) events(ctx context.Context) error {
	var out web.HistoryAnswer
	if err := w.d.Call(ctx, "history", web.IDInput{ID: w.id}, &out); err != nil {
		return err
	}
	fresh := out.Entries[min(w.seen, len(out.Entries)):]
	w.seen = len(out.Entries)
	if !w.a.json {
		return w.a.print(w.a.out, func(p *page) { eventsText(p, fresh) })
	}
	for i := range fresh {
		if err := w.tell(watchLine{Type: "event", Entry: &fresh[i]}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) status(s web.StatusDoc) error {
	return w.tell(watchLine{Type: "status", Status: &s}, func(p *page) {
		p.linef("%s  %s, %d of %d steps done  %s", p.paint(dim, clock(w.a.now())), s.Stage, s.StepsDone, s.StepsTotal, waitText(s))
	})
}

func (w *watcher) end(s web.StatusDoc, code int, word string) error {
	err := w.tell(watchLine{Type: "end", Status: &s, Exit: &code, Code: word}, func(p *page) {
		p.linef("")
		statusText(p, s)
	})
	return errors.Join(err, endWith(code))
}

func (w *watcher) tell(line watchLine, text func(*page)) error {
	line.Schema, line.Elapsed = "weir.watch/v1", w.a.now().Sub(w.start).Round(time.Millisecond).Seconds()
	return w.a.show(line, text)
}

// watchEnd says whether there is nothing more to watch, and how that ends.
func watchEnd(s web.StatusDoc) (code int, word string, over bool) {
	switch {
	case len(s.Drift) > 0:
		return web.ExitConflict, "plan_stale", true
	case len(s.Letters) > 0:
		return web.ExitDeadLetter, "dead_letter", true
	case s.Stage == weir.Received:
		return web.ExitOK, "not_verified", true
	case s.Stage == weir.AwaitingApproval:
		return web.ExitOK, "awaiting_approval", true
	case s.Stage == weir.Delivered, s.Stage.Ended():
		return web.ExitOK, strings.ToLower(string(s.Stage)), true
	}
	return 0, "", false
}
