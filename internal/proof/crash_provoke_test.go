package proof

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/weirhq/weir/governor/transport"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/web"
)

// refusedFor is how long the org refuses our credentials, and then accepts
// them, while a blow waits for a dead letter of that cause or for its release.
const refusedFor = 4 * time.Second

// provoke brings about the seldom things that are nobody's request.
func (p *patron) provoke(ctx context.Context, want crash.Write) error {
	refuse := want == crash.Probe
	if want == crash.Release {
		refuse = p.refused == (time.Since(p.since) < refusedFor)
	}
	if refuse != p.refused {
		if err := p.org.tell(ctx, http.MethodPost, "/credentials", map[string]any{"valid": !refuse}); err != nil {
			return err
		}
		p.refused, p.since = refuse, time.Now()
		want = crash.Observe // the token ends too
	}
	switch want { //nolint:exhaustive // the others come about by themselves, or by a request
	case crash.Clock:
		return p.wall.step()
	case crash.Guest:
		return p.guest(ctx)
	case crash.NewKEK, crash.Rewrap:
		return unlessPassing(p.weir.run(ctx, "", nil, "keys", "rotate"))
	case crash.DropKEK:
		return unlessPassing(p.dropKEK(ctx))
	case crash.Observe:
		return p.org.tell(ctx, http.MethodPost, "/sessions/expire", nil)
	case crash.Checkpoint:
		return unlessPassing(p.weir.run(ctx, "", nil, "audit", "checkpoint", "-o", p.file()))
	case crash.Show:
		for _, o := range p.orders {
			if o.status.Stage == "DELIVERED" {
				return unlessPassing(p.weir.run(ctx, "", nil, "export", "get", o.id, "-o", p.file()))
			}
		}
	}
	return nil
}

// file is where a verb may write something that nobody will read.
func (p *patron) file() string {
	p.files++
	return p.weir.path("shown-" + strconv.Itoa(p.files))
}

// guest is another program that calls the org once within weir's budget. When
// weir dies meanwhile, it does not call.
func (p *patron) guest(ctx context.Context) error {
	governed, err := transport.New(http.DefaultTransport, transport.Options{
		Org: alias, Socket: p.weir.path("data", web.SocketName), MaxWait: 2 * time.Second,
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.org.api+"/services/data/", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: governed}).Do(req)
	if err == nil {
		err = resp.Body.Close()
	}
	var deferred *transport.DeferredError
	if err = errors.Join(err, governed.Close()); errors.Is(err, transport.ErrNoWeir) || errors.As(err, &deferred) {
		return nil
	}
	return err
}

// dropKEK makes a new key and destroys those that nothing needs any more.
func (p *patron) dropKEK(ctx context.Context) error {
	var out rotated
	if err := p.weir.run(ctx, "", &out, "keys", "rotate"); err != nil {
		return err
	}
	for _, k := range out.Keys {
		if k.State == "DECRYPT_ONLY" {
			if err := p.weir.run(ctx, "", nil, "keys", "destroy", k.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// wall is the wall clock of weir's machine, as a file; see crash.Wall.
type wall struct {
	file  string
	ahead bool
	since time.Time
}

const (
	stepBy    = 15 * time.Second
	stepEvery = 3 * time.Second
)

// step sets the clock ahead, and back the next time.
func (w *wall) step() error {
	if time.Since(w.since) < stepEvery {
		return nil
	}
	w.since, w.ahead = time.Now(), !w.ahead
	by := time.Duration(0)
	if w.ahead {
		by = stepBy
	}
	return w.set(by)
}

func (w *wall) set(ahead time.Duration) error {
	next := w.file + ".new"
	if err := os.WriteFile(next, []byte(ahead.String()), 0o600); err != nil {
		return fmt.Errorf("step the clock: %w", err)
	}
	return os.Rename(next, w.file)
}
