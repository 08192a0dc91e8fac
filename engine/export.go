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
// one sealed page for each step. Plaintext lives for one record.
func (e *Engine) export(ctx context.Context, j *job, s *settlement) error {
	x, err := e.openExports(ctx, j)
	defer x.close()
	if err != nil {
		return err
	}
	ans, answers := j.lane.client.Query(ctx, x.queries(), func(i int, row salesforce.Row) error {
		for _, at := range x.asked[i] {
			if err := x.parts[at].take(ctx, row, len(x.asked[i]) > 1); err != nil {
				return err
			}
		}
		return nil
	})
	defer ans.Detail.Clear()
	s.take(ans)
	if ans.Err != nil { // the vault took no more: what it says decides
		return ans.Err
	}
	if s.Fault != nil {
		return nil
	}
	s.Results = unasked(len(j.steps))
	for i, places := range x.asked {
		if len(places) > 1 && (answers[i].Fault == nil && !answers[i].Done || blames(answers[i].Fault)) {
			continue
		}
		for _, at := range places {
			if s.Results[at], err = e.exported(ctx, &x.parts[at], j.steps[at], answers[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// exports is one call that reads for several steps.
type exports struct {
	asked [][]int // the steps that each query answers, by their places in the job
	parts []part
	keys  map[weir.RequestID]*vault.Key
}

func (x *exports) close() {
	for i := range x.parts {
		x.parts[i].page.abort()
	}
	for _, k := range x.keys {
		k.Close()
	}
}

// openExports opens the keys of a job's requests, joins its steps into queries and
// gives each step a page under its own request's key. What it returns is to be
// closed, also with an error.
func (e *Engine) openExports(ctx context.Context, j *job) (*exports, error) {
	x := &exports{keys: map[weir.RequestID]*vault.Key{}}
	for _, r := range j.requests() {
		key, err := e.requestKey(ctx, r.Org, r.ID)
		if err != nil {
			return x, err
		}
		x.keys[r.ID] = key
	}
	var err error
	if x.asked, err = questions(j.steps, capacity(j.steps[0])); err != nil {
		return x, err
	}
	if err := e.vault.Admit(int64(len(x.asked)) << 20); err != nil {
		return x, fmt.Errorf("admit pages: %w", err)
	}
	if x.parts, err = e.partsOf(ctx, j); err != nil {
		return x, err
	}
	for i, st := range j.steps {
		p := &x.parts[i]
		p.page = page{key: x.keys[st.Request], id: vault.BlobID{Kind: pageBlob, Object: p.Object, Page: p.Page, Epoch: st.Epoch}}
	}
	return x, nil
}

// queries asks for the records of all steps that share each query.
func (x *exports) queries() []salesforce.Query {
	queries := make([]salesforce.Query, len(x.asked))
	for i, places := range x.asked {
		var ids []string
		for _, at := range places {
			ids = append(ids, x.parts[at].ids...)
		}
		slices.Sort(ids)
		p := x.parts[places[0]]
		queries[i] = salesforce.Query{
			Object: p.Object, Fields: union([]string{"Id"}, p.Fields), Where: salesforce.In("Id", slices.Compact(ids)), OrderBy: "Id", All: p.Deleted,
		}
	}
	return queries
}

// exported seals the page of a step whose query was answered.
func (e *Engine) exported(ctx context.Context, p *part, st weir.Step, ans salesforce.QueryAnswer) (result, error) {
	r := result{Verdict: weir.Succeed, Outcome: "exported", Fault: ans.Fault, Jitter: e.jitter()}
	if r.Fault != nil {
		return r, nil
	}
	ref, err := p.page.finish(ctx)
	if err != nil {
		return r, err
	}
	if next, more := p.rest(ans.Done, p.page.last); more {
		if r.Args, err = json.Marshal(next); err != nil {
			return r, fmt.Errorf("encode export step %s: %w", st.ID, err)
		}
		r.Verdict = weir.Yield
	}
	id := p.page.id
	r.Blob = &store.Blob{Request: st.Request, Kind: id.Kind, Object: id.Object, Page: id.Page, Epoch: id.Epoch, Ref: ref}
	return r, nil
}

// part is an export step with the records of its next page.
type part struct {
	plan.ExportArgs
	ids  []string
	page page
}

// take writes a row to the part's page, if it is the part's: of a shared query
// only what its ids name.
func (p *part) take(ctx context.Context, row salesforce.Row, shared bool) error {
	if shared && !slices.ContainsFunc(p.ids, func(id string) bool { return sameID(id, row.ID) }) {
		return nil
	}
	p.page.last = row.ID
	return p.page.write(ctx, row.Raw)
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
