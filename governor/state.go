package governor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/weirhq/weir"
)

// State is everything that the governor remembers of one org. The zero value
// is an org of which nothing is known. Times are nanoseconds since 1970, and 0
// stands for never. All nodes share it; it survives restarts, so that no gate
// is forgotten and a known limit is never run into again.
//
// Its own methods change it in place. Admit, Observe and the others are given a
// copy, so that nobody's state changes under them; lists that states share are copied
// before they change.
type State struct {
	Gate    Gate  `json:"gate,omitzero"`
	Strikes int   `json:"strikes,omitempty"`  // rejects since the org last took calls; above 0 one probe at a time
	ProbeAt int64 `json:"probe_at,omitempty"` // when the probe in flight was admitted

	Fails   int      `json:"fails,omitempty"`   // calls in a row that the platform failed; see down.go
	Objects []Object `json:"objects,omitempty"` // those that have failed since they last worked; see object.go

	Retries   int64 `json:"retries,omitempty"`    // spent beyond what answers and time earned, in thousandths; see retry_budget.go
	RetriesAt int64 `json:"retries_at,omitempty"` // when time last earned some, or the first was spent

	BurstAt int64   `json:"burst_at,omitempty"` // first reject of the burst that is not over
	Bursts  []int64 `json:"bursts,omitempty"`   // how long the last bursts lasted, in ms, oldest first

	Told bool `json:"told,omitempty"` // the org itself said how long the last of them would last

	Left    Left   `json:"left,omitzero"`
	PacedTo int64  `json:"paced_to,omitempty"` // the next call may not go before
	Rate    Rate   `json:"rate,omitzero"`
	Notice  Notice `json:"notice,omitzero"`

	Cap        int   `json:"cap,omitempty"`         // calls in flight that the org accepted; 0 = no cap
	CapAt      int64 `json:"cap_at,omitempty"`      // when the cap was cut or last grew
	CapStrikes int   `json:"cap_strikes,omitempty"` // concurrency rejects since a success
	Long       Long  `json:"long,omitzero"`         // see long.go

	Auth Credential `json:"auth,omitzero"`

	Own         Own       `json:"own,omitzero"`
	Daily       Sample    `json:"daily,omitzero"`
	App         Sample    `json:"app,omitzero"`
	Extra       Sample    `json:"extra,omitzero"` // api-bursts: shown, never relied on
	Neighbours  Neighbour `json:"neighbours,omitzero"`
	BlockedAt   int64     `json:"blocked_at,omitempty"`   // the org said that the daily limit is used up
	DailyProbes int       `json:"daily_probes,omitempty"` // refused since then
	Widest      int64     `json:"widest,omitempty"`       // cost of the dearest call that may be in flight
	Took        int64     `json:"took,omitempty"`         // how long calls took of late, in ms; see capacity.go
}

// Gate holds back every call of the org.
type Gate struct {
	Until    int64           `json:"until"`
	CutAt    int64           `json:"cut_at"` // calls sent before belong to the event that closed the gate
	Cause    weir.Category   `json:"cause"`
	Evidence []weir.Evidence `json:"evidence,omitempty"`
}

// Left is what a gateway's X-Rate-Limit-Remaining last said.
type Left struct {
	At    int64 `json:"at"`
	Calls int64 `json:"calls"`
	Limit int64 `json:"limit,omitempty"`
}

// Sample is the newest reading of one allocation.
type Sample struct {
	At    int64  `json:"at"`
	Used  int64  `json:"used"`
	Limit int64  `json:"limit"`
	Made  int64  `json:"made"`            // Own.Made when it was taken
	Stale bool   `json:"stale,omitempty"` // a later response came without the header
	App   string `json:"app,omitempty"`

	Behind int64 `json:"behind,omitempty"` // our calls before it that it must still come to show, see lag.go
	Lag    int64 `json:"lag,omitempty"`    // for so many minutes a call of ours is not shown; 0 = it is at once
}

// Own counts our calls. The minute under way is kept apart, so that the ring
// is copied once a minute and not once a call.
type Own struct {
	Past   Ring  `json:"past,omitempty"`
	Minute int64 `json:"minute,omitempty"`
	Calls  int64 `json:"calls,omitempty"`
	Made   int64 `json:"made,omitempty"` // ever
}

// Neighbour is what is inferred about everybody else who uses the org.
type Neighbour struct {
	Since int64 `json:"since"`          // first sample; before it nothing is known
	Level int64 `json:"level"`          // their calls in the window
	Rate  int64 `json:"rate,omitempty"` // their calls per hour, in thousandths
	Past  Ring  `json:"past,omitempty"` // when their calls arrived, as far as we saw

	Highs   Ring `json:"highs,omitempty"`   // the highest level of each of the last days, see swell.go
	Watched Ring `json:"watched,omitempty"` // for how many minutes of each we knew it
	Blind   int  `json:"blind,omitempty"`   // so many readings in a row came a day or more after the one before
}

// Hash is a digest of the state: two states with the same hash decide alike.
func Hash(s State) string {
	b, err := json.Marshal(s)
	if err != nil { // a struct of integers, strings and lists of them always encodes
		panic("governor: encode state: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
