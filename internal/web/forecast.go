package web

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// ForecastAnswer foresees an org's open requests, in the order in which they
// are served.
type ForecastAnswer struct {
	Schema   string        `json:"schema"`
	Org      weir.OrgID    `json:"org"`
	Late     int           `json:"late"` // how many cannot be in time
	Requests []ForecastDoc `json:"requests"`
}

// ForecastDoc is what is foreseen for one request. The times are absent when
// no end is in sight.
type ForecastDoc struct {
	ID           weir.RequestID `json:"id"`
	Right        weir.Right     `json:"right"`
	Stage        weir.Stage     `json:"stage"`
	DueAt        time.Time      `json:"due_at"`
	CallsMade    int64          `json:"calls_made"`
	CallsLeft    int64          `json:"calls_left"`
	P10          time.Time      `json:"p10,omitzero"`
	P50          time.Time      `json:"p50,omitzero"`
	P90          time.Time      `json:"p90,omitzero"`
	P95          time.Time      `json:"p95,omitzero"`
	SlackSeconds int64          `json:"slack_seconds"` // from p95 to the due date
	Late         bool           `json:"late"`
	ShortCalls   int64          `json:"short_calls,omitempty"` // lacking at the due date
	Urgent       bool           `json:"urgent,omitempty"`      // a person let it go before all others
}

func forecast(ctx context.Context, e *engine.Engine, _ string, in OrgInput) (ForecastAnswer, error) {
	all, err := e.Forecast(ctx, in.Org)
	out := ForecastAnswer{Schema: "weir.forecast/v1", Org: in.Org, Requests: []ForecastDoc{}}
	for _, f := range all {
		if f.Shed {
			out.Late++
		}
		out.Requests = append(out.Requests, ForecastDoc{
			ID: f.Request, Right: f.Right, Stage: f.Stage, DueAt: f.Due, CallsMade: f.Made, CallsLeft: f.Left,
			P10: f.P10, P50: f.Finish, P90: f.P90, P95: f.P95, SlackSeconds: int64(f.Slack() / time.Second),
			Late: f.Shed, ShortCalls: f.Short, Urgent: f.Urgent,
		})
	}
	return out, err
}
