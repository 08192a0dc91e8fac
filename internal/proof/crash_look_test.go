package proof

import (
	"context"
	"fmt"

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
	if p.socket.Call(ctx, "requests", web.RequestsInput{Stages: atWork()}, &doc) != nil {
		return false, ctx.Err() // weir has died, or has not begun to live
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
	if err := p.socket.Call(ctx, "status", web.IDInput{ID: o.id}, &doc); err != nil {
		if f := web.AsFailure(err); f.Exit == web.ExitNotFound {
			return false, fmt.Errorf("the accepted request %s is lost: %w", o.id, err)
		}
		return false, ctx.Err()
	}
	o.status = doc.Status
	return true, nil
}

// atWork lists the stages in which weir, or a person, has something to do.
func atWork() []weir.Stage {
	return []weir.Stage{
		weir.Received, weir.Verified, weir.Discovered, weir.Planned, weir.AwaitingApproval,
		weir.Executing, weir.Verifying, weir.Sealing,
	}
}
