package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

func (b *builder) warn(code, message string) {
	b.warned[weir.Warning{Code: code, Message: message}] = true
}

// history warns that Salesforce keeps the old values of tracked fields; no
// API call removes them while the record lives.
func (b *builder) history(object string) {
	name := object + "History"
	if custom, ok := strings.CutSuffix(object, "__c"); ok {
		name = custom + "__History"
	}
	b.warn("field-history", "If "+object+" tracks field history, "+name+
		" keeps the old values after the change; erasure of them is not proven.")
}

// general adds the warnings that do not hang on one record.
func (b *builder) general() {
	for _, f := range b.in.Map.Check(b.in.Schemas) {
		if f.Severity == datamap.Warn {
			b.warn(f.Code, f.Message+".")
		}
	}
	if len(b.in.Map.Decide) > 0 {
		b.warn("undecided", "The data map has undecided fields; the policy allowed the plan nevertheless.")
	}
	if b.in.Request.Right == weir.Erasure {
		b.warn("residual", "Backups, sandboxes, event logs and connected systems are out of reach of this erasure.")
	}
}

func (b *builder) warnings() []weir.Warning {
	return slices.SortedFunc(maps.Keys(b.warned), func(x, y weir.Warning) int {
		return cmp.Or(strings.Compare(x.Code, y.Code), strings.Compare(x.Message, y.Message))
	})
}
