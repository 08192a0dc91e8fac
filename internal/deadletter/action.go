package deadletter

import "github.com/weirhq/weir"

// Verb is what a person can do with a dead letter.
type Verb string

// The verbs.
const (
	Retry      Verb = "retry"             // send the step again now, with fresh budgets
	AfterReset Verb = "retry-after-reset" // send it again only if its cause has cleared
	Resolve    Verb = "resolve"           // go without it: the reason stands in the certificate
	Escalate   Verb = "escalate"          // pass it on; the request stays open
)

// Role is the least role that an action needs.
type Role string

// The roles that act on dead letters.
const (
	Operator Role = "operator"
	Approver Role = "approver" // decides what the subject does not get
)

// Action is one thing that may be done with a letter, and by whom.
type Action struct {
	Verb Verb   `json:"verb"`
	Role Role   `json:"role"`
	Note string `json:"note"` // what it does, in half a sentence
}

// Actions lists what may be done with a letter. A letter that is not open
// needs nothing. A step whose plan no longer fits the org is not sent again;
// one that the whole request stands on cannot be left out.
func Actions(state weir.LetterState, cause weir.Category, kind weir.StepKind) []Action {
	if state != weir.LetterOpen {
		return nil
	}
	var out []Action
	if cause != weir.Drift {
		out = append(out, Action{Retry, Operator, retryNote(kind)})
		if release := For(cause, cause); release != weir.ReleaseByPerson {
			out = append(out, Action{AfterReset, Operator, "send it again, but only if the " + string(release) + " has cleared"})
		}
	}
	if kind != weir.StepDescribe && kind != weir.StepFind {
		out = append(out, Action{Resolve, Approver, "go without this step; the reason stands in the certificate"})
	}
	return append(out, Action{Escalate, Operator, "pass it on to somebody else; the request stays open"})
}

func retryNote(kind weir.StepKind) string {
	switch kind {
	case weir.StepErase, weir.StepPurge:
		return "send it again with fresh budgets; the record is read first"
	case weir.StepDescribe, weir.StepFind, weir.StepExport:
		return "send it again with fresh budgets"
	}
	return "send it again with fresh budgets"
}

// May says whether a letter allows a verb.
func May(state weir.LetterState, cause weir.Category, kind weir.StepKind, v Verb) bool {
	for _, a := range Actions(state, cause, kind) {
		if a.Verb == v {
			return true
		}
	}
	return false
}
