package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

const pageBlob = "page"

// export streams up to five queries from the socket straight into the vault,
// one sealed page for each. Plaintext lives for one record.
func (e *Engine) export(ctx context.Context, j *job, s *settlement) error {
	key, err := e.requestKey(ctx, j.request.Org, j.request.ID)
	if err != nil {
		return err
	}
	defer key.Close()
	if err := e.vault.Admit(int64(len(j.steps)) << 20); err != nil {
		return fmt.Errorf("admit pages: %w", err)
	}
	parts, err := e.partsOf(ctx, j)
	if err != nil {
		return err
	}
	pages := make([]*page, len(j.steps))
	queries := make([]salesforce.Query, len(j.steps))
	for i, p := range parts {
		pages[i] = &page{key: key, id: vault.BlobID{Kind: pageBlob, Object: p.Object, Page: p.Page, Epoch: j.steps[i].Epoch}}
		queries[i] = salesforce.Query{Object: p.Object, Fields: union([]string{"Id"}, p.Fields), Where: salesforce.In("Id", p.ids), OrderBy: "Id", All: p.Deleted}
	}
	defer func() {
		for _, p := range pages {
			p.abort()
		}
	}()
	ans, answers := j.lane.client.Query(ctx, queries, func(i int, row salesforce.Row) error {
		pages[i].last = row.ID
		return pages[i].write(ctx, row.Raw)
	})
	defer ans.Detail.Clear()
	s.take(ans)
	if ans.Err != nil { // the vault took no more: what it says decides
		return ans.Err
	}
	if s.Fault != nil {
		return nil
	}
	for i, st := range j.steps {
		r := result{Verdict: weir.Succeed, Outcome: "exported", Fault: answers[i].Fault, Jitter: e.jitter()}
		if r.Fault == nil {
			ref, err := pages[i].finish(ctx)
			if err != nil {
				return err
			}
			id := pages[i].id
			if next, more := parts[i].rest(answers[i].Done, pages[i].last); more {
				if r.Args, err = json.Marshal(next); err != nil {
					return fmt.Errorf("encode export step %s: %w", st.ID, err)
				}
				r.Verdict = weir.Yield
			}
			r.Blob = &store.Blob{Request: st.Request, Kind: id.Kind, Object: id.Object, Page: id.Page, Epoch: id.Epoch, Ref: ref}
		}
		s.Results = append(s.Results, r)
	}
	return nil
}

// part is an export step with the records of its next page.
type part struct {
	plan.ExportArgs
	ids []string
}

// partsOf reads which records the next pages of the steps are about. They are
// those of the plan: findings change only until it is made.
func (e *Engine) partsOf(ctx context.Context, j *job) ([]part, error) {
	parts := make([]part, len(j.steps))
	err := e.view(ctx, func(tx *store.Tx) error {
		for i, st := range j.steps {
			p := &parts[i]
			if err := json.Unmarshal(st.Args, &p.ExportArgs); err != nil {
				return fmt.Errorf("decode export step %s: %w", st.ID, err)
			}
			var err error
			if p.ids, err = tx.SureRecords(st.Request, weir.PassPlan, p.Object, p.After, p.Last, plan.QueryIDs); err != nil {
				return err
			}
			if len(p.ids) == 0 {
				return fmt.Errorf("export step %s: no record of %s is left behind %s", st.ID, p.Object, p.After)
			}
		}
		return nil
	})
	return parts, err
}

// rest is what is still to be read of a part after a page. Salesforce pages wide
// rows below the number that was asked for: the next page goes on behind the
// last row that came.
func (p part) rest(done bool, row string) (plan.ExportArgs, bool) {
	next := p.ExportArgs
	next.After, next.Page = p.ids[len(p.ids)-1], p.Page+1
	if i := slices.IndexFunc(p.ids, func(id string) bool { return sameID(id, row) }); !done && i >= 0 {
		next.After = p.ids[i]
	}
	return next, next.After < next.Last
}

// page is one blob that is being sealed while its rows arrive. The vault wants
// to call a writer and the client wants to call a sink, so a pipe joins them;
// the goroutine ends with finish or abort.
type page struct {
	key  *vault.Key
	id   vault.BlobID
	last string // id of the newest row
	w    *io.PipeWriter
	done chan sealed
}

type sealed struct {
	ref weir.SealRef
	err error
}

func (p *page) open(ctx context.Context) {
	r, w := io.Pipe()
	p.w, p.done = w, make(chan sealed, 1)
	go func() {
		ref, err := p.key.Seal(ctx, p.id, func(to io.Writer) error {
			_, err := io.Copy(to, r)
			return err
		})
		_ = r.CloseWithError(err) // a failed seal must not leave the sink blocked
		p.done <- sealed{ref, err}
	}()
}

// write adds one record as a line of JSON.
func (p *page) write(ctx context.Context, raw []byte) error {
	if p.w == nil {
		p.open(ctx)
	}
	if _, err := p.w.Write(raw); err != nil {
		return fmt.Errorf("seal page %d of %s: %w", p.id.Page, p.id.Object, err)
	}
	_, err := p.w.Write([]byte{'\n'})
	return err
}

// finish makes the page durable and returns its reference. A page without rows
// is sealed too: that nothing was there is a result.
func (p *page) finish(ctx context.Context) (weir.SealRef, error) {
	if p.w == nil {
		p.open(ctx)
	}
	_ = p.w.Close() // io.PipeWriter.Close never fails
	got := <-p.done
	p.w = nil
	if got.err != nil {
		return weir.SealRef{}, fmt.Errorf("seal page %d of %s: %w", p.id.Page, p.id.Object, got.err)
	}
	return got.ref, nil
}

// abort drops an unfinished page; the vault leaves no file behind.
func (p *page) abort() {
	if p.w == nil {
		return
	}
	_ = p.w.CloseWithError(context.Canceled) // never fails
	<-p.done
	p.w = nil
}
