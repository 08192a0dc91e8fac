package deadletter

import "github.com/weirhq/weir"

// For says which event lets a dead letter go. cause is why the step died,
// category the fault that it met last; the two differ when a wait would have
// ended after the due date.
func For(cause, category weir.Category) weir.ReleaseKind {
	if cause == weir.DeadlineRisk && category != weir.DeadlineRisk {
		return For(category, category)
	}
	switch cause {
	case weir.AuthDrift, weir.AuthConfig:
		return weir.ReleaseByAuth
	case weir.ThrottledDaily, weir.ThrottledConcurrent, weir.ThrottledBurst, weir.ThrottledLogin, weir.Maintenance, weir.StorageFull:
		return weir.ReleaseByAllocation
	case weir.DeadlineRisk:
		// It died before its call was sent, at the org's gate: when the org takes
		// calls again before a person has decided, every hour counts.
		return weir.ReleaseByAllocation
	case weir.Success, weir.PartialFailure, weir.Permission, weir.Validation, weir.Conflict,
		weir.LockContention, weir.Gone, weir.NotFound, weir.AmbiguousMatch, weir.CursorLost,
		weir.QueryTimeout, weir.PlatformFault, weir.EndpointMoved, weir.Capacity, weir.NotExecuted,
		weir.UnknownOutcome, weir.UnknownClient, weir.Drift, weir.Residue, weir.StorageFault:
		return weir.ReleaseByPerson
	}
	return weir.ReleaseByPerson
}
