package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/internal/datamap"
)

// The reasons why no plan can be made.
var (
	ErrNoMatch   = errors.New("no record matches the subject")
	ErrTooMany   = errors.New("more records match than one request may touch")
	ErrUndecided = errors.New("the data map has undecided fields")
	ErrBlocked   = errors.New("the data map does not fit the org")

	// ErrDisorder is a mistake of the caller: findings come by object and record.
	ErrDisorder = errors.New("the findings are not in their order")

	ErrUnsupported = errors.New("this version plans access, portability and erasure only")
)

// TooManyError says how far the guard on records was exceeded.
type TooManyError struct {
	Found, Max int
}

// Error names the two numbers.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("%v: %d found, %d allowed", ErrTooMany, e.Found, e.Max)
}

// Unwrap makes the error an ErrTooMany.
func (e *TooManyError) Unwrap() error { return ErrTooMany }

// UndecidedError lists the fields that a person must decide about.
type UndecidedError struct {
	Fields []datamap.FieldRef
}

// Error names the fields.
func (e *UndecidedError) Error() string {
	names := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		names[i] = f.Object + "." + f.Field
	}
	return fmt.Sprintf("%v: %s", ErrUndecided, strings.Join(names, ", "))
}

// Unwrap makes the error an ErrUndecided.
func (e *UndecidedError) Unwrap() error { return ErrUndecided }

// BlockedError lists the findings that block.
type BlockedError struct {
	Findings []datamap.Finding
}

// Error writes one finding a line.
func (e *BlockedError) Error() string {
	lines := []string{ErrBlocked.Error()}
	for _, f := range e.Findings {
		lines = append(lines, f.Pos.String()+": "+f.Message+"; "+f.Fix)
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes the error an ErrBlocked.
func (e *BlockedError) Unwrap() error { return ErrBlocked }
