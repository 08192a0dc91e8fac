package weir

import "time"

// Category is what one Salesforce answer means. The words are those of the
// fixtures' vocabulary; Operator maps them to the fewer words that operators
// see. A Category is an error, so that errors.Is(fault, weir.AuthDrift) works.
type Category string

// The categories. Whoever adds one adds it to Categories and to Operator.
const (
	Success             Category = "success"
	PartialFailure      Category = "partial_failure" // a 2xx that holds failures: look at each element
	ThrottledDaily      Category = "throttled_daily"
	ThrottledConcurrent Category = "throttled_concurrent"
	ThrottledBurst      Category = "throttled_burst"
	ThrottledLogin      Category = "throttled_login"
	AuthDrift           Category = "auth_drift"  // re-authenticate once
	AuthConfig          Category = "auth_config" // a person must fix credentials
	Permission          Category = "permission"
	Validation          Category = "validation"
	Conflict            Category = "conflict"
	LockContention      Category = "lock_contention"
	Gone                Category = "gone"
	NotFound            Category = "not_found"
	AmbiguousMatch      Category = "ambiguous_match"
	CursorLost          Category = "cursor_lost"
	QueryTimeout        Category = "query_timeout"
	PlatformFault       Category = "platform_fault"
	Maintenance         Category = "maintenance"
	EndpointMoved       Category = "endpoint_moved"
	Capacity            Category = "capacity"
	NotExecuted         Category = "not_executed"    // collateral of another element's failure
	UnknownOutcome      Category = "unknown_outcome" // sent, and no answer came
	UnknownClient       Category = "unknown_client"  // a 4xx that no row of the table matches
	Drift               Category = "drift"           // ours: the plan no longer matches the world
	DeadlineRisk        Category = "deadline_risk"   // ours: the wait would end after the due date
	Residue             Category = "residue"         // ours: the proof found records that are left
	StorageFault        Category = "storage_fault"   // ours: vault or disk
	StorageFull         Category = "storage_full"    // ours: no room for what the call would give
)

// Categories lists every category.
func Categories() []Category {
	return []Category{
		Success, PartialFailure, ThrottledDaily, ThrottledConcurrent, ThrottledBurst, ThrottledLogin,
		AuthDrift, AuthConfig, Permission, Validation, Conflict, LockContention, Gone, NotFound,
		AmbiguousMatch, CursorLost, QueryTimeout, PlatformFault, Maintenance, EndpointMoved, Capacity,
		NotExecuted, UnknownOutcome, UnknownClient, Drift, DeadlineRisk, Residue, StorageFault, StorageFull,
	}
}

func (c Category) Error() string { return string(c) }

// Throttled says whether the category is one of the four throttles.
func (c Category) Throttled() bool {
	return c == ThrottledDaily || c == ThrottledConcurrent || c == ThrottledBurst || c == ThrottledLogin
}

// OperatorCategory is the word that operators read in lists, logs and metrics.
type OperatorCategory string

// The operators' words: the brief's six and the design's others.
const (
	OpOK             OperatorCategory = "OK"
	OpThrottled      OperatorCategory = "THROTTLED"
	OpAuthDrift      OperatorCategory = "AUTH_DRIFT"
	OpValidation     OperatorCategory = "VALIDATION_FAILURE"
	OpConflict       OperatorCategory = "ETAG_CONFLICT"
	OpPlatformFault  OperatorCategory = "PLATFORM_FAULT"
	OpUnknown        OperatorCategory = "UNKNOWN"
	OpGone           OperatorCategory = "GONE"
	OpLockContention OperatorCategory = "LOCK_CONTENTION"
	OpCursorLost     OperatorCategory = "CURSOR_LOST"
	OpPermission     OperatorCategory = "PERMISSION"
	OpMaintenance    OperatorCategory = "MAINTENANCE"
	OpResidue        OperatorCategory = "RESIDUE"       // records still show after their deletion
	OpDeadlineRisk   OperatorCategory = "DEADLINE_RISK" // the wait would end after the due date
)

// Operator maps a category to the operators' word.
func (c Category) Operator() OperatorCategory {
	switch c {
	case Success:
		return OpOK
	case ThrottledDaily, ThrottledConcurrent, ThrottledBurst, ThrottledLogin:
		return OpThrottled
	case AuthDrift, AuthConfig:
		return OpAuthDrift
	case Permission:
		return OpPermission
	case Validation, PartialFailure, AmbiguousMatch, Capacity:
		return OpValidation
	case Conflict, NotExecuted, Drift:
		return OpConflict
	case LockContention:
		return OpLockContention
	case Gone, NotFound:
		return OpGone
	case CursorLost, QueryTimeout:
		return OpCursorLost
	case PlatformFault, EndpointMoved, StorageFault, StorageFull:
		return OpPlatformFault
	case Maintenance:
		return OpMaintenance
	case Residue:
		return OpResidue
	case DeadlineRisk:
		return OpDeadlineRisk
	case UnknownOutcome, UnknownClient:
		return OpUnknown
	}
	return OpUnknown
}

// Scope is how far a fault reaches: what else must stop because of it.
type Scope string

// The scopes of a fault, widest first.
const (
	ScopeOrg    Scope = "org"    // every call to the org
	ScopeUser   Scope = "user"   // every call of the integration user
	ScopeObject Scope = "object" // calls to the same object
	ScopeRecord Scope = "record" // this record only
	ScopeCall   Scope = "call"   // this call only
)

// Effect is what is known about the call's effect on the org.
type Effect string

// The effects of a call.
const (
	EffectNone    Effect = "none"    // the org did nothing
	EffectApplied Effect = "applied" // the org acknowledged
	EffectUnknown Effect = "unknown" // it may or may not have happened: read back before anything else
)

// Fault is one classified failure. It holds codes and numbers only; the org's
// message text, which echoes values, never enters it.
type Fault struct {
	Category   Category      `json:"category"`
	Code       string        `json:"code,omitempty"`   // Salesforce's errorCode or statusCode, if any
	Status     int           `json:"status,omitempty"` // HTTP status; 0 when there was no answer
	Scope      Scope         `json:"scope"`
	Effect     Effect        `json:"effect"`
	Retryable  bool          `json:"retryable"`
	RetryAfter time.Duration `json:"retry_after_ns,omitempty"` // from the response, resolved to a duration; 0 = absent
	Fields     []string      `json:"fields,omitempty"`         // API names that the org named
}

func (f *Fault) Error() string {
	if f.Code != "" {
		return string(f.Category) + ": " + f.Code
	}
	return string(f.Category)
}

// Unwrap lets errors.Is compare a fault with its category.
func (f *Fault) Unwrap() error { return f.Category }

// ReadingKind is which limit a reading measures.
type ReadingKind string

// The kinds of reading.
const (
	ReadDaily      ReadingKind = "daily"      // api-usage: rolling 24 h, whole org
	ReadApp        ReadingKind = "app"        // per-app-api-usage
	ReadBursts     ReadingKind = "bursts"     // api-bursts: monthly entitlement above the daily limit
	ReadConcurrent ReadingKind = "concurrent" // X-Rate-Limit-Concurrent, of a gateway
	ReadRemaining  ReadingKind = "remaining"  // X-Rate-Limit-Remaining, of a gateway
	ReadRetryAfter ReadingKind = "retry-after"
	ReadOther      ReadingKind = "other" // an item that this version does not know
)

// Reading is one limit measurement taken from one response.
type Reading struct {
	Kind    ReadingKind `json:"kind"`
	Name    string      `json:"name"`              // as the org spelled it, lower case
	App     string      `json:"app,omitempty"`     // appName of a per-app item
	Used    int64       `json:"used"`              // calls; for remaining: what is left; for retry-after: seconds
	Limit   int64       `json:"limit,omitempty"`   // 0 = not stated
	At      time.Time   `json:"at"`                // when the response arrived
	Source  string      `json:"source"`            // the header, or "soap LimitInfoHeader", or "/limits"
	Clamped bool        `json:"clamped,omitempty"` // a hostile value was cut to its range
}
