package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

// Hash identifies what a plan will do. Times and the forecast are left out:
// they change without the plan changing.
func Hash(p weir.Plan) string {
	p.Hash = ""
	p.CreatedAt, p.ExpiresAt, p.Finish = time.Time{}, time.Time{}, time.Time{}
	p.Items = slices.SortedFunc(slices.Values(p.Items), itemOrder)
	return digest(p)
}

// DescribeHash identifies the describe of some objects: every attribute of
// weir.ObjectSchema, and nothing of the order in which they were listed.
func DescribeHash(schemas map[string]weir.ObjectSchema) string {
	var list []weir.ObjectSchema
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := schemas[name]
		s.Fields = slices.SortedFunc(slices.Values(s.Fields), func(a, b weir.FieldSchema) int {
			return strings.Compare(a.Name, b.Name)
		})
		for i := range s.Fields {
			s.Fields[i].Picklist = slices.Sorted(slices.Values(s.Fields[i].Picklist))
			s.Fields[i].References = slices.Sorted(slices.Values(s.Fields[i].References))
		}
		list = append(list, s)
	}
	return digest(list)
}

// mapped leaves only the objects that the data map mentions.
func mapped(m *datamap.Map, schemas map[string]weir.ObjectSchema) map[string]weir.ObjectSchema {
	out := map[string]weir.ObjectSchema{}
	for _, name := range m.ObjectNames() {
		if s, ok := schemas[name]; ok {
			out[name] = s
		}
	}
	return out
}

// digest hashes the JSON of a value that is made of structs, slices and plain
// fields, whose encoding is the same every time.
func digest(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("plan: %T must have a JSON form: %v", v, err)) // no such type is passed
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
