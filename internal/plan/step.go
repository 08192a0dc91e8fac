package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weirhq/weir"
)

// The sizes of Salesforce's calls: subrequests and queries of one /composite,
// records of one emptyRecycleBin, and the ids that weir puts into one query
// that reads records or follows links.
const (
	CompositeSize    = 25
	CompositeQueries = 5
	PurgeSize        = 200
	QueryIDs         = 200
	FindIDs          = 500
)

// The shapes of the steps of a plan. Steps of one request and shape share
// calls; one composite may carry several objects.
const (
	ShapeExport = "export"
	ShapeErase  = "erase"
	ShapePurge  = "purge"
)

// ExportArgs are the arguments of an export step.
type ExportArgs struct {
	Object  string   `json:"object"`
	IDs     []string `json:"ids"` // at most QueryIDs, sorted
	Fields  []string `json:"fields"`
	Deleted bool     `json:"deleted,omitempty"` // the records are in the recycle bin: queryAll
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

// Steps lists the execution of a plan in order. The engine gives them their
// ids, due dates and first states; all are planned here.
func Steps(p weir.Plan) []weir.Step {
	items := slices.SortedFunc(slices.Values(p.Items), itemOrder)
	if !p.Right.Mutates() {
		return exports(p, items)
	}
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
				Kind: weir.StepErase, Phase: weir.PhaseCheck, Shape: ShapeErase,
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

// exports groups the records of one object, state and field list into steps.
func exports(p weir.Plan, items []weir.PlanItem) []weir.Step {
	var steps []weir.Step
	var open *ExportArgs
	flush := func() {
		if open != nil {
			steps = append(steps, weir.Step{
				Kind: weir.StepExport, Phase: weir.PhaseRead, Shape: ShapeExport, Object: open.Object, Args: args(*open),
			})
		}
		open = nil
	}
	for _, deleted := range []bool{false, true} {
		for _, item := range items {
			if item.Action != weir.ActExport || (item.Reason == ReasonRecycleBin) != deleted {
				continue
			}
			if open != nil && (open.Object != item.Object || len(open.IDs) == QueryIDs) {
				flush()
			}
			if open == nil {
				open = &ExportArgs{Object: item.Object, Deleted: deleted, Fields: fieldNames(item.Fields)}
			}
			open.IDs = append(open.IDs, item.Record)
		}
		flush()
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
