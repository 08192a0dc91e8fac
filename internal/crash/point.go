package crash

import "strconv"

// Write is one kind of durable write.
type Write string

// The transactions of the store, by what they are for.
const (
	Migrate    Write = "migrate"    // the tables are brought up to date
	Start      Write = "start"      // a node registers itself and its orgs
	Beat       Write = "beat"       // a node says that it lives
	Adopt      Write = "adopt"      // what dead nodes held goes back to the queue
	Slots      Write = "slots"      // slot jobs are handed to the queue
	Claim      Write = "claim"      // steps are taken and intents opened
	Outcome    Write = "outcome"    // what a call gave, and what follows from it
	Observe    Write = "observe"    // a call that belongs to no step, such as a new token
	Probe      Write = "probe"      // the governor admits a look at an org that refused
	Release    Write = "release"    // dead letters go because their cause has cleared
	Submit     Write = "submit"     // a request is accepted, with its key
	Verify     Write = "verify"     // evidence of identity
	Approve    Write = "approve"    // a person's consent to a plan
	Urgent     Write = "urgent"     // a person lets a request go before all others, or takes that back
	Replan     Write = "replan"     // a person asks for a fresh plan
	End        Write = "end"        // a request is rejected or cancelled
	Retry      Write = "retry"      // a dead letter is sent again
	Resolve    Write = "resolve"    // a person goes without a dead step
	Show       Write = "show"       // something sealed is shown: it is in the ledger first
	Plan       Write = "plan"       // the plan of a request that only reads
	Certify    Write = "certify"    // the checkpoint under a certificate
	Seal       Write = "seal"       // a request delivers; an erasure's key is shredded
	Shred      Write = "shred"      // the key of an ended request is destroyed
	Drop       Write = "drop"       // the rows of files that nobody can open any more
	Arrange    Write = "arrange"    // the schedule gives a request up, or takes it back
	NewKEK     Write = "new-kek"    // a key-encryption key leads from now on
	Rewrap     Write = "rewrap"     // request keys are wrapped by it
	DropKEK    Write = "drop-kek"   // an old one is destroyed
	Guest      Write = "guest"      // a call of another program is admitted or has ended
	Clock      Write = "clock"      // the waits move along with a step of the wall clock
	Sequence   Write = "sequence"   // entries of the ledger get their numbers
	Checkpoint Write = "checkpoint" // a signed state of the ledger
)

// The writes to the disk beside the store.
const (
	StoreKeys   Write = "store-keys"   // the vault's own keys
	Blob        Write = "blob"         // one sealed file, as a whole
	Delivery    Write = "delivery"     // one encrypted delivery, as a whole
	FileTemp    Write = "file-temp"    // its temporary file
	FileSync    Write = "file-sync"    // its content
	FilePublish Write = "file-publish" // its name
	DirSync     Write = "dir-sync"     // its directory
	Mark        Write = "mark"         // that a request is shredded, where no backup of the store reaches
	Remove      Write = "remove"       // a sealed file goes
	Scrub       Write = "scrub"        // the store's journal is emptied
	Sweep       Write = "sweep"        // files that no row names go

	JournalFile   Write = "journal-file"   // a file of the journal of outcomes is made
	JournalWrite  Write = "journal-write"  // an outcome is appended
	JournalSync   Write = "journal-sync"   // and made durable
	JournalRemove Write = "journal-remove" // the file goes after its replay
)

// Writes lists every kind.
func Writes() []Write {
	return []Write{
		Migrate, Start, Beat, Adopt, Slots, Claim, Outcome, Observe, Probe, Release,
		Submit, Verify, Approve, Urgent, Replan, End, Retry, Resolve, Show,
		Plan, Certify, Seal, Shred, Drop,
		Arrange, NewKEK, Rewrap, DropKEK, Guest, Clock, Sequence, Checkpoint,
		StoreKeys, Blob, Delivery, FileTemp, FileSync, FilePublish, DirSync, Mark, Remove, Scrub, Sweep,
		JournalFile, JournalWrite, JournalSync, JournalRemove,
	}
}

// Point is a moment at which weir can be killed.
type Point struct {
	Write Write
	After bool // the write is durable; otherwise it has not begun to be
}

// Points lists every point.
func Points() []Point {
	var all []Point
	for _, w := range Writes() {
		all = append(all, Point{w, false}, Point{w, true})
	}
	return all
}

// String is the point's name, as in before:claim.
func (p Point) String() string {
	if p.After {
		return "after:" + string(p.Write)
	}
	return "before:" + string(p.Write)
}

// Variable is the environment variable that arms a program which was built
// with the tag crashpoints.
const Variable = "WEIR_CRASH"

// WallVariable names the file that says how far the wall clock of such a program
// is ahead of the machine's, such as 90s. It is replaced as a whole.
const WallVariable = "WEIR_CRASH_WALL"

// Armed is the variable's value that ends the process when it passes the point
// for the nth time.
func (p Point) Armed(nth int) string { return p.String() + ":" + strconv.Itoa(nth) }
