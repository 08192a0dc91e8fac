package web

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// The exit codes of every verb (docs/exit-codes.md). New codes may be added; a
// script treats an unknown one as a failure.
const (
	ExitOK         = 0
	ExitFailure    = 1
	ExitUsage      = 2
	ExitConfig     = 3
	ExitAuth       = 4
	ExitNotFound   = 5
	ExitConflict   = 6
	ExitFindings   = 7
	ExitIntegrity  = 8
	ExitThrottled  = 9
	ExitDeadLetter = 10
	ExitLate       = 11
	ExitStore      = 12

	ExitWork       = 20 // plan --detailed-exitcode: there is work to do
	ExitWorkAtRisk = 21 // and its forecast misses the deadline

	ExitInterrupted = 130
)

// ExitCodes lists every exit code.
func ExitCodes() []int {
	return []int{
		ExitOK, ExitFailure, ExitUsage, ExitConfig, ExitAuth, ExitNotFound, ExitConflict, ExitFindings, ExitIntegrity,
		ExitThrottled, ExitDeadLetter, ExitLate, ExitStore, ExitWork, ExitWorkAtRisk, ExitInterrupted,
	}
}

// Failure is an error as people and scripts see it: what happened, what was
// kept safe, what to do next.
type Failure struct {
	Schema  string `json:"schema"`
	Exit    int    `json:"exit"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	Problems []string `json:"problems,omitempty"` // each mistake of a file, as file:line:col: text
}

func (f *Failure) Error() string {
	if f.Hint != "" {
		return f.Message + "\n" + f.Hint
	}
	return f.Message
}

// failures maps errors to what people see; the first match wins.
var failures = []struct { //nolint:gochecknoglobals // a constant table; Go has no constant slices
	is   error
	exit int
	code string
	hint string
}{
	{ErrInput, ExitUsage, "usage", ""},
	{engine.ErrIdentifier, ExitUsage, "identifier", "Nothing was stored."},
	{engine.ErrText, ExitUsage, "text", "Nothing was stored."},
	{engine.ErrReason, ExitUsage, "reason", "Nothing was changed."},
	{engine.ErrRecipient, ExitUsage, "recipient", "Nothing was stored. A recipient is an age public key: age1…"},
	{engine.ErrUnsupported, ExitUsage, "unsupported", "Nothing was stored."},
	{engine.ErrUnknownOrg, ExitNotFound, "unknown_org", "`weir org list` shows the configured orgs."},
	{engine.ErrStale, ExitConflict, "plan_stale", ""},
	{engine.ErrFourEyes, ExitAuth, "four_eyes", "Nothing was sent."},
	{engine.ErrNotReleasable, ExitThrottled, "not_released", "Nothing was sent; the letter keeps its payload sealed."},
	{engine.ErrMismatch, ExitIntegrity, "decision_mismatch", "The replay log was altered, or another version of weir made the decision."},
	{store.ErrUnsafe, ExitFailure, "unsafe_place", "Nothing was opened."},
	{engine.ErrTampered, ExitIntegrity, "integrity", ""},
	{engine.ErrCorrupt, ExitIntegrity, "sealed_data_corrupt", "Nothing of it was used."},
	{weir.ErrNoSuchTransition, ExitConflict, "not_in_that_state", "`weir status` shows where it stands."},
	{engine.ErrMovedElsewhere, ExitConflict, "moved_elsewhere", "Somebody else changed it at the same time; nothing was lost. Look again and repeat."},
	{engine.ErrShredded, ExitConflict, "shredded", "The request's key was destroyed when it ended."},
	{engine.ErrKEKInUse, ExitConflict, "key_in_use", "Nothing was destroyed. `weir keys rotate` makes another key the one that wraps; `weir keys list` shows what needs each."},
	{vault.ErrShredded, ExitConflict, "shredded", "The request's key was destroyed when it ended."},
	{vault.ErrWrongKey, ExitAuth, "wrong_key", "The data is intact and stays sealed. Restore the key file that sealed it."},
	{vault.ErrUnsafe, ExitConfig, "unsafe_secret", "Nothing was opened or changed; the data is intact and stays sealed."},
	{engine.ErrNotFound, ExitNotFound, "not_found", ""},
	{engine.ErrLocked, ExitStore, "store_locked", "Another weir works there. Its socket answers every verb while it runs."},
	{engine.ErrInDoubt, ExitStore, "in_doubt", "It may have been carried out or not, and nothing else was lost. `weir status` tells once the store answers; repeat it only if it is not there."},
	{engine.ErrUnavailable, ExitStore, "store_unreachable", "Nothing was lost; a running weir keeps outcomes in its journal."},
	{context.DeadlineExceeded, ExitFailure, "timeout", "What was accepted is durable; look again with `weir status`."},
	{context.Canceled, ExitInterrupted, "interrupted", "What was accepted is durable; look again with `weir status`."},
}

// AsFailure gives an error its exit code, code and hint.
func AsFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	for _, k := range failures {
		if errors.Is(err, k.is) {
			return &Failure{Schema: "weir.error/v1", Exit: k.exit, Code: k.code, Message: err.Error(), Hint: k.hint}
		}
	}
	return &Failure{Schema: "weir.error/v1", Exit: ExitFailure, Code: "unexpected", Message: err.Error()}
}

// Fail makes a failure of the caller's own.
func Fail(exit int, code, hint, format string, args ...any) *Failure {
	return &Failure{Schema: "weir.error/v1", Exit: exit, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
}
