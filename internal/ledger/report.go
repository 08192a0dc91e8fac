package ledger

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Tampering is what a verification found.
type Tampering string

// The kinds of tampering, None being the good one.
const (
	None          Tampering = ""
	Altered       Tampering = "altered"        // an entry's bytes changed, or entries changed place and were numbered again
	Deleted       Tampering = "deleted"        // a number is missing
	Inserted      Tampering = "inserted"       // a number comes twice
	Moved         Tampering = "moved"          // a number comes later than its place
	Renumbered    Tampering = "renumbered"     // an entry bears a number that is not its own
	Truncated     Tampering = "truncated"      // the log ends before what was signed
	Rewritten     Tampering = "rewritten"      // the log is not the one of the checkpoint that was saved earlier
	HashDamaged   Tampering = "hash-damaged"   // the entries are proven, a stored hash is not theirs
	BadCheckpoint Tampering = "bad-checkpoint" // a checkpoint is forged, or contradicts another
)

// Tamperings lists every kind.
func Tamperings() []Tampering {
	return []Tampering{
		None, Altered, Deleted, Inserted, Moved, Renumbered, Truncated, Rewritten, HashDamaged, BadCheckpoint,
	}
}

// Report is the result of a verification.
type Report struct {
	Entries     int64     `json:"entries"`     // that were read; fewer than the log holds when one was bad
	Checkpoints int       `json:"checkpoints"` // signed ones that agree with the entries
	Signed      int64     `json:"signed"`      // entries under the newest of these
	Root        tlog.Hash `json:"root"`        // recomputed from the entries that were read

	HeldChecked bool  `json:"held_checked"` // the checkpoint saved earlier agrees
	HeldSize    int64 `json:"held_size"`    // entries that it covers

	// The first altered entry lies between FirstBad and LastBad; they are the
	// same number when it can be named exactly. Both are -1 when no entry is bad.
	Tampering Tampering `json:"tampering,omitempty"`
	FirstBad  int64     `json:"first_bad"`
	LastBad   int64     `json:"last_bad"`
	Reason    string    `json:"reason,omitempty"`

	Limits []string `json:"limits,omitempty"` // what this verification could not see
}

// OK says that nothing bad was found. Limits says how much that is worth.
func (r Report) OK() bool { return r.Tampering == None }

// finding is one piece of tampering and the span in which it must lie.
type finding struct {
	kind        Tampering
	first, last int64
	reason      string
}

func (r *Report) blame(f *finding) {
	if f == nil {
		return
	}
	r.Tampering, r.FirstBad, r.LastBad, r.Reason = f.kind, f.first, f.last, f.reason
}

// BlameStray tells of an entry whose number lies outside of the log's 1 to
// size: readers see it, and no hash covers it. What was found before weighs more.
func (r *Report) BlameStray(seq, size int64) {
	if !r.OK() {
		return
	}
	r.blame(&finding{Inserted, seq, seq, fmt.Sprintf("an entry was inserted outside of the log: it bears the number %d, and the log has %d", seq, size)})
}

// entries names a span in words.
func entries(first, last int64) string {
	if first == last {
		return fmt.Sprintf("entry %d", first)
	}
	return fmt.Sprintf("entries %d to %d", first, last)
}

// The sentences about what cannot be seen.
const (
	limitNoHeld = "no checkpoint that was saved earlier was compared: a complete rewrite, " +
		"with every hash computed again and every checkpoint signed again by the holder of the key, cannot be seen"
	limitAfterHeld = "%s came after the saved checkpoint: a rewrite of these by the holder of the key cannot be seen"
	limitUnsigned  = "%s: not covered by any signed checkpoint yet, so a change together with the stored hashes, or a cut, cannot be seen"
	limitNoStored  = "no stored hashes were given: an altered entry can only be placed between two checkpoints"
)

// limits says what the verification that just ended could not see.
func (c *check) limits() []string {
	var out []string
	switch {
	case !c.rep.HeldChecked:
		out = append(out, limitNoHeld)
	case c.rep.HeldSize < c.tree.size:
		out = append(out, fmt.Sprintf(limitAfterHeld, entries(c.rep.HeldSize+1, c.tree.size)))
	}
	if c.good < c.tree.size {
		out = append(out, fmt.Sprintf(limitUnsigned, entries(c.good+1, c.tree.size)))
	}
	if c.stored == nil {
		out = append(out, limitNoStored)
	}
	return out
}
