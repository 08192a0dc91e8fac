package tampertest

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir"
)

// Alteration is a log that is not what it was.
type Alteration struct {
	Kind  string
	Log   []weir.Entry
	First int64 // the first place at which it differs
}

// tampering is one way to alter a log; places and forged entries are random.
type tampering struct {
	kind   string
	unique bool // no number comes twice, and the order is that of the numbers: a table can hold it
	alter  func(r *rand.Rand, log []weir.Entry) []weir.Entry
}

var tamperings = []tampering{ //nolint:gochecknoglobals // a constant table; Go has no constant slices
	{"edit", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		i := r.IntN(len(log))
		log[i] = edited(r, log[i])
		return log
	}},
	{"delete", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		i := r.IntN(len(log))
		return slices.Delete(log, i, i+1)
	}},
	{"delete and number again", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		i := r.IntN(len(log))
		return numbered(slices.Delete(log, i, i+1))
	}},
	{"insert and number again", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		i := r.IntN(len(log))
		return numbered(slices.Insert(log, i, edited(r, log[i])))
	}},
	{"insert under a number that is taken", false, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		i := r.IntN(len(log))
		return slices.Insert(log, i, edited(r, log[i]))
	}},
	{"exchange and number again", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		return numbered(exchanged(r, log))
	}},
	{"exchange", false, exchanged},
	{"move and number again", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry { return numbered(moved(r, log)) }},
	{"move", false, moved},
	{"give another number", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		i := r.IntN(len(log))
		e := log[i]
		e.Seq = int64(len(log) + 1 + r.IntN(5))
		return append(slices.Delete(log, i, i+1), e)
	}},
	{"cut the end off", true, func(r *rand.Rand, log []weir.Entry) []weir.Entry {
		return log[:len(log)-1-r.IntN(len(log)/2)]
	}},
}

// Alter alters a copy of the log, whose entries are numbered from 1 on. With
// table set, what comes out can stand in a table whose numbers are unique.
func Alter(r *rand.Rand, log []weir.Entry, table bool) Alteration {
	for {
		t := tamperings[r.IntN(len(tamperings))]
		if table && !t.unique {
			continue
		}
		out := t.alter(r, slices.Clone(log))
		if first := difference(log, out); first > 0 {
			return Alteration{Kind: t.kind, Log: out, First: first}
		}
	}
}

// difference is the first place at which two logs differ; 0 when there is none.
func difference(a, b []weir.Entry) int64 {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || !reflect.DeepEqual(a[i], b[i]) {
			return int64(i + 1)
		}
	}
	return 0
}

func numbered(log []weir.Entry) []weir.Entry {
	for i := range log {
		log[i].Seq = int64(i + 1)
	}
	return log
}

func exchanged(r *rand.Rand, log []weir.Entry) []weir.Entry {
	i, j := r.IntN(len(log)), r.IntN(len(log))
	log[i], log[j] = log[j], log[i]
	return log
}

func moved(r *rand.Rand, log []weir.Entry) []weir.Entry {
	i := r.IntN(len(log))
	e := log[i]
	log = slices.Delete(log, i, i+1)
	return slices.Insert(log, r.IntN(len(log)+1), e)
}

// edited changes one member of an entry, and not its number.
func edited(r *rand.Rand, e weir.Entry) weir.Entry {
	e.Detail = maps.Clone(e.Detail)
	other := "x" + strconv.Itoa(r.IntN(1000))
	switch r.IntN(8) {
	case 0:
		e.At = e.At.Add(time.Duration(1+r.IntN(1000)) * time.Millisecond)
	case 1:
		e.By = other
	case 2:
		e.Act += other
	case 3:
		e.Org = weir.OrgID(other)
	case 4:
		e.Request = weir.RequestID(other)
	case 5:
		e.Step = weir.StepID(other)
	case 6:
		for _, name := range slices.Sorted(maps.Keys(e.Detail)) { // the first one goes
			delete(e.Detail, name)
			return e
		}
		fallthrough
	default:
		if e.Detail == nil {
			e.Detail = map[string]string{}
		}
		e.Detail[other] = other
	}
	return e
}
