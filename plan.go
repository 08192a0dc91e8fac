package weir

import "time"

// Plan is what weir will do for one request: what happens to which records and
// why, and what it costs. It holds identifiers and field names, never
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

// Records is how many records the plan is about.
func (p Plan) Records() int {
	n := 0
	for _, it := range p.Items {
		n += it.Records()
	}
	return n
}

// PlanItem is one record of a plan that changes something, because a person
// approves each. A plan that only reads may be about any number of records: an
// item of it is a group of them that are treated alike, with a digest instead
// of their ids.
type PlanItem struct {
	Object  string        `json:"object"`
	Record  string        `json:"record,omitempty"`
	Version string        `json:"version,omitempty"` // SystemModstamp that was seen
	Count   int           `json:"count,omitempty"`   // records of a group
	Digest  string        `json:"digest,omitempty"`  // SHA-256 in hex over the group: a line of id, space and version for each record, by id
	Shown   []string      `json:"shown,omitempty"`   // the first records of a group that is withheld, for a person to look at
	Action  Action        `json:"action"`
	Fields  []FieldAction `json:"fields,omitempty"`
	Reason  string        `json:"reason,omitempty"` // why it is withheld or unlinked: a key of the data map's reasons
	Why     string        `json:"why"`              // how the subject was matched
	Rank    int           `json:"rank"`             // lower ranks are carried out first
	Purge   bool          `json:"purge,omitempty"`  // empty it from the recycle bin after deletion
}

// Records is how many records the item is about.
func (it PlanItem) Records() int {
	if it.Record == "" {
		return it.Count
	}
	return 1
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
