package salesforce

import (
	"path"
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// rule is one row of the classification table: what must hold, and what it
// then means. Within a list one match is enough; every list that is given must
// match. A rule is data; nothing else in the package decides a category.
type rule struct {
	row       int      // number of the row, for people who ask which one decided
	codes     []string // errorCode, statusCode, exceptionCode, …; * stands for any characters
	texts     []string // contained in the message, lower case
	bare      bool     // only when the answer holds no code
	silent    bool     // only when no answer came
	oauth     bool     // only for errors of the token endpoint's envelope
	status    [2]int   // from, to; zero = any
	kinds     []kind
	method    string
	halted    bool // only inside a batch or composite that was halted
	seen      bool // only for a record that was seen before
	nearLimit bool // only while 95 % or more of the allocation is used

	category weir.Category
	scope    weir.Scope // empty = the category's own
	doubt    bool       // a mutation may have been carried out all the same
}

func only(status int) [2]int { return [2]int{status, status} }

// table is read from top to bottom; the first rule that matches decides. Codes
// come before texts, texts before statuses: Salesforce answers 403 for a
// throttle, 400 for a lock and 500 for a wrong password. Texts are matched only
// where no code exists that would tell; people translate and edit them.
var table = []rule{ //nolint:gochecknoglobals // a constant table; Go has no constant slices
	// Throttles. One code for "wait seconds" and "wait hours": the text decides.
	{row: 1, codes: []string{"REQUEST_LIMIT_EXCEEDED"}, texts: []string{"totalrequests", "api call limit"}, category: weir.ThrottledDaily},
	{row: 2, codes: []string{"REQUEST_LIMIT_EXCEEDED"}, texts: []string{"concurrent"}, category: weir.ThrottledConcurrent},
	{row: 3, texts: []string{"concurrentperorg"}, category: weir.ThrottledConcurrent},
	{row: 4, codes: []string{"REQUEST_LIMIT_EXCEEDED"}, texts: []string{"connect api", "hourly"}, category: weir.ThrottledBurst, scope: weir.ScopeUser},
	{row: 5, codes: []string{"REQUEST_LIMIT_EXCEEDED"}, nearLimit: true, category: weir.ThrottledDaily},
	{row: 5, codes: []string{"REQUEST_LIMIT_EXCEEDED"}, category: weir.ThrottledBurst},
	{row: 6, codes: []string{"LIMIT_EXCEEDED"}, category: weir.ThrottledDaily},
	{row: 6, texts: []string{"max bulk v2 query jobs"}, category: weir.ThrottledDaily},
	{row: 7, status: only(429), category: weir.ThrottledBurst},
	{row: 8, codes: []string{"EXCEEDED_QUOTA", "STORAGE_LIMIT_EXCEEDED"}, category: weir.Capacity},
	{row: 9, codes: []string{"LOGIN_RATE_EXCEEDED"}, category: weir.ThrottledLogin},
	{row: 9, oauth: true, texts: []string{"login rate"}, category: weir.ThrottledLogin},
	{row: 9, codes: []string{"INVALID_GRANT"}, texts: []string{"login rate"}, category: weir.ThrottledLogin},

	// Credentials and rights.
	{row: 10, codes: []string{"INVALID_SESSION_ID"}, texts: []string{"not valid for use with the rest api"}, category: weir.AuthConfig},
	{row: 11, codes: []string{"INVALID_SESSION_ID"}, category: weir.AuthDrift},
	{row: 12, bare: true, status: only(401), category: weir.AuthDrift},
	{row: 33, oauth: true, codes: []string{"UNKNOWN_ERROR", "SERVER_ERROR", "TEMPORARILY_UNAVAILABLE"}, category: weir.PlatformFault},
	{row: 13, codes: []string{
		"INVALID_GRANT", "INVALID_CLIENT*", "INVALID_APP_ACCESS", "OAUTH_APP_*", "INVALID_LOGIN",
		"INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "LOGIN_MUST_USE_SECURITY_TOKEN",
	}, category: weir.AuthConfig},
	{row: 13, oauth: true, category: weir.AuthConfig},
	{row: 14, codes: []string{"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "REST_API_NOT_ENABLED"}, category: weir.Permission, scope: weir.ScopeOrg},
	{row: 14, codes: []string{
		"INSUFFICIENT_ACCESS*", "FUNCTIONALITY_NOT_ENABLED", "FEATURE_NOT_ENABLED", "FORBIDDEN", "CANNOT_*MANAGED*",
		"LICENSE_LIMIT_EXCEEDED", "TXN_SECURITY_NO_ACCESS",
	}, category: weir.Permission},

	// The org is elsewhere, or the version is gone. 410 never means that a record is.
	{row: 15, codes: []string{"URL_NOT_RESET"}, category: weir.EndpointMoved},
	{row: 15, texts: []string{"destination url not reset"}, category: weir.EndpointMoved},
	{row: 15, status: [2]int{301, 303}, category: weir.EndpointMoved},
	{row: 15, status: [2]int{307, 308}, category: weir.EndpointMoved},
	{row: 33, texts: []string{"upstream connect error", "no healthy upstream"}, kinds: pages, category: weir.PlatformFault, doubt: true},
	{row: 32, texts: []string{"down for maintenance"}, kinds: pages, category: weir.Maintenance, doubt: true},
	{row: 15, status: only(404), kinds: pages, category: weir.EndpointMoved},
	{row: 16, codes: []string{"UNSUPPORTED_API_VERSION", "INVALID_VERSION"}, category: weir.Validation, scope: weir.ScopeOrg},
	{row: 16, status: only(410), category: weir.Validation, scope: weir.ScopeOrg},

	// One record, in the way of others or of our own precondition.
	{row: 17, codes: []string{"UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_RECORD"}, category: weir.LockContention},
	{row: 30, codes: automation, texts: []string{"unable_to_lock_row", "unable to obtain exclusive access"}, category: weir.LockContention},
	{row: 19, codes: []string{"PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "BATCH_PROCESSING_HALTED"}, category: weir.NotExecuted},
	{row: 19, status: only(412), halted: true, category: weir.NotExecuted},
	{row: 18, codes: []string{"ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE*"}, category: weir.Conflict},
	{row: 18, status: only(412), category: weir.Conflict},
	{row: 20, codes: []string{"ENTITY_IS_DELETED"}, category: weir.Gone},
	{row: 20, codes: []string{"INVALID_CROSS_REFERENCE_KEY"}, status: only(404), method: "DELETE", seen: true, category: weir.Gone},
	{row: 21, codes: []string{"ENTITY_IS_ARCHIVED", "ENTITY_IS_LOCKED"}, category: weir.Validation},
	{row: 22, codes: []string{"NOT_FOUND"}, texts: []string{"external id field does not exist"}, category: weir.NotFound, scope: weir.ScopeObject},
	{row: 23, codes: []string{"NOT_FOUND", "INVALID_JOB"}, category: weir.NotFound},
	{row: 23, codes: []string{"INVALID_CROSS_REFERENCE_KEY"}, status: only(404), category: weir.NotFound},
	{row: 24, status: only(300), category: weir.AmbiguousMatch},

	// Queries.
	{row: 25, codes: []string{"INVALID_QUERY_LOCATOR", "INVALID_LOCATOR"}, category: weir.CursorLost},
	{row: 25, texts: []string{"query cursor"}, category: weir.CursorLost},
	{row: 26, codes: []string{
		"QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED", "OPERATION_TOO_LARGE", "REQUEST_RUNNING_TOO_LONG", "EXCEEDED_MAX_SEMIJOIN*",
	}, category: weir.QueryTimeout},

	// What weir sent is not acceptable; sending it again cannot help.
	{row: 27, codes: []string{"DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"}, category: weir.Validation},
	{row: 28, codes: []string{"INVALID_FIELD", "INVALID_TYPE", "INVALID_ENTITY", "MALFORMED_QUERY", "MALFORMED_SEARCH"}, category: weir.Validation, scope: weir.ScopeObject},
	{row: 28, codes: []string{
		"FIELD_CUSTOM_VALIDATION_EXCEPTION", "REQUIRED_FIELD_MISSING", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_EMAIL_ADDRESS",
		"STRING_TOO_LONG", "FIELD_INTEGRITY_EXCEPTION", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "NUMBER_OUTSIDE_VALID_RANGE",
		"FIELD_FILTER_VALIDATION_EXCEPTION", "MALFORMED_ID", "JSON_PARSER_ERROR", "INVALID_INPUT", "METHOD_NOT_ALLOWED",
		"CANNOT_UPDATE_CONVERTED_LEAD", "INVALID_PERSON_ACCOUNT_OPERATION", "INVALID_CROSS_REFERENCE_KEY", "INVALID_BATCH",
		"CLIENT_INPUT_ERROR", "JOB_FAILED",
	}, category: weir.Validation},
	{row: 29, codes: []string{"DELETE_FAILED", "DEPENDENCY_EXISTS", "CANNOT_DELETE_OWNER"}, category: weir.Validation},
	{row: 36, codes: []string{"EXCEEDED_ID_LIMIT", "INVALID_BATCH_SIZE"}, category: weir.Validation, scope: weir.ScopeCall},

	// Automation and platform. Trigger faults often wrap a lock or a CPU limit.
	{row: 30, codes: automation, category: weir.PlatformFault, scope: weir.ScopeRecord},
	{row: 31, codes: []string{"TXN_SECURITY_METERING_ERROR"}, category: weir.PlatformFault, scope: weir.ScopeUser},
	{row: 32, codes: []string{"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"}, category: weir.Maintenance},
	{row: 32, codes: []string{"SERVER_UNAVAILABLE"}, texts: []string{"maintenance"}, category: weir.Maintenance},
	{row: 33, codes: []string{"SERVER_UNAVAILABLE", "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", "UNKNOWN_EXCEPTION"}, category: weir.PlatformFault, doubt: true},
	{row: 35, texts: []string{"access declined"}, kinds: pages, category: weir.Validation, scope: weir.ScopeCall},
	{row: 34, texts: []string{"bad message 400", "we are setting things up"}, kinds: pages, category: weir.PlatformFault, doubt: true},
	{row: 38, silent: true, category: weir.UnknownOutcome, doubt: true},
	{row: 33, status: [2]int{500, 599}, category: weir.PlatformFault, doubt: true},
	{row: 34, status: only(406), category: weir.PlatformFault, doubt: true},
	{row: 34, status: only(420), category: weir.PlatformFault, doubt: true},
	{row: 35, status: [2]int{413, 414}, category: weir.Validation, scope: weir.ScopeCall},
	{row: 35, status: only(431), category: weir.Validation, scope: weir.ScopeCall},
	{row: 28, status: only(405), category: weir.Validation, scope: weir.ScopeCall},
	{row: 28, status: only(415), category: weir.Validation, scope: weir.ScopeCall},
	{row: 23, status: only(404), category: weir.NotFound},
	{row: 12, status: only(401), category: weir.AuthDrift},
	{row: 37, status: [2]int{200, 299}, bare: true, kinds: []kind{kindHTML, kindText, kindBroken}, category: weir.PlatformFault, doubt: true},
	{row: 0, status: [2]int{200, 299}, bare: true, category: weir.Success},
	{row: 0, status: only(304), bare: true, category: weir.Success},
	{row: 39, status: only(408), category: weir.UnknownClient, doubt: true}, // a gateway that stopped waiting
	{row: 39, category: weir.UnknownClient},
}

// pages are answers that a person was meant to read; gateways write them.
var pages = []kind{kindHTML, kindText} //nolint:gochecknoglobals // constant

// automation are the codes behind which a trigger, a flow or a process failed.
var automation = []string{ //nolint:gochecknoglobals // constant
	"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR",
}

// traits is what a category means wherever it occurs.
type traits struct {
	category weir.Category
	rank     int // of several errors in one answer the highest rank speaks
	scope    weir.Scope
	retry    bool // the same work may succeed later without a person
}

// categories ranks and describes every category that an answer can have. Among
// several errors about one record those that a repeat cannot help come first:
// a validation error next to a lock stays a validation error.
var categories = []traits{ //nolint:gochecknoglobals // a constant table
	{weir.ThrottledDaily, 90, weir.ScopeOrg, true},
	{weir.ThrottledConcurrent, 89, weir.ScopeOrg, true},
	{weir.ThrottledBurst, 88, weir.ScopeOrg, true},
	{weir.ThrottledLogin, 87, weir.ScopeUser, true},
	{weir.AuthConfig, 80, weir.ScopeUser, false},
	{weir.AuthDrift, 79, weir.ScopeUser, true},
	{weir.EndpointMoved, 78, weir.ScopeOrg, false},
	{weir.Maintenance, 77, weir.ScopeOrg, true},
	{weir.Permission, 70, weir.ScopeObject, false},
	{weir.Validation, 69, weir.ScopeRecord, false},
	{weir.Capacity, 68, weir.ScopeOrg, false},
	{weir.AmbiguousMatch, 67, weir.ScopeRecord, false},
	{weir.NotFound, 66, weir.ScopeRecord, false},
	{weir.Gone, 65, weir.ScopeRecord, false},
	{weir.Conflict, 60, weir.ScopeRecord, false},
	{weir.CursorLost, 59, weir.ScopeCall, true},
	{weir.QueryTimeout, 58, weir.ScopeCall, true},
	{weir.LockContention, 50, weir.ScopeRecord, true},
	{weir.UnknownClient, 49, weir.ScopeCall, false},
	{weir.PlatformFault, 40, weir.ScopeCall, true},
	{weir.UnknownOutcome, 30, weir.ScopeCall, false},
	{weir.NotExecuted, 20, weir.ScopeRecord, true},
	{weir.PartialFailure, 10, weir.ScopeCall, false},
	{weir.StorageFault, 5, weir.ScopeCall, true},
	{weir.Success, 0, weir.ScopeCall, false},
}

func traitsOf(c weir.Category) traits {
	for _, t := range categories {
		if t.category == c {
			return t
		}
	}
	return traits{category: c, scope: weir.ScopeCall}
}

// matches says whether the rule holds for one error of an answer.
func (r rule) matches(f facts, x finding) bool {
	switch {
	case r.bare && x.code != "", r.silent && f.status != 0, r.oauth && !x.oauth, r.halted && !f.halted, r.seen && !f.seen, r.nearLimit && !f.nearLimit:
		return false
	case r.status != [2]int{} && (f.status < r.status[0] || f.status > r.status[1]):
		return false
	case r.method != "" && !strings.EqualFold(r.method, f.method):
		return false
	case r.kinds != nil && !slices.Contains(r.kinds, f.kind):
		return false
	case r.codes != nil && !slices.ContainsFunc(r.codes, x.is):
		return false
	}
	return r.texts == nil || slices.ContainsFunc(r.texts, func(t string) bool { return strings.Contains(x.text, t) })
}

// is compares a code with a pattern of the table, without regard to case and
// underscores: Bulk writes InvalidSessionId and INVALIDENTITY.
func (x finding) is(pattern string) bool {
	if x.code == "" {
		return false
	}
	pattern, code := plainCode(pattern), plainCode(x.code)
	if !strings.Contains(pattern, "*") {
		return pattern == code
	}
	ok, err := path.Match(pattern, code)
	return ok && err == nil
}

func plainCode(code string) string {
	return strings.ReplaceAll(strings.ToUpper(code), "_", "")
}

// knownCode says whether the table names a code.
func knownCode(code string) bool {
	x := finding{code: code}
	return slices.ContainsFunc(table, func(r rule) bool { return slices.ContainsFunc(r.codes, x.is) })
}
