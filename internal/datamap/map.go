package datamap

import (
	"slices"

	"github.com/weirhq/weir"
)

// Map is one parsed data map.
type Map struct {
	Version    int
	Org        weir.OrgID
	APIVersion string
	Identify   []Identify
	Reasons    map[string]Reason
	History    map[string]HistoryRule // by history object, such as ContactHistory
	Decide     []FieldRef             // fields that nobody has decided about yet

	objects map[string]*Object
	hash    string
}

// Name is a word of the map together with its place.
type Name struct {
	Text string
	Pos  Pos
}

// FieldRef names one field of one object.
type FieldRef struct {
	Object string
	Field  string
	Pos    Pos
}

// Kind is a kind of identifier by which a subject can be looked up.
type Kind = string

// The kinds of identifier.
const (
	KindEmail Kind = "email"
	KindPhone Kind = "phone"
	KindID    Kind = "id"
)

// Identify is one way to find the subject itself.
type Identify struct {
	Object string
	Pos    Pos
	Match  []Match
	Where  *Condition
	Review bool // confidence: review. Shown to people, never erased or handed out unattended
}

// Match says in which fields an identifier of one kind is looked up.
type Match struct {
	Kind   Kind
	Fields []Name
}

// Object is what the map says about one object.
type Object struct {
	Name     string
	Pos      Pos
	Links    []Link
	SharedBy []Name // lookups to another subject: set to somebody else, the record is shared
	Access   *Access
	Rectify  []Name
	OptOut   []Setting
	Erase    *Erase
}

// Link says how a record is reached: its Field points at a record of one of
// the Parents.
type Link struct {
	Field   Name
	Parents []Name // sorted by name, never empty
}

// Access says which fields the subject gets to see.
type Access struct {
	Pos    Pos
	Choice Choice
	Fields []Name            // when Choice is Listed
	Labels map[string]string // readable names by field
}

// Choice is how the fields of an access are chosen.
type Choice string

// The choices of fields.
const (
	Listed   Choice = "listed"
	All      Choice = "all"      // every readable field that is not a compound or binary
	Personal Choice = "personal" // as All, without references and system fields
)

// Erase says what erasure does to a record of the object.
type Erase struct {
	Pos    Pos
	How    weir.Action
	HowPos Pos
	Set    []Setting // sorted by field
	Unlink []Name    // lookups to clear; empty means the links by which the record was found
	Purge  bool      // empty it from the recycle bin, also when it was found there
	After  []Name    // objects whose records go first
	Guard  Guard
	Reason string // of withhold: a key of Reasons
	Until  string // of withhold: when the duty ends, for people to read
}

// Guard narrows the precondition of a write.
type Guard struct {
	IfUnmodifiedSince bool
}

// Setting is a field and the recipe of its new value.
type Setting struct {
	Field Name
	Pos   Pos // of the value
	Value Literal
}

// Action returns the setting as the plan stores it.
func (s Setting) Action() weir.FieldAction {
	return weir.FieldAction{Field: s.Field.Text, Value: s.Value.recipe(), Null: s.Value.Kind == Null}
}

// Reason explains a withheld record to the subject.
type Reason struct {
	Text    string
	Article string
}

// HistoryRule says what to do about a history object.
type HistoryRule struct {
	Object  string
	Pos     Pos
	OnErase string // only "report" exists
}

// Hash identifies the meaning of the map: comments and layout do not change
// it, every key and every value does.
func (m *Map) Hash() string { return m.hash }

// Object finds the rules of one object.
func (m *Map) Object(name string) (*Object, bool) {
	o, ok := m.objects[name]
	return o, ok
}

// Objects lists the objects that have rules, sorted by name.
func (m *Map) Objects() []*Object {
	list := make([]*Object, 0, len(m.objects))
	for _, name := range sortedKeys(m.objects) {
		list = append(list, m.objects[name])
	}
	return list
}

// ObjectNames lists every object that the map mentions, sorted: what must be
// described before the map can be checked or a plan made.
func (m *Map) ObjectNames() []string {
	names := sortedKeys(m.objects)
	for _, e := range m.Identify {
		names = append(names, e.Object)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
