package emulator

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxCursors = 10 // open ones of a user; the oldest gives way
	pageSize   = 2_000
	minPage    = 200
)

// cursor is the rest of a query's result.
type cursor struct {
	id      string
	session *session
	used    time.Time
	query   *query
	columns []selected
	rows    []*record
}

// selected is one item of a SELECT list: a field, or a parent with its own.
type selected struct {
	name   string
	column *column
	parent *field
	inner  []selected
}

func invalidType(q *query) *apiError {
	return failure(400, "INVALID_TYPE", "sObject type '"+q.from+"' is not supported. If you are attempting to use a custom "+
		"object, be sure to append the '__c' after the entity name.")
}

// query answers /query and /queryAll.
func (x *exec) query(soql string, all bool) *reply {
	q, err := parse(soql)
	if err != nil {
		return err.reply()
	}
	ob := x.org.object(q.from)
	if ob == nil {
		return invalidType(q).reply()
	}
	if x.call.breaks(ob.name) {
		return queryTimeout().reply()
	}
	columns, err := x.selection(q, ob)
	if err != nil {
		return err.reply()
	}
	rows, err := x.match(q, ob, all)
	if err != nil {
		return err.reply()
	}
	if q.count {
		return rawReply(http.StatusOK, jsonType, []byte(`{"totalSize":`+strconv.Itoa(len(rows))+`,"done":true,"records":[]}`))
	}
	return x.pageFrom(&cursor{session: x.call.session, query: q, columns: columns, rows: rows}, 0)
}

// match finds the rows of a query in their order.
func (x *exec) match(q *query, ob *object, all bool) ([]*record, *apiError) {
	match, err := x.bind(q, ob, q.where)
	if err != nil {
		return nil, err
	}
	enough, sorted := -1, inOrderOfID(q)
	if sorted && q.limit >= 0 {
		enough = q.offset + q.limit
	}
	var rows []*record
	for _, r := range x.candidates(q, ob) {
		if len(rows) == enough {
			break
		}
		hidden := r.deleted() && (!all || r.forgotten(x.now, x.org.options.RecycleLag))
		if !hidden && match(r) {
			rows = append(rows, r)
		}
	}
	if !sorted {
		if err := x.sortRows(q, ob, rows); err != nil {
			return nil, err
		}
	}
	rows = rows[min(q.offset, len(rows)):]
	if q.limit >= 0 {
		rows = rows[:min(q.limit, len(rows))]
	}
	return rows, nil
}

// inOrderOfID says that a query wants its rows as an object keeps them, so that
// a page of a million rows costs no more than one of a thousand.
func inOrderOfID(q *query) bool {
	return len(q.order) == 0 || len(q.order) == 1 && isID(q.order[0].path) && !q.order[0].desc
}

// candidates are all rows, or only the few that a condition on Id allows: reads
// by id and by keyset are most of what a client does.
func (x *exec) candidates(q *query, ob *object) []*record {
	conditions := []condition{q.where}
	if and, ok := q.where.(andCondition); ok {
		conditions = and.all
	}
	for _, c := range conditions {
		var values []operand
		switch c := c.(type) {
		case comparison:
			if !isID(c.path) {
				continue
			}
			switch c.operator {
			case "=":
				values = []operand{c.value}
			case ">", ">=":
				return ob.rowsFrom(c.value)
			}
		case membership:
			if !c.not && c.sub == nil && isID(c.path) {
				values = c.values
			}
		}
		if values == nil {
			continue
		}
		found := make(map[*record]bool)
		for _, v := range values {
			if s, ok := v.value.(string); ok && len(s) >= 15 && ob.byID[s[:15]] != nil {
				found[ob.byID[s[:15]]] = true
			}
		}
		rows := make([]*record, 0, len(found))
		for r := range found {
			rows = append(rows, r)
		}
		slices.SortFunc(rows, func(a, b *record) int { return strings.Compare(a.id, b.id) })
		return rows
	}
	return ob.rows
}

// rowsFrom leaves out the rows below an id.
func (ob *object) rowsFrom(v operand) []*record {
	id, ok := v.value.(string)
	if !ok || len(id) < 15 {
		return ob.rows
	}
	at, _ := slices.BinarySearchFunc(ob.rows, id[:15], func(r *record, id string) int { return strings.Compare(r.id[:15], id) })
	return ob.rows[at:]
}

func isID(p path) bool { return len(p.names) == 1 && strings.EqualFold(p.names[0], "Id") }

// selection resolves the SELECT list and gathers fields of the same parent.
func (x *exec) selection(q *query, ob *object) ([]selected, *apiError) {
	var out []selected
	for _, p := range q.fields {
		c, err := x.org.resolve(q, ob, p)
		if err != nil {
			return nil, err
		}
		if !place(&out, c, 0) {
			e := malformed(q.text, p.at, "duplicate field selected: "+p.names[len(p.names)-1])
			e.code = "INVALID_FIELD"
			return nil, e
		}
	}
	return out, nil
}

// place puts a column into the tree; it is false when it is there already.
func place(into *[]selected, c *column, depth int) bool {
	if depth == len(c.hops) {
		name := c.name
		if c.last != nil {
			name = c.last.name
		}
		for _, s := range *into {
			if s.parent == nil && s.name == name {
				return false
			}
		}
		*into = append(*into, selected{name: name, column: &column{last: c.last, name: c.name, org: c.org}})
		return true
	}
	hop := c.hops[depth]
	for i := range *into {
		if (*into)[i].parent == hop {
			return place(&(*into)[i].inner, c, depth+1)
		}
	}
	s := selected{name: hop.relation, parent: hop}
	ok := place(&s.inner, c, depth+1)
	*into = append(*into, s)
	return ok
}

// pageFrom writes one page, and opens a cursor when there are more.
func (x *exec) pageFrom(c *cursor, start int) *reply {
	size := x.batchSize()
	end := min(start+size, len(c.rows))
	b := make([]byte, 0, 64+256*(end-start))
	b = append(b, `{"totalSize":`...)
	b = strconv.AppendInt(b, int64(len(c.rows)), 10)
	if end < len(c.rows) {
		x.org.open(c, x.now)
		b = append(b, `,"done":false,"nextRecordsUrl":"/services/data/v`...)
		b = append(b, x.version+"/query/"+c.id+"-"+strconv.Itoa(end)+`"`...)
	} else {
		b = append(b, `,"done":true`...)
	}
	b = append(b, `,"records":[`...)
	for i, r := range c.rows[start:end] {
		if i > 0 {
			b = append(b, ',')
		}
		b = x.appendSelected(b, r, c.columns)
	}
	return rawReply(http.StatusOK, jsonType, append(b, "]}"...))
}

func (x *exec) appendSelected(b []byte, r *record, list []selected) []byte {
	b = x.appendAttributes(append(b, '{'), r)
	for _, s := range list {
		b = append(b, ',')
		b = appendString(b, s.name)
		b = append(b, ':')
		if s.parent == nil {
			b = appendValue(b, s.column.of(r))
		} else if parent := x.org.follow(r, s.parent); parent != nil {
			b = x.appendSelected(b, parent, s.inner)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, '}')
}

// batchSize reads the hint of the caller; the platform may give fewer rows.
func (x *exec) batchSize() int {
	for part := range strings.SplitSeq(x.header.Get("Sforce-Query-Options"), ";") {
		name, value, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(name), "batchSize") {
			if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
				return min(max(n, minPage), x.org.options.PageRows)
			}
		}
	}
	return x.org.options.PageRows
}

// open keeps a cursor for its user, and drops the one unused for the longest.
func (o *Org) open(c *cursor, now time.Time) {
	c.used = now
	if c.id == "" {
		c.id = "0r8" + o.mint(12)
		c.id += checksum(c.id)
	} else if i := slices.Index(o.cursors, c); i >= 0 {
		o.cursors = slices.Delete(o.cursors, i, i+1)
	}
	o.cursors = append(o.cursors, c)
	if len(o.cursors) > maxCursors {
		o.cursors = slices.Delete(o.cursors, 0, len(o.cursors)-maxCursors)
	}
}

// page answers a query locator. It belongs to the session that opened it: in
// another, it is refused as a dead session is, however fresh the caller's is.
func (x *exec) page(locator string) *reply {
	lost := failure(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
	id, at, _ := strings.Cut(locator, "-")
	start, err := strconv.Atoi(at)
	i := slices.IndexFunc(x.org.cursors, func(c *cursor) bool { return c.id == id })
	if err != nil || start < 0 || start == math.MaxInt || i < 0 {
		return lost.reply()
	}
	c := x.org.cursors[i]
	if x.now.Sub(c.used) >= x.org.options.CursorIdle || start > len(c.rows) {
		return lost.reply()
	}
	if c.session != x.call.session {
		return invalidSession().reply()
	}
	c.used = x.now
	return x.pageFrom(c, start)
}
