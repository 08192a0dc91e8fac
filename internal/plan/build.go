package plan

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

// The reasons that weir itself gives for an action, besides those of the data
// map.
const (
	ReasonReview     = "needs-review" // only a weak match: a person must decide
	ReasonShared     = "shared"       // the record belongs to somebody else too
	ReasonNoRule     = "no-rule"      // the data map says nothing about the object
	ReasonRecycleBin = "recycle-bin"  // it was deleted before: only the bin still holds it
)

// Policy is what the operator allows a plan.
type Policy struct {
	TTL            time.Duration // how long the plan stays valid
	MaxRecords     int           // 0 = no guard
	AllowUndecided bool
}

// Input is everything that a plan depends on.
type Input struct {
	Request  weir.Request
	Map      *datamap.Map
	Schemas  map[string]weir.ObjectSchema
	Findings iter.Seq2[weir.Finding, error] // by object and record; gone through once
	Kinds    []string                       // kinds of identifier that the subject has, for the cost of the passes; empty = all
	Policy   Policy
	Now      time.Time
}

// Build makes the plan of a request. It has no forecast yet. A plan that only
// reads takes the same memory whatever the number of findings.
func Build(in Input) (weir.Plan, error) {
	if err := refuse(in); err != nil {
		return weir.Plan{}, err
	}
	b := builder{
		in: in, groups: map[groupKey]*group{}, fields: map[string][]weir.FieldAction{},
		present: map[string]bool{}, warned: map[weir.Warning]bool{},
	}
	for f, err := range in.Findings {
		if err == nil {
			err = b.add(f)
		}
		if err != nil {
			return weir.Plan{}, err
		}
	}
	if err := b.refuse(); err != nil {
		return weir.Plan{}, err
	}
	p := weir.Plan{
		Request: in.Request.ID, Org: in.Request.Org, Right: in.Request.Right,
		MapHash: in.Map.Hash(), DescribeHash: DescribeHash(mapped(in.Map, in.Schemas)),
		CreatedAt: in.Now, ExpiresAt: in.Now.Add(in.Policy.TTL), Items: b.all(),
	}
	b.general()
	p.Warnings = b.warnings()
	p.Calls = Cost(in.Map, in.Kinds, p)
	p.Hash = Hash(p)
	return p, nil
}

func itemOrder(a, b weir.PlanItem) int {
	return cmp.Or(cmp.Compare(a.Rank, b.Rank), strings.Compare(a.Object, b.Object), strings.Compare(a.Record, b.Record),
		cmp.Compare(a.Action, b.Action), strings.Compare(a.Reason, b.Reason), strings.Compare(a.Why, b.Why))
}

// refuse applies the guards that need no finding, the cheapest to mend first.
func refuse(in Input) error {
	switch in.Request.Right {
	case weir.Access, weir.Portability, weir.Erasure:
	case weir.Rectification, weir.OptOut:
		return fmt.Errorf("%w: %s", ErrUnsupported, in.Request.Right)
	default:
		return fmt.Errorf("%w: %q", ErrUnsupported, in.Request.Right)
	}
	if len(in.Map.Decide) > 0 && !in.Policy.AllowUndecided {
		return &UndecidedError{Fields: in.Map.Decide}
	}
	var blocking []datamap.Finding
	for _, f := range in.Map.Check(in.Schemas) {
		if f.Severity == datamap.Block {
			blocking = append(blocking, f)
		}
	}
	if len(blocking) > 0 {
		return &BlockedError{Findings: blocking}
	}
	return nil
}

// builder carries what the items of one plan have in common.
type builder struct {
	in      Input
	found   int
	items   []weir.PlanItem               // of a plan that changes something
	groups  map[groupKey]*group           // of one that only reads
	fields  map[string][]weir.FieldAction // that an access shows, by object
	present map[string]bool               // objects of the findings
	warned  map[weir.Warning]bool
}

// add decides about one finding. Those beyond the guard are only counted.
func (b *builder) add(f weir.Finding) error {
	b.found++
	if b.tooMany() {
		return nil
	}
	b.present[f.Object] = true
	item, ok := b.item(f)
	switch {
	case !ok:
		return nil
	case b.in.Request.Right.Mutates():
		b.items = append(b.items, item)
		return nil
	}
	return b.fold(item)
}

func (b *builder) tooMany() bool {
	return b.in.Policy.MaxRecords > 0 && b.found > b.in.Policy.MaxRecords
}

// refuse applies the guards on the number of findings.
func (b *builder) refuse() error {
	switch {
	case b.found == 0:
		return ErrNoMatch
	case b.tooMany():
		return &TooManyError{Found: b.found, Max: b.in.Policy.MaxRecords}
	}
	return nil
}

// all lists the items in their order. Only what changes something has ranks.
func (b *builder) all() []weir.PlanItem {
	items := b.items
	if b.in.Request.Right.Mutates() {
		rank := ranks(b.in.Map, b.present)
		for i := range items {
			items[i].Rank = rank[items[i].Object]
		}
	}
	for _, g := range b.groups {
		items = append(items, g.done())
	}
	slices.SortFunc(items, itemOrder)
	return items
}

// item decides about one finding; false means that the right does not concern
// it.
func (b *builder) item(f weir.Finding) (weir.PlanItem, bool) {
	item := weir.PlanItem{Object: f.Object, Record: f.Record, Version: f.Version, Why: f.Why}
	rules, ok := b.in.Map.Object(f.Object)
	if !ok {
		rules = &datamap.Object{Name: f.Object}
	}
	switch b.in.Request.Right {
	case weir.Access, weir.Portability:
		return b.export(item, f, rules)
	case weir.Erasure:
		return b.erase(item, f, rules), true
	case weir.Rectification, weir.OptOut: // refused before
	}
	return item, false
}

// export plans an access. A weak match is withheld: handing out somebody
// else's record would be a breach.
func (b *builder) export(item weir.PlanItem, f weir.Finding, rules *datamap.Object) (weir.PlanItem, bool) {
	if rules.Access == nil {
		b.warn("no-access", f.Object+" records were found, and the data map has no access rule for them.")
		return item, false
	}
	if f.Review {
		return b.withhold(item, ReasonReview), true
	}
	item.Action = weir.ActExport
	if f.Deleted {
		item.Reason = ReasonRecycleBin
	}
	item.Fields = b.exported(rules)
	return item, true
}

// exported lists the fields of an object that an access shows, the same list
// for each record.
func (b *builder) exported(rules *datamap.Object) []weir.FieldAction {
	list, known := b.fields[rules.Name]
	if !known {
		for _, field := range rules.Access.Resolve(b.in.Schemas[rules.Name]) {
			list = append(list, weir.FieldAction{Field: field})
		}
		b.fields[rules.Name] = list
	}
	return list
}

// erase plans an erasure. The order of the cases is the order of caution.
func (b *builder) erase(item weir.PlanItem, f weir.Finding, rules *datamap.Object) weir.PlanItem {
	e := rules.Erase
	switch {
	case f.Review:
		return b.withhold(item, ReasonReview)
	case e == nil:
		b.warn("no-erase", f.Object+" records were found, and the data map has no erase rule for them: they stay.")
		return b.withhold(item, ReasonNoRule)
	case e.How == weir.ActWithhold:
		return b.withhold(item, e.Reason)
	case f.Deleted && f.Shared:
		return b.withhold(item, ReasonShared) // the bin is the other subject's only way back
	case f.Deleted && !e.Purge:
		b.warn("left-in-bin", f.Object+" records stay in the recycle bin, because the data map says purge: none.")
		return b.withhold(item, ReasonRecycleBin)
	case f.Deleted:
		item.Action, item.Purge, item.Reason = weir.ActDelete, true, ReasonRecycleBin
		return item
	}
	item.Action = e.How
	if f.Shared && e.How == weir.ActDelete {
		item.Action, item.Reason = weir.ActUnlink, ReasonShared
		b.warn("shared", f.Object+" records also belong to somebody else: they are unlinked and not deleted.")
	}
	switch item.Action {
	case weir.ActDelete:
		item.Purge = e.Purge
		if !e.Purge {
			b.warn("left-in-bin", f.Object+" records stay in the recycle bin, because the data map says purge: none.")
		}
	case weir.ActUnlink:
		item.Fields = unlinkFields(f, rules)
		b.history(f.Object)
	case weir.ActAnonymise:
		item.Fields = settingFields(e)
		b.history(f.Object)
	case weir.ActExport, weir.ActWithhold:
	}
	return item
}

func (b *builder) withhold(item weir.PlanItem, reason string) weir.PlanItem {
	item.Action, item.Reason = weir.ActWithhold, reason
	if reason == ReasonReview {
		b.warn("needs-review", item.Object+" records matched only weakly: they are left out until a person decides.")
	}
	return item
}

func settingFields(e *datamap.Erase) []weir.FieldAction {
	var list []weir.FieldAction
	for _, s := range e.Set {
		list = append(list, s.Action())
	}
	return list
}

// unlinkFields clears the lookups that the rule names, or else exactly those
// through which this record was found: a lookup to somebody else stays.
func unlinkFields(f weir.Finding, rules *datamap.Object) []weir.FieldAction {
	fields := texts(rules.Erase.Unlink)
	if len(fields) == 0 {
		fields = linkedBy(f.Object, f.Why)
	}
	if len(fields) == 0 {
		for _, l := range rules.Links {
			fields = append(fields, l.Field.Text)
		}
	}
	list := settingFields(rules.Erase)
	for _, field := range fields {
		list = append(list, weir.FieldAction{Field: field, Null: true})
	}
	slices.SortStableFunc(list, func(a, b weir.FieldAction) int { return strings.Compare(a.Field, b.Field) })
	return slices.CompactFunc(list, func(a, b weir.FieldAction) bool { return a.Field == b.Field })
}
