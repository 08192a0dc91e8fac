package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// slowDesk answers once that a request waits for the org, and then not any more.
type slowDesk struct{ asked int }

func (d *slowDesk) Call(ctx context.Context, _ string, _, out any) error {
	if d.asked++; d.asked > 1 {
		<-ctx.Done()
		return ctx.Err()
	}
	out.(*web.StatusAnswer).Status = web.StatusDoc{
		RequestDoc: web.RequestDoc{ID: "R-1", Stage: weir.Verified},
		WaitUntil:  time.Now().Add(time.Hour), Cause: weir.ThrottledDaily,
	}
	return nil
}

// A verb whose time is up says what it waits for, also when that happens in the middle
// of a look.
func TestTimeIsUpInTheMiddleOfALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a := newApp(nil, nil, t.Output())
		_, err := a.await(ctx, &desk{Caller: &slowDesk{}}, "R-1", func(web.StatusDoc) bool { return false })
		if f := web.AsFailure(err); f.Exit != web.ExitThrottled {
			t.Errorf("exit %d, %v; want %d", f.Exit, err, web.ExitThrottled)
		}
	})
}
