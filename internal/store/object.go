package store

import (
	"time"

	"github.com/weirhq/weir"
)

// HoldObject lets an org's ready steps about one object wait until a time, those
// that are about to write or all the others, and returns how many they are. A step
// that is due before another time stays ready: a person has to hear of it. The org
// itself does not wait, so that the next turn finds other work.
func (t *Tx) HoldObject(org weir.OrgID, object string, writes bool, until time.Time, cause weir.Category, sparing time.Time) (int, error) {
	to, err := weir.StepReady.Next(weir.Defer)
	if err != nil {
		return 0, err
	}
	return t.exec("hold steps about "+object+" of "+string(org), `
		UPDATE step SET state = $1, wake_at = $2, cause = $3
		WHERE org = $4 AND state = 'READY' AND object = $5 AND (due_at = 0 OR due_at >= $6) AND `+sort(writes),
		to, until, cause, org, object, sparing)
}

// Asker is the ready step about the given one's object, of its sort and of its
// place in the queue, that was claimed least often: of an object that is tried by one
// call at a time, the same step must not ask for ever. A change may take three
// claims, to check, to write and to read back; who has begun one ends it, so that the
// checks of all the others are not made in vain. It may be the given one.
func (t *Tx) Asker(s weir.Step, writes bool) (weir.Step, error) {
	turns := `epoch`
	if writes {
		turns = `epoch / 8, epoch DESC`
	}
	return one(t, "find who asks about "+s.Object+" of "+string(s.Org), scanStep, `
		SELECT `+stepColumns+` FROM step
		WHERE org = $1 AND state = 'READY' AND object = $2 AND shed = (SELECT shed FROM step WHERE id = $3) AND `+sort(writes)+`
		ORDER BY `+turns+`, due_at, request, rank, id LIMIT 1`, s.Org, s.Object, s.ID)
}

// sort is the condition of steps that are about to change their object, or of the others.
func sort(writes bool) string {
	if writes {
		return `(phase = 'write' OR kind = 'purge')`
	}
	return `phase <> 'write' AND kind <> 'purge'`
}
