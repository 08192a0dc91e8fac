package weir

import "time"

// Plan is what weir will do for one request: every record, what happens to it
// and why, and what it costs. It holds identifiers and field names, never
// values. Hash covers everything but the times and the forecast.
type Plan struct {
	Request      RequestID  `json:"request"`
	Org          OrgID      `json:"org"`
	Right        Right      `json:"right"`
	MapHash      string     `json:"map_hash"`
	DescribeHash string     `json:"describe_hash"`
	Items        []PlanItem `json:"items"`
	Warnings     []Warning  `json:"warnings,omitempty"`
	Calls        int        `json:"calls"` // API calls that execution will cost, without retries
	Hash         string     `json:"hash"`

	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Finish    time.Time `json:"finish,omitzero"` // forecast
}

// PlanItem is one record of a plan.
type PlanItem struct {
	Object  string        `json:"object"`
	Record  string        `json:"record"`
	Version string        `json:"version"` // SystemModstamp that was seen
	Action  Action        `json:"action"`
	Fields  []FieldAction `json:"fields,omitempty"`
	Reason  string        `json:"reason,omitempty"` // why it is withheld or unlinked: a key of the data map's reasons
	Why     string        `json:"why"`              // how the subject was matched
	Rank    int           `json:"rank"`             // lower ranks are carried out first
	Purge   bool          `json:"purge,omitempty"`  // empty it from the recycle bin after deletion
}

// FieldAction is what happens to one field. Value is a recipe and not a value:
// "null", a literal of the data map, or a template such as "Erased {hash8}".
type FieldAction struct {
	Field string `json:"field"`
	Value string `json:"value,omitempty"`
	Null  bool   `json:"null,omitempty"`
}

// Warning is something a person should know before approving.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}
