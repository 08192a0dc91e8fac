package web

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// UrgentInput marks a request as urgent, or takes the mark back.
type UrgentInput struct {
	ID     weir.RequestID `json:"id"`
	Reason string         `json:"reason,omitempty"` // needed for the mark
	Off    bool           `json:"off,omitempty"`    // take the mark back
}

// UrgentAnswer says how the request stands now.
type UrgentAnswer struct {
	Schema  string      `json:"schema"`
	Request RequestDoc  `json:"request"`
	Urgent  *UrgencyDoc `json:"urgent,omitempty"`
	Changed bool        `json:"changed"` // false: it stood like that already
}

// UrgencyDoc is the word of the person who marked a request as urgent.
type UrgencyDoc struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

func urgencyDoc(u weir.Urgency) *UrgencyDoc {
	if u.Request == "" {
		return nil
	}
	return &UrgencyDoc{By: u.By, Reason: u.Reason, At: u.At}
}

func urgent(ctx context.Context, e *engine.Engine, by string, in UrgentInput) (UrgentAnswer, error) {
	mark := e.MarkUrgent
	if in.Off {
		mark = e.UnmarkUrgent
	}
	u, err := mark(ctx, in.ID, in.Reason, by)
	return UrgentAnswer{Schema: "weir.urgent/v1", Request: requestDoc(u.Request), Urgent: urgencyDoc(u.Urgency), Changed: u.Changed}, err
}
