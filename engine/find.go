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
}

// byRecord marks a find that looks for records by their own ids.
const byRecord = "record"

// find runs up to five queries of one discovery pass in one composite call.
func (e *Engine) find(ctx context.Context, j *job, s *settlement) error {
	who, err := e.openRequest(ctx, j.request)
	if err != nil {
		return err
	}
	defer who.close()
	args := make([]findArgs, len(j.steps))
	queries := make([]salesforce.Query, len(j.steps))
	for i, st := range j.steps {
		if err := json.Unmarshal(st.Args, &args[i]); err != nil {
			return fmt.Errorf("decode find step %s: %w", st.ID, err)
		}
		queries[i] = findQuery(args[i], who.subject)
	}
	rows := make([][]plan.Row, len(j.steps))
	ans, answers := j.lane.client.Query(ctx, queries, func(i int, row salesforce.Row) error {
		rows[i] = append(rows[i], identity(args[i], row))
		return nil
	})
	defer ans.Detail.Clear()
	s.take(ans)
	if s.Fault != nil {
		return nil
	}
	left, err := e.left(ctx, j.request)
	if err != nil {
		return err
	}
	for i := range j.steps {
		r, err := e.findResult(args[i], j.steps[i].DueAt, rows[i], answers[i], left)
		if err != nil {
			return err
		}
		r.Jitter = e.jitter()
		s.Results = append(s.Results, r)
	}
	return nil
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

func (e *Engine) findResult(a findArgs, due time.Time, rows []plan.Row, ans salesforce.QueryAnswer, left map[string]bool) (result, error) {
	f := ans.Fault
	if f == nil && left != nil {
		return e.prove(a, due, rows, left)
	}
	r := result{Verdict: weir.Succeed, Outcome: "read", Fault: f, Find: &a.Find, Rows: rows}
	if f != nil {
		r.Rows = nil // rows before a fault are void
		return r, nil
	}
	if len(rows) == 0 || (ans.Done && len(rows) < findPage) {
		return r, nil
	}
	a.After = rows[len(rows)-1].Record
	args, err := json.Marshal(a)
	r.Verdict, r.Args = weir.Yield, args
	return r, err
}

// findQuery joins the step's names and ids with the subject's values.
func findQuery(a findArgs, who subject) salesforce.Query {
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
			for _, v := range who.values[a.Find.By] {
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

// sameID compares record ids by their 15 significant characters.
func sameID(a, b string) bool {
	return len(a) >= 15 && len(b) >= 15 && a[:15] == b[:15]
}
