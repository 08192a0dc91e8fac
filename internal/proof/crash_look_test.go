package proof

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// look reads through weir's socket how far the open requests have come: people
// look so often that a process for each look would leave weir no time to live.
// It is false when no weir answers just now.
func (p *patron) look(ctx context.Context) (lives bool, err error) {
	if p.socket == nil {
		if p.socket, err = web.Dial(ctx, p.weir.path("data")); err != nil || p.socket == nil {
			return false, err
		}
	}
	var doc struct {
		Requests []status `json:"requests"`
	}
	if lives, err := p.ask(ctx, "requests", web.RequestsInput{Stages: atWork()}, &doc); !lives || err != nil {
		return false, err
	}
	known := map[string]status{}
	for _, s := range doc.Requests {
		if _, twice := known[s.Ref]; twice {
			return false, fmt.Errorf("there are two requests %s", s.Ref)
		}
		known[s.Ref] = s
	}
	for _, o := range p.orders {
		switch s, ok := known[o.ref]; {
		case ok:
			o.id, o.status = s.ID, s
		case o.id != "" && !over(o):
			if lives, err := p.lookAt(ctx, o); err != nil || !lives {
				return false, err
			}
		}
	}
	return true, nil
}

// lookAt reads one request, which has ended since the last look.
func (p *patron) lookAt(ctx context.Context, o *order) (lives bool, err error) {
	var doc struct {
		Status status `json:"status"`
	}
	lives, err = p.ask(ctx, "status", web.IDInput{ID: o.id}, &doc)
	if lives {
		o.status = doc.Status
	} else if f := web.AsFailure(p.unheard); f.Exit == web.ExitNotFound {
		return false, fmt.Errorf("the accepted request %s is lost: %w", o.id, p.unheard)
	}
	return lives, err
}

// answers is how long a weir that lives may take for an answer.
const answers = time.Minute

// ask keeps why there was no answer: that weir has died, or has not begun to live,
// unless it goes on for long.
func (p *patron) ask(ctx context.Context, what string, in, out any) (lives bool, err error) {
	limited, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	if p.unheard = p.socket.Call(limited, what, in, out); p.unheard == nil {
		return true, nil
	}
	if limited.Err() != nil && ctx.Err() == nil {
		return false, fmt.Errorf("no answer to %q within %s: %w", what, answers, p.unheard)
	}
	return false, ctx.Err()
}

// atWork lists the stages in which weir, or a person, has something to do.
func atWork() []weir.Stage {
	return []weir.Stage{
		weir.Received, weir.Verified, weir.Discovered, weir.Planned, weir.AwaitingApproval,
		weir.Executing, weir.Verifying, weir.Sealing,
	}
}
