package governor

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// Explain says a decision in one sentence: what happens and when, the cause,
// and the evidence. It holds codes and numbers only.
func Explain(d weir.Decision) string {
	w := d.Wait
	var what string
	switch d.Ruling {
	case weir.Proceed:
		return "It goes on now: nothing stands against it."
	case weir.WaitUntil:
		what = "It waits until " + clock(w.Until)
	case weir.Readback:
		what = "It waits until " + clock(w.Until) + " and then reads back what the org has, before anything is sent again"
	case weir.Reauth:
		what = "It is repeated with a new token"
	case weir.Reread:
		what = "The record is read and planned again"
	case weir.Restart:
		what = "It starts again from its last bookmark"
	case weir.DeadLetter:
		what = "A person must decide"
		if !w.Until.IsZero() {
			what += "; it could not go on before " + clock(w.Until)
		}
	default:
		return fmt.Sprintf("The ruling %q is not known.", d.Ruling)
	}
	what += " because "
	switch {
	case d.Object == "":
	case w.Cause == weir.ThrottledConcurrent:
		what += "calls about " + d.Object + " run for 20 s or longer: "
	default:
		what += "nothing that is asked of " + d.Object + " succeeds: "
	}
	return what + reason(w.Cause) + listed(w.Evidence) + "."
}

// ExplainObject says in one sentence what holds the steps about a broken object.
func ExplainObject(o ObjectView) string {
	what, then := "read", ""
	if o.Writes {
		what = "change"
	}
	if !o.Until.IsZero() {
		then = ", and one call asks at " + clock(o.Until)
	}
	return fmt.Sprintf("To %s %s has failed %d times in a row because %s%s.", what, o.Name, o.Fails, reason(o.Cause), then)
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func listed(es []weir.Evidence) string {
	if len(es) == 0 {
		return ""
	}
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.Name + " " + e.Value
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// reasons says each category as the second half of a sentence.
var reasons = map[weir.Category]string{ //nolint:gochecknoglobals // a constant table; Go has no constant maps
	weir.Success:             "the org carried it out",
	weir.PartialFailure:      "some of its records failed",
	weir.ThrottledDaily:      "the daily allocation has no room for it",
	weir.ThrottledConcurrent: "enough calls are open already",
	weir.ThrottledBurst:      "the org takes no more calls for the moment",
	weir.ThrottledLogin:      "the org takes no more logins for the moment",
	weir.AuthDrift:           "the org no longer accepts the token",
	weir.AuthConfig:          "the org refuses our credentials",
	weir.Permission:          "the integration user lacks a permission",
	weir.Validation:          "the org refuses the change as it is",
	weir.Conflict:            "the record was changed by somebody else",
	weir.LockContention:      "the record is locked by another transaction",
	weir.Gone:                "the record is deleted already",
	weir.NotFound:            "the org does not show the record",
	weir.AmbiguousMatch:      "several records match",
	weir.CursorLost:          "the org has dropped the query's cursor",
	weir.QueryTimeout:        "the query ran for too long",
	weir.PlatformFault:       "the platform failed",
	weir.Maintenance:         "the org is down for maintenance",
	weir.EndpointMoved:       "the org has moved to another address",
	weir.Capacity:            "the org has no storage left",
	weir.NotExecuted:         "a failure beside it kept it from being carried out",
	weir.UnknownOutcome:      "no answer came, so that it may or may not have happened",
	weir.UnknownClient:       "the org refused it in words that weir does not know",
	weir.Drift:               "the org no longer is what the plan was made for",
	weir.DeadlineRisk:        "the wait would end after the due date",
	weir.Residue:             "deleted records still show in the org",
	weir.StorageFault:        "our own storage failed",
	weir.StorageFull:         "our own disk is full",
}

func reason(c weir.Category) string {
	if r, ok := reasons[c]; ok {
		return r
	}
	return "of " + string(c)
}
