package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/salesforce"
)

// findPage is how many records one query of a discovery may return; Salesforce
// pages at 2,000, and weir goes on by keyset instead of a cursor that dies
// with its session (wire reference, rule 9).
const findPage = 2000

// findArgs are the arguments of a find step: identifiers of records and names
// of fields. The subject's values join them only in memory.
type findArgs struct {
	Find  plan.Find `json:"find"`
	IDs   []string  `json:"ids,omitempty"`   // link targets, or the records to prove gone
	All   bool      `json:"all,omitempty"`   // queryAll: deleted records too
	After string    `json:"after,omitempty"` // keyset bookmark
	Tries int       `json:"tries,omitempty"` // how often the proof has waited for the recycle bin
	Open  bool      `json:"open,omitempty"`  // the proof has gone on without records of an earlier page
}

// byRecord marks a find that looks for records by their own ids.
const byRecord = "record"

// find runs up to five queries of discovery passes in one composite call.
func (e *Engine) find(ctx context.Context, j *job, s *settlement) error {
	asked, closeAll, err := e.findQuestions(ctx, j, j.steps)
	defer closeAll()
	if err != nil {
		return err
	}
	ans, answers := j.lane.client.Query(ctx, asked.queries(), asked.take)
	defer ans.Detail.Clear()
	s.take(ans)
	if s.Fault != nil {
		return nil
	}
	left, err := e.left(ctx, j.request)
	if err != nil {
		return err
	}
	s.Results, err = e.findResults(asked, j.steps, answers, left)
	return err
}

// inquiry is the queries of one call.
type inquiry []*question

func (asked inquiry) queries() []salesforce.Query {
	queries := make([]salesforce.Query, len(asked))
	for i, q := range asked {
		queries[i] = q.query()
	}
	return queries
}

// take is the sink of their rows.
func (asked inquiry) take(i int, row salesforce.Row) error {
	asked[i].take(row)
	return nil
}

// findResults is what the answers gave for each of the steps.
func (e *Engine) findResults(asked inquiry, steps []weir.Step, answers []salesforce.QueryAnswer, left map[string]bool) ([]result, error) {
	results := unasked(len(steps))
	for i, q := range asked {
		if len(q.steps) > 1 && (q.stray || blames(answers[i].Fault)) {
			continue
		}
		for k, at := range q.steps {
			r, err := e.findResult(q, k, steps[at].DueAt, answers[i], left)
			if err != nil {
				return nil, err
			}
			r.Jitter = e.jitter()
			results[at] = r
		}
	}
	return results, nil
}

// findQuestions opens the subjects of a job and joins find steps of it into queries. A
// step of a shared query whose subject cannot share one has its own, if there is
// room for it.
func (e *Engine) findQuestions(ctx context.Context, j *job, steps []weir.Step) (asked inquiry, closeAll func(), err error) {
	who := map[weir.RequestID]openedRequest{}
	closeAll = func() {
		for _, o := range who {
			o.close()
		}
	}
	if len(steps) == 0 {
		return nil, closeAll, nil
	}
	for _, r := range j.requests() {
		o, err := e.openRequest(ctx, r)
		if err != nil {
			return nil, closeAll, err
		}
		who[r.ID] = o
	}
	places, err := questions(steps, plan.CompositeQueries)
	if err != nil {
		return nil, closeAll, err
	}
	var single []*question
	for _, group := range places {
		q := &question{}
		for _, at := range group {
			st := steps[at]
			var a findArgs
			if err := json.Unmarshal(st.Args, &a); err != nil {
				return nil, closeAll, fmt.Errorf("decode find step %s: %w", st.ID, err)
			}
			sub := who[st.Request].subject
			if len(group) > 1 && !sub.plain(a) {
				single = append(single, &question{steps: []int{at}, args: []findArgs{a}, who: []subject{sub}})
				continue
			}
			q.steps, q.args, q.who = append(q.steps, at), append(q.args, a), append(q.who, sub)
		}
		if len(q.steps) > 0 {
			asked = append(asked, q)
		}
	}
	asked = append(asked, single[:min(len(single), plan.CompositeQueries-len(asked))]...)
	for _, q := range asked {
		q.found = make([][]plan.Row, len(q.steps))
	}
	return asked, closeAll, nil
}

// left is nil unless the pass is the proof, where it names the records that may
// still be found.
func (e *Engine) left(ctx context.Context, r weir.Request) (map[string]bool, error) {
	if r.Pass != weir.PassProve {
		return nil, nil
	}
	var left map[string]bool
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		left, err = leftInPlace(tx, r)
		return err
	})
	return left, err
}

// findResult is what an answered query gave for the k-th of its steps.
func (e *Engine) findResult(q *question, k int, due time.Time, ans salesforce.QueryAnswer, left map[string]bool) (result, error) {
	a, rows, f := q.args[k], q.found[k], ans.Fault
	more := ""
	if q.all >= findPage || !ans.Done {
		more = q.last
	}
	if f == nil && left != nil {
		return e.prove(a, due, rows, left, more)
	}
	r := result{Verdict: weir.Succeed, Outcome: "read", Fault: f, Find: &a.Find, Rows: rows}
	if f != nil {
		r.Rows = nil // rows before a fault are void
		return r, nil
	}
	return r.on(a, more)
}

// on lets a find go on behind a row, where there are more.
func (r result) on(a findArgs, more string) (result, error) {
	if more == "" {
		return r, nil
	}
	a.After = more
	args, err := json.Marshal(a)
	if err != nil {
		return r, fmt.Errorf("encode a find: %w", err)
	}
	r.Verdict, r.Args = weir.Yield, args
	return r, nil
}

// findQuery joins the names and ids of steps with the values of their subjects.
func findQuery(a findArgs, values identifiers) salesforce.Query {
	q := salesforce.Query{
		Object: a.Find.Object, Fields: []string{"Id", "SystemModstamp"},
		OrderBy: "Id", Limit: findPage, All: a.All,
	}
	if a.All {
		q.Fields = append(q.Fields, "IsDeleted")
	}
	q.Fields = union(q.Fields, a.Find.Select)
	if a.Find.By == plan.ByParent {
		q.Fields = union(q.Fields, a.Find.Fields)
	}
	var match salesforce.Expr
	switch a.Find.By {
	case byRecord:
		match = salesforce.In("Id", a.IDs)
	case plan.ByParent:
		var any []salesforce.Expr
		for _, f := range a.Find.Fields {
			any = append(any, salesforce.In(f, a.IDs))
		}
		match = salesforce.Or(any...)
	default:
		var any []salesforce.Expr
		for _, f := range a.Find.Fields {
			for _, v := range values[a.Find.By] {
				any = append(any, salesforce.Eq(f, v))
			}
		}
		match = salesforce.Or(any...)
	}
	all := []salesforce.Expr{match}
	if w := a.Find.Where; w != nil {
		all = append(all, compare(w))
	}
	if a.After != "" {
		all = append(all, salesforce.Gt("Id", a.After))
	}
	q.Where = salesforce.And(all...)
	return q
}

// identity keeps a row's id, version and lookups, and lets the rest go.
func identity(a findArgs, row salesforce.Row) plan.Row {
	out := plan.Row{Record: row.ID, Lookups: map[string]string{}}
	out.Version, _ = row.String("SystemModstamp")
	if a.All {
		deleted, _ := row.String("IsDeleted")
		out.Deleted = deleted == "true"
	}
	lookups := a.Find.Select
	if a.Find.By == plan.ByParent {
		lookups = union(slices.Clone(lookups), a.Find.Fields)
	}
	for _, f := range lookups {
		if id, ok := row.String(f); ok {
			out.Lookups[f] = id
		}
	}
	return out
}

// compare turns a condition of the data map into a typed expression.
func compare(c *datamap.Condition) salesforce.Expr {
	var v any
	switch c.Value.Kind {
	case datamap.Null:
	case datamap.Bool:
		v = c.Value.Text == "true"
	case datamap.Number:
		v = json.Number(c.Value.Text)
	case datamap.Text:
		v = c.Value.Text
	}
	return salesforce.Compare(c.Field.Text, string(c.Op), v)
}

// sameID compares record ids by their significant characters.
func sameID(a, b string) bool { return len(a) >= 15 && significant(a) == significant(b) }

// significant is what tells records apart: the first 15 characters of an id. The other
// three only say which of those are capitals.
func significant(id string) string { return id[:min(len(id), 15)] }
