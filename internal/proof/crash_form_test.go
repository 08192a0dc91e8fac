package proof

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/crash"
)

// crashForm is how much the crash proof does.
type crashForm struct {
	form
	points []crash.Point
	times  int // that each point is hit
	window int // requests that are open at once
	parts  int // sieges that share the kills and the points
}

// sieges splits the form: each part is judged by itself, so that one that fails
// does not cost the others their verdict. Points of the journal and of the birth
// of the keys have proofs of their own.
func (f crashForm) sieges() []crashForm {
	points := slices.DeleteFunc(slices.Clone(f.points), func(p crash.Point) bool { return inJournal(p.Write) || p.Write == crash.StoreKeys })
	all := make([]crashForm, f.parts)
	for i := range all {
		part := f
		part.seed, part.points = f.seed+uint64(i), nil
		part.requests, part.kills = f.requests/f.parts, f.kills/f.parts
		for j := i; j < len(points); j += f.parts {
			part.points = append(part.points, points[j])
		}
		all[i] = part
	}
	return all
}

// pointsVariable names the writes whose points the short form hits instead of
// those that its seed chooses, such as clock,guest.
const pointsVariable = "WEIR_PROVE_POINTS"

// chosenCrashForm takes the form of the kill proof and makes the lives shorter:
// the org is as rude, but never for longer than a second, so that a life of weir
// is worth a kill after that time. The short form takes some of the points, by
// its seed, or those that the environment names.
func chosenCrashForm(t *testing.T) crashForm {
	t.Helper()
	f := crashForm{form: chosenForm(t), times: 1, window: 5, parts: 1}
	f.without = []string{string(emulator.FaultHTML), string(emulator.FaultSlow), string(emulator.FaultConcurrent)}
	f.gate, f.base, f.lossy = time.Second, "200ms", true
	if os.Getenv(formVariable) == "long" {
		f.requests, f.kills, f.within, f.times, f.window, f.parts = 1800, 500, time.Hour, 3, 6, 4
		f.points = crash.Points()
		return f
	}
	f.requests, f.kills, f.window = 80, 4, 3
	if names := os.Getenv(pointsVariable); names != "" {
		f.points = slices.DeleteFunc(crash.Points(), func(p crash.Point) bool {
			return !slices.Contains(strings.Split(names, ","), string(p.Write))
		})
		return f
	}
	if os.Getenv(seedVariable) == "" {
		f.seed = shortSeed
	}
	t.Logf("seed %d: repeat with %s", f.seed, seedVariable)
	f.points = crash.Points()
	dice := rand.New(rand.NewPCG(f.seed, 11))
	dice.Shuffle(len(f.points), func(i, j int) { f.points[i], f.points[j] = f.points[j], f.points[i] })
	f.points = slices.DeleteFunc(f.points, func(p crash.Point) bool { return inJournal(p.Write) })[:6]
	return f
}

// blow is one death of weir: at a named point, or, when it has none, at a moment
// that the hunter chooses.
type blow struct {
	point crash.Point
	nth   int // passing of the point
}

// often are the writes that a life makes many of, so that a later one may be hit.
func often() []crash.Write {
	return []crash.Write{
		crash.Claim, crash.Outcome, crash.Sequence, crash.Blob,
		crash.FileTemp, crash.FileSync, crash.FilePublish, crash.DirSync,
	}
}

// blows mixes the points, so many times each, with kills that have none.
func blows(f crashForm) []blow {
	dice := rand.New(rand.NewPCG(f.seed, 12))
	all := make([]blow, f.kills)
	for _, p := range f.points {
		for range f.times {
			b := blow{point: p, nth: 1}
			if slices.Contains(often(), p.Write) {
				b.nth = 1 + dice.IntN(4)
			}
			all = append(all, b)
		}
	}
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// shortSeed chooses the points of the short form: a gate must not depend on the
// clock. Another seed takes others.
const shortSeed = 1_795_572_183

// inJournal says whether a write belongs to the journal of outcomes, which
// only takes one while the store is away.
func inJournal(w crash.Write) bool {
	return slices.Contains([]crash.Write{crash.JournalFile, crash.JournalWrite, crash.JournalSync, crash.JournalRemove}, w)
}
