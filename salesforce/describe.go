package salesforce

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/weirhq/weir"
)

// Describe reads what the org says about up to 25 objects, in one composite
// call. Schemas and faults have the order of objects; a schema whose fault is
// set is empty. Only what the integration user may see is described.
func (c *Client) Describe(ctx context.Context, objects []string) (Answer, []weir.ObjectSchema, []*weir.Fault) {
	a, schemas, faults, _ := c.DescribeAndQuery(ctx, objects, nil, nil)
	return a, schemas, faults
}

// DescribeAndQuery sends queries, as Query does, behind the describes in the same
// call. They make at most 25 subrequests, of which five are queries.
func (c *Client) DescribeAndQuery(ctx context.Context, objects []string, queries []Query, sink func(i int, row Row) error) (Answer, []weir.ObjectSchema, []*weir.Fault, []QueryAnswer) {
	d := describes{client: c, objects: objects, schemas: make([]weir.ObjectSchema, len(objects)), faults: make([]*weir.Fault, len(objects)), trees: make([]any, len(objects))}
	answers := make([]QueryAnswer, len(queries))
	subs, err := d.subs()
	if err == nil && len(queries) > 0 {
		var asks []subrequest
		asks, err = c.querySubs(queries)
		subs = append(subs, asks...)
	}
	if err != nil || len(subs) > maxSubrequests {
		a := c.refuse(CodeInvalidQuery, weir.Validation)
		d.fail(a, nil)
		return a, d.schemas, d.faults, failQueries(a, answers, nil)
	}
	n := len(objects)
	bodies, settled := make([]queryBody, len(queries)), make([]bool, len(subs))
	rows := &rowReader{}
	defer rows.wipe()
	a := c.composite(ctx, call{}, subs,
		func(i int, s *scanner) error {
			if i >= n {
				return bodies[i-n].read(c, s, rows, func(r Row) error { return sink(i-n, r) })
			}
			return d.read(i, s)
		},
		func(i int, p part) {
			if settled[i] = true; i >= n {
				answers[i-n] = bodies[i-n].answer(c, p)
			} else {
				d.answer(i, p)
			}
		})
	d.fail(a, settled[:n])
	return a, d.schemas, d.faults, failQueries(a, answers, settled[n:])
}

// describes are the describes of one call.
type describes struct {
	client  *Client
	objects []string
	schemas []weir.ObjectSchema
	faults  []*weir.Fault
	trees   []any // what came where a describe was expected
}

func (d *describes) subs() ([]subrequest, error) {
	if len(d.objects) == 0 {
		return nil, ErrInvalidQuery
	}
	var subs []subrequest
	for _, o := range d.objects {
		if !apiName.MatchString(o) {
			return nil, ErrInvalidQuery
		}
		subs = append(subs, subrequest{method: http.MethodGet, url: d.client.objectPath(o, "describe")})
	}
	return subs, nil
}

func (d *describes) read(i int, s *scanner) error {
	first, err := s.peek()
	if err != nil {
		return err
	}
	if first != '{' {
		d.trees[i], err = s.value()
		return err
	}
	d.schemas[i], err = readSchema(s)
	return err
}

func (d *describes) answer(i int, p part) {
	if p.status == http.StatusOK && d.schemas[i].Name == d.objects[i] {
		return
	}
	if d.faults[i] = d.client.subVerdict(Response{Method: http.MethodGet}, p, d.trees[i]).Fault(); d.faults[i] == nil {
		d.faults[i] = ownFault(CodeBrokenAnswer, weir.PlatformFault, weir.EffectNone)
	}
	d.schemas[i] = weir.ObjectSchema{}
}

// fail gives the fault of the whole call to every describe that was not answered.
func (d *describes) fail(a Answer, settled []bool) {
	for i := range d.faults {
		if a.Fault != nil && (settled == nil || !settled[i] || a.Fault.Code == CodeMismatch) {
			d.schemas[i], d.faults[i] = weir.ObjectSchema{}, a.Fault
		}
	}
}

// readSchema reads one describe result, field by field: a describe of a wide
// object is a megabyte, of which weir keeps a hundredth.
func readSchema(s *scanner) (weir.ObjectSchema, error) {
	var o weir.ObjectSchema
	err := s.object(func(name string) error {
		switch name {
		case "name":
			return s.into(&o.Name)
		case "queryable":
			return s.into(&o.Queryable)
		case "updateable":
			return s.into(&o.Updateable)
		case "deletable":
			return s.into(&o.Deletable)
		case "fields":
			return s.array(func(int) error {
				var f describedField
				if err := s.into(&f); err != nil {
					return err
				}
				if apiName.MatchString(f.Name) { // no map and no query can name another
					o.Fields = append(o.Fields, f.schema())
				}
				return nil
			})
		}
		return s.skip()
	})
	slices.SortFunc(o.Fields, func(a, b weir.FieldSchema) int { return cmp.Compare(a.Name, b.Name) })
	return o, err
}

type describedField struct {
	Name               string   `json:"name"`
	Type               string   `json:"type"`
	Length             int      `json:"length"`
	Nillable           bool     `json:"nillable"`
	Updateable         bool     `json:"updateable"`
	Unique             bool     `json:"unique"`
	Calculated         bool     `json:"calculated"`
	Filterable         bool     `json:"filterable"`
	RestrictedPicklist bool     `json:"restrictedPicklist"`
	ReferenceTo        []string `json:"referenceTo"`
	PicklistValues     []struct {
		Active bool   `json:"active"`
		Value  string `json:"value"`
	} `json:"picklistValues"`
}

func (f describedField) schema() weir.FieldSchema {
	out := weir.FieldSchema{
		Name: f.Name, Type: shown(f.Type), Length: f.Length, Nillable: f.Nillable, Updateable: f.Updateable, Unique: f.Unique,
		Calculated: f.Calculated, Filterable: f.Filterable, Restricted: f.RestrictedPicklist,
	}
	for _, object := range f.ReferenceTo {
		if apiName.MatchString(object) {
			out.References = append(out.References, object)
		}
	}
	for _, v := range f.PicklistValues {
		if v.Active {
			out.Picklist = append(out.Picklist, v.Value)
		}
	}
	return out
}
