package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weirhq/weir"
)

// The sizes of Salesforce's calls: subrequests of one /composite, and queries or
// collections among them, records of one collection and of one emptyRecycleBin, and the ids that weir puts into one query
// that reads records or follows links, well below the limits on the length of a
// statement (wire reference, sections 1.6 and 1.8).
const (
	CompositeSize    = 25
	CompositeQueries = 5
	CollectionSize   = 200
	PurgeSize        = 200
	QueryIDs         = 200
	FindIDs          = 500
)

// ExportParts is how many steps read one object at most: as many as five calls
// carry at once. Each goes through its part page by page, so that the steps do
// not grow with the records.
const ExportParts = 25

// The shapes of the steps of a plan. Steps of one request and shape share
// calls; one composite may carry several objects.
const (
	ShapeExport = "export"
	ShapeErase  = "erase"
	ShapeByRow  = "erase:row" // its check reads the row itself, for its ETag: one row a call
	ShapePurge  = "purge"
)

// eraseShape is that of an object's erasure. Rows of Account are the only ones
// that carry an ETag (wire reference, section 4.1).
func eraseShape(object string) string {
	if object == "Account" {
		return ShapeByRow
	}
	return ShapeErase
}

// ExportArgs are the arguments of an export step: a part of the records of one
// object, and how far it has come.
type ExportArgs struct {
	Object  string   `json:"object"`
	Fields  []string `json:"fields"`
	Deleted bool     `json:"deleted,omitempty"` // some of the records are in the recycle bin: queryAll
	After   string   `json:"after,omitempty"`   // the last record before the next page
	Last    string   `json:"last"`              // the last record of the part
	Page    int      `json:"page"`              // the number of the next page within the object
	Records int      `json:"records,omitempty"` // of the part, as planned; 0: not known
}

// EraseArgs are the arguments of an erase step.
type EraseArgs struct {
	Action  weir.Action        `json:"action"`
	Fields  []weir.FieldAction `json:"fields,omitempty"`
	Version string             `json:"version"`        // SystemModstamp of the plan
	Rung    weir.Rung          `json:"rung,omitempty"` // empty until the engine chose one
	Purge   bool               `json:"purge,omitempty"`
}

// PurgeArgs are the arguments of a purge step.
type PurgeArgs struct {
	Version string `json:"version"` // of the plan; deleting changes it
	Before  bool   `json:"before"`  // it was in the bin already when it was found: no erase step precedes
}

// Steps lists the execution of a plan that changes something, in order. The
// engine gives them their ids, due dates and first states; all are planned here.
func Steps(p weir.Plan) []weir.Step {
	items := slices.SortedFunc(slices.Values(p.Items), itemOrder)
	var steps, purges []weir.Step
	last := 0
	for _, item := range items {
		purgeOnly := item.Reason == ReasonRecycleBin
		if item.Action == weir.ActWithhold || item.Action == weir.ActExport {
			continue
		}
		if !purgeOnly {
			last = max(last, item.Rank+1)
			steps = append(steps, weir.Step{
				Kind: weir.StepErase, Phase: weir.PhaseCheck, Shape: eraseShape(item.Object),
				Object: item.Object, Record: item.Record, Rank: item.Rank,
				Args: args(EraseArgs{
					Action: item.Action, Fields: item.Fields, Version: item.Version, Purge: item.Purge,
				}),
			})
		}
		if item.Purge {
			purges = append(purges, weir.Step{
				Kind: weir.StepPurge, Phase: weir.PhaseWrite, Shape: ShapePurge,
				Object: item.Object, Record: item.Record,
				Args: args(PurgeArgs{Version: item.Version, Before: purgeOnly}),
			})
		}
	}
	for i := range purges {
		purges[i].Rank = last // one rank after everything else: the bin takes ids of any object in one call
	}
	return owned(p, append(steps, purges...))
}

// Export is what a plan that only reads takes from one object.
type Export struct {
	Object  string
	Fields  []string
	Deleted bool
	Records int
}

// Exports lists the objects that a plan reads.
func Exports(p weir.Plan) []Export {
	var list []Export
	for _, item := range slices.SortedFunc(slices.Values(p.Items), itemOrder) {
		if item.Action != weir.ActExport {
			continue
		}
		if len(list) == 0 || list[len(list)-1].Object != item.Object {
			list = append(list, Export{Object: item.Object, Fields: fieldNames(item.Fields)})
		}
		x := &list[len(list)-1]
		x.Records += item.Records()
		x.Deleted = x.Deleted || item.Reason == ReasonRecycleBin
	}
	return list
}

// Part is how many records each part of an export has but the last: whole
// pages.
func (x Export) Part() int { return ceil(x.pages(), ExportParts) * QueryIDs }

func (x Export) pages() int { return ceil(x.Records, QueryIDs) }

// Steps are the steps of the export, given the last record of each part. The
// pages of a part are numbered from the place of its first record: there cannot
// be more of them than records.
func (x Export) Steps(p weir.Plan, bounds []string) []weir.Step {
	steps := make([]weir.Step, len(bounds))
	after := ""
	for i, last := range bounds {
		steps[i] = weir.Step{
			Kind: weir.StepExport, Phase: weir.PhaseRead, Shape: ShapeExport, Object: x.Object,
			Args: args(ExportArgs{Object: x.Object, Fields: x.Fields, Deleted: x.Deleted, After: after, Last: last, Page: i * x.Part(), Records: min(x.Part(), x.Records-i*x.Part())}),
		}
		after = last
	}
	return owned(p, steps)
}

func fieldNames(actions []weir.FieldAction) []string {
	var list []string
	for _, a := range actions {
		list = append(list, a.Field)
	}
	return list
}

func owned(p weir.Plan, steps []weir.Step) []weir.Step {
	for i := range steps {
		steps[i].Request, steps[i].Org, steps[i].State = p.Request, p.Org, weir.StepPlanned
	}
	return steps
}

func args(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("plan: %T must have a JSON form: %v", v, err)) // no such type is passed
	}
	return text
}
