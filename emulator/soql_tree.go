package emulator

// query is a parsed SOQL statement.
type query struct {
	text   string
	count  bool // SELECT COUNT()
	fields []path
	from   string
	where  condition
	order  []ordering
	limit  int // -1 without LIMIT
	offset int
}

// path is a dotted name: relationships, then a field.
type path struct {
	names []string
	at    int
}

type ordering struct {
	path      path
	desc      bool
	nullsLast bool
}

// condition is a node of the WHERE tree.
type condition interface{ isCondition() }

type (
	andCondition struct{ all []condition }
	orCondition  struct{ any []condition }
	notCondition struct{ not condition }
	// comparison is path operator value; operators are = != < > <= >= and LIKE.
	comparison struct {
		path     path
		operator string
		value    operand
	}
	// membership is path [NOT] IN a list or a subselect.
	membership struct {
		path   path
		not    bool
		values []operand
		sub    *query
	}
)

func (andCondition) isCondition() {}
func (orCondition) isCondition()  {}
func (notCondition) isCondition() {}
func (comparison) isCondition()   {}
func (membership) isCondition()   {}

// operand is a literal: string, bool, float64, time.Time with its kind, or nil.
type operand struct {
	kind  operandKind
	value any
	raw   string // of a string, for LIKE
	at    int
}

type operandKind int

const (
	operandNull operandKind = iota
	operandString
	operandBool
	operandNumber
	operandDate // the value is a string, yyyy-mm-dd
	operandDateTime
)
