package engine

import (
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// The faces speak to the engine only. What they need of the edges below it has
// a name here.
type (
	// RequestFilter narrows a list of requests; its zero value lists all.
	RequestFilter = store.RequestFilter
	// LetterFilter narrows a list of dead letters; its zero value lists all.
	LetterFilter = store.LetterFilter
	// Accounting is the sum that must be even: accepted = done + waiting + dead + cancelled.
	Accounting = store.Accounting
)

// Errors of the edges that people and scripts tell apart.
var (
	ErrNotFound       = store.ErrNotFound
	ErrMovedElsewhere = store.ErrMovedElsewhere
	ErrShredded       = store.ErrShredded
	ErrLocked         = store.ErrLocked
	ErrUnavailable    = store.ErrUnavailable
	ErrInDoubt        = store.ErrInDoubt
	ErrCorrupt        = vault.ErrCorrupt
	ErrFull           = vault.ErrFull
	ErrKEKInUse       = store.ErrKEKInUse
)
