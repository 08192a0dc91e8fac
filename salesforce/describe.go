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
	schemas := make([]weir.ObjectSchema, len(objects))
	faults := make([]*weir.Fault, len(objects))
	subs := make([]subrequest, len(objects))
	valid := len(objects) > 0 && len(objects) <= maxSubrequests
	for i, o := range objects {
		valid = valid && apiName.MatchString(o)
		subs[i] = subrequest{method: http.MethodGet, url: c.objectPath(o, "describe")}
	}
	if !valid {
		a := c.refuse(CodeInvalidQuery, weir.Validation)
		for i := range faults {
			faults[i] = a.Fault
		}
		return a, schemas, faults
	}
	trees := make([]any, len(objects))
	settled := make([]bool, len(objects))
	a := c.composite(ctx, call{}, subs,
		func(i int, s *scanner) error {
			first, err := s.peek()
			if err != nil {
				return err
			}
			if first != '{' {
				trees[i], err = s.value()
				return err
			}
			schemas[i], err = readSchema(s)
			return err
		},
		func(i int, p part) {
			settled[i] = true
			if p.status == http.StatusOK && schemas[i].Name == objects[i] {
				return
			}
			if faults[i] = c.subVerdict(Response{Method: http.MethodGet}, p, trees[i]).Fault(); faults[i] == nil {
				faults[i] = ownFault(CodeBrokenAnswer, weir.PlatformFault, weir.EffectNone)
			}
			schemas[i] = weir.ObjectSchema{}
		})
	for i := range faults {
		if a.Fault != nil && (!settled[i] || a.Fault.Code == CodeMismatch) {
			schemas[i], faults[i] = weir.ObjectSchema{}, a.Fault
		}
	}
	return a, schemas, faults
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
