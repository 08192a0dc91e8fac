package deadletter

import "github.com/weirhq/weir"

// Suggest says in one sentence what happened, what was kept safe and what to
// do next. code is Salesforce's own; for some it knows better advice than the
// category alone.
func Suggest(category weir.Category, code string) string {
	if s, ok := byCode[code]; ok {
		return s
	}
	if s, ok := byCategory[category]; ok {
		return s
	}
	return "The step failed in a way that weir does not know; nothing more was sent. Read the sealed message, then retry or resolve."
}

// byCode holds the codes whose remedy differs from that of their category
// (wire reference, section 2.2).
var byCode = map[string]string{ //nolint:gochecknoglobals // a constant table; Go has no constant maps
	"DELETE_FAILED":                     "The org refused the deletion because other records depend on this one; the record is as it was. Erase or unlink the dependent records first, then retry.",
	"DEPENDENCY_EXISTS":                 "The org refused the deletion because other records depend on this one; the record is as it was. Erase or unlink the dependent records first, then retry.",
	"ENTITY_IS_LOCKED":                  "An approval process locks the record; it is as it was. Let an administrator unlock it or end the approval, then retry.",
	"ENTITY_IS_ARCHIVED":                "The record is archived and cannot be changed; it is as it was. Let an administrator restore it, then retry.",
	"DUPLICATES_DETECTED":               "A duplicate rule of the org refused the new values; the record is as it was. Give the field a unique recipe in the data map or allow the rule, then retry.",
	"DUPLICATE_VALUE":                   "A unique field refused the new value; the record is as it was. Give the field a unique recipe in the data map, plan again and retry.",
	"FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule of the org refused the new values; the record is as it was. Except the integration user from the rule or choose other values in the data map, then retry.",
	"REQUIRED_FIELD_MISSING":            "A required field cannot be emptied; the record is as it was. Give it a literal in the data map instead of null, plan again and retry.",
	"STRING_TOO_LONG":                   "A replacement value is longer than its field; the record is as it was. Shorten the recipe in the data map, plan again and retry.",
	"INVALID_FIELD":                     "The org does not know a field that the data map names; nothing was changed. Run map check, correct the map and plan again.",
	"API_DISABLED_FOR_ORG":              "The org's API is switched off; nothing was changed. Let an administrator enable it, then retry.",
	"UNSUPPORTED_API_VERSION":           "The org no longer offers the configured API version; nothing was changed. Set a newer api_version, then retry.",
}

var byCategory = map[weir.Category]string{ //nolint:gochecknoglobals // a constant table; Go has no constant maps
	weir.Success:             "The step was carried out; nothing is lost. Resolve the letter.",
	weir.PartialFailure:      "Some records of the call failed; what succeeded is recorded and is not sent again. Retry the rest.",
	weir.ThrottledDaily:      "The org's daily allocation will not have room before the due date; nothing was sent. It goes by itself once there is room; extend the deadline, raise the allocation or retry after the reset.",
	weir.ThrottledConcurrent: "The org has too many calls open; nothing was changed. It goes by itself once the org takes calls again; ask which integration holds them, or retry.",
	weir.ThrottledBurst:      "The org took no more calls for the moment; nothing was changed. It goes by itself once the org takes calls again, or retry after the reset.",
	weir.ThrottledLogin:      "The org took no more logins; nothing was sent. It goes by itself once the org takes calls again; check that nothing else logs in with these credentials.",
	weir.AuthDrift:           "The org no longer accepts the token and a new one did not help; nothing was changed. Renew the credentials; all steps then go by themselves.",
	weir.AuthConfig:          "The org refuses our credentials; nothing was changed and all other steps wait. Correct the credentials or the connected app; all steps then go by themselves.",
	weir.Permission:          "The integration user may not do this; nothing was changed. Grant the permission (org test names it), then retry.",
	weir.Validation:          "The org refused the change as it is; the record is as it was. Correct the data map or the record, then retry, or resolve with a reason.",
	weir.Conflict:            "Somebody kept changing the record while it was being written; their changes are kept and ours was not applied. Look at the record, then retry.",
	weir.LockContention:      "The record stayed locked by other work; it is as it was. Retry when that work has ended.",
	weir.Gone:                "The record is deleted already; nothing was sent. Resolve the letter.",
	weir.NotFound:            "The org does not show the record or object: it is missing or hidden from the integration user; nothing was changed and it is not counted as erased. Run map check and check sharing, then retry or resolve.",
	weir.AmbiguousMatch:      "Several records match and weir does not guess; nothing was changed. Decide which one is the subject's, correct the data map and plan again.",
	weir.CursorLost:          "The org kept dropping the query's cursor; the pages already read are sealed. Retry: it goes on from the last bookmark.",
	weir.QueryTimeout:        "The query ran too long each time; the pages already read are sealed. Index the field or map fewer fields, then retry.",
	weir.PlatformFault:       "The platform failed each time; nothing more is sent. Look at the org's status page, then retry.",
	weir.Maintenance:         "The org is down for maintenance beyond the due date; nothing was changed. It goes by itself once the org takes calls again, or extend the deadline.",
	weir.EndpointMoved:       "The org answers at another address; nothing was changed. Correct the instance URL, then retry.",
	weir.Capacity:            "The org has no storage left for the change; the record is as it was. Free storage, then retry.",
	weir.NotExecuted:         "A failure beside it kept the step from being carried out; nothing was changed. Retry.",
	weir.UnknownOutcome:      "No answer came, so that the write may or may not have happened; nothing is sent again blindly. Retry: the record is read back first.",
	weir.UnknownClient:       "The org refused the call in words that weir does not know; nothing was changed. Read the sealed message, then retry or resolve.",
	weir.Drift:               "The org is no longer what the plan was made for; nothing was sent. Plan again and have the new plan approved.",
	weir.DeadlineRisk:        "The wait would have ended after the due date; nothing was sent too early. Extend the deadline where the law allows it, or make room; it goes by itself once the org takes calls.",
	weir.Residue:             "Records are left that should be gone; the proof names them and no certificate was signed. Look at them, plan again or resolve with a reason.",
	weir.StorageFull:         "Our own disk is full beyond the due date; nothing unsealed was kept. Free space, or extend the deadline; it goes by itself once there is room.",
	weir.StorageFault:        "Our own storage failed; nothing unsealed was kept. Free space or repair the vault's disk, then retry.",
}
