package salesforce

import (
	"context"
	"fmt"
	"net/http"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// Query is one question to the org.
type Query struct {
	Object  string
	Fields  []string
	Where   Expr
	OrderBy string // a field, optionally with " ASC" or " DESC"
	Limit   int    // 0 = none
	All     bool   // deleted and archived records too
}

// QueryAnswer is what one query of a call gave.
type QueryAnswer struct {
	Fault  *weir.Fault // nil when the query succeeded; set as well when the whole call failed
	Detail pii.Secret  // the org's message text, which may echo values
	Total  int         // how many records match
	Rows   int         // how many the sink got
	Done   bool        // false: more pages are behind Next
	Next   string      // path for More; checked to lie in the same org
}

// Query sends up to five queries in one composite call. The queries travel in
// its body, so that no value of a subject is part of a URL. sink gets one
// record at a time, with the index of its query. When a Fault is set, for the
// call or for a query, the rows that were given for it are not complete and
// must be dropped.
//
// A query with an invalid name, id or value is refused before anything is
// sent: the Answer has a Fault with Validation, EffectNone and CodeInvalidQuery.
func (c *Client) Query(ctx context.Context, queries []Query, sink func(i int, row Row) error) (Answer, []QueryAnswer) {
	a, answers, _ := c.QueryAndProbe(ctx, queries, nil, sink)
	return a, answers
}

// querySubs renders the queries as parts of a composite call.
func (c *Client) querySubs(queries []Query) ([]subrequest, error) {
	if len(queries) == 0 || len(queries) > maxQueries {
		return nil, fmt.Errorf("%d queries in one call: %w", len(queries), ErrInvalidQuery)
	}
	subs := make([]subrequest, len(queries))
	for i, q := range queries {
		text, err := q.render()
		if err != nil {
			return nil, fmt.Errorf("query %d: %w", i, err)
		}
		resource := "/query?q="
		if q.All {
			resource = "/queryAll?q="
		}
		subs[i] = subrequest{method: http.MethodGet, url: appendEscaped([]byte(c.data(resource)), text)}
		clear(text)
	}
	return subs, nil
}

// failQueries gives the fault of the whole call to every query; rows of an
// answer that broke off cannot be told from rows of another query.
func failQueries(a Answer, answers []QueryAnswer, settled []bool) []QueryAnswer {
	if a.Fault == nil {
		return answers
	}
	for i := range answers {
		if settled == nil || !settled[i] || a.Fault.Code == CodeMismatch {
			fault := *a.Fault
			answers[i] = QueryAnswer{Fault: &fault}
		}
	}
	return answers
}

// More reads the next page behind a Next that Query or More returned.
func (c *Client) More(ctx context.Context, next string, sink func(Row) error) (Answer, QueryAnswer) {
	path, err := locator(c.base, next)
	if err != nil {
		a := c.refuse(CodeForeignLink, weir.EndpointMoved)
		return a, QueryAnswer{Fault: a.Fault}
	}
	var body queryBody
	var q QueryAnswer
	rows := &rowReader{}
	defer rows.wipe()
	a := c.exchange(ctx, call{method: http.MethodGet, path: path}, func(status int, h http.Header, s *scanner) error {
		err := body.read(c, s, rows, sink)
		if err == nil {
			q = body.answer(c, part{status: status, header: h})
			if q.Fault != nil {
				return q.Fault
			}
		}
		return err
	})
	if a.Fault != nil {
		q = QueryAnswer{Fault: a.Fault, Rows: body.rows}
	}
	return a, q
}

// queryBody is the body of one query result, read as a stream.
type queryBody struct {
	total, rows   int
	done, records bool
	next          string
	tree          any // an error body, or whatever else came
	foreign       bool
}

func (b *queryBody) read(c *Client, s *scanner, rows *rowReader, sink func(Row) error) error {
	first, err := s.peek()
	if err != nil {
		return err
	}
	if first != '{' {
		b.tree, err = s.value()
		return err
	}
	rest := map[string]any{}
	err = s.object(func(name string) error {
		switch name {
		case "totalSize":
			return s.into(&b.total)
		case "done":
			return s.into(&b.done)
		case "nextRecordsUrl":
			return b.readNext(c, s)
		case "records":
			b.records = true
			return s.array(func(int) error {
				raw, err := s.raw()
				if err != nil {
					return err
				}
				row, err := rows.row(raw)
				if err != nil {
					return err
				}
				b.rows++
				if err := sink(row); err != nil {
					return &sinkError{err}
				}
				return nil
			})
		}
		v, err := s.value()
		rest[name] = v
		return err
	})
	b.tree = rest
	return err
}

// readNext keeps the locator, checked: a link in an answer is input like any other.
func (b *queryBody) readNext(c *Client, s *scanner) error {
	v, err := s.value()
	if err != nil || v == nil {
		return err
	}
	link, _ := v.(string)
	path, err := locator(c.base, link)
	if err != nil {
		b.foreign = true
		return nil
	}
	b.next = path
	return nil
}

// answer judges the body once the element's status is known.
func (b *queryBody) answer(c *Client, p part) QueryAnswer {
	q := QueryAnswer{Total: b.total, Rows: b.rows, Done: b.done, Next: b.next}
	switch {
	case b.foreign:
		q.Fault = ownFault(CodeForeignLink, weir.EndpointMoved, weir.EffectNone)
		q.Next = ""
	case p.status/100 == 2 && b.records && (b.done || b.next != "" && b.rows > 0): // from an empty page nothing goes on
	case p.status/100 == 2:
		q.Fault = ownFault(CodeBrokenAnswer, weir.PlatformFault, weir.EffectNone)
	default:
		v := c.subVerdict(Response{Method: http.MethodGet}, p, b.tree)
		if q.Fault, q.Detail = v.Fault(), v.Detail; q.Fault == nil { // such as 304: no rows, and no error either
			q.Fault = ownFault(CodeBrokenAnswer, weir.PlatformFault, weir.EffectNone)
		}
	}
	return q
}
