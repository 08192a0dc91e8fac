package engine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir"
)

// namedAtOnce is how many steps one entry names at most: as many as one call carries.
const namedAtOnce = 200

// noteAll tells what befell many steps at once. One entry speaks of those of a
// request that have kind and phase in common, and names them, with their letters if
// they have any: an entry for each would be most of what such a transaction writes.
// Of a step that is alone it tells what noteStep tells.
func (t *txn) noteAll(steps []weir.Step, act string, detail map[string]string, letters map[weir.StepID]weir.LetterID) error {
	rest := make([]*weir.Step, len(steps)) // a step is large to move
	for i := range steps {
		rest[i] = &steps[i]
	}
	slices.SortFunc(rest, func(a, b *weir.Step) int {
		return cmp.Or(cmp.Compare(a.Request, b.Request), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.ID, b.ID))
	})
	var entries []weir.Entry
	for len(rest) > 0 {
		first, n := rest[0], 1
		for n < min(len(rest), namedAtOnce) && rest[n].Request == first.Request && rest[n].Kind == first.Kind && rest[n].Phase == first.Phase {
			n++
		}
		e := t.entryOf(first, act, detail)
		e.Detail[KeyCount] = strconv.Itoa(n)
		var named, with []string
		for _, s := range rest[:n] {
			named = append(named, string(s.ID))
			if id := letters[s.ID]; id != "" {
				with = append(with, string(id))
			}
		}
		if len(with) > 0 {
			e.Detail[KeyLetter] = strings.Join(with, " ")
		}
		if n > 1 {
			e.Step = ""
			e.Detail["steps"] = strings.Join(named, " ")
			delete(e.Detail, KeyObject)
			delete(e.Detail, KeyRecord)
		}
		entries = append(entries, e)
		rest = rest[n:]
	}
	return t.note(entries...)
}
