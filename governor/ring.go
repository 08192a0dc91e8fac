package governor

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// windowMinutes is Salesforce's rolling window. A call of minute m is surely
// no longer counted from the start of minute m+windowMinutes+1.
const windowMinutes = 24 * 60

// Tally is how many calls fell into one minute.
type Tally struct {
	Minute int64 // minutes since 1970
	Calls  int64
}

// Ring holds the minutes of the last 24 hours in which calls were made, oldest
// first. Minutes without calls take no room.
type Ring []Tally

var errRing = errors.New("ring: a list of pairs is expected, minutes rising")

// MarshalJSON writes one flat list: minute, calls, then for each further entry
// the minutes since the one before and its calls. A day in which every minute
// had calls takes about 6 kB so.
func (r Ring) MarshalJSON() ([]byte, error) {
	flat := make([]int64, 0, 2*len(r))
	last := int64(0)
	for _, t := range r {
		flat = append(flat, t.Minute-last, t.Calls)
		last = t.Minute
	}
	return json.Marshal(flat)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Ring) UnmarshalJSON(b []byte) error {
	var flat []int64
	if err := json.Unmarshal(b, &flat); err != nil {
		return fmt.Errorf("ring: %w", err)
	}
	if len(flat)%2 != 0 {
		return errRing
	}
	out := make(Ring, 0, len(flat)/2)
	last := int64(0)
	for i := 0; i < len(flat); i += 2 {
		if flat[i] < 0 || flat[i] > minuteOf(lastInstant)-last || flat[i+1] < 0 || (i > 0 && flat[i] == 0) {
			return errRing
		}
		last += flat[i]
		out = append(out, Tally{Minute: last, Calls: clamp(flat[i+1])})
	}
	*r = out
	return nil
}

// add returns a ring with n more calls in minute m; r itself is unchanged.
// Entries before keep are dropped. A minute that is already past goes to the
// newest entry, so that the order holds when a clock steps back.
func (r Ring) add(m, n, keep int64) Ring {
	if n <= 0 {
		return r
	}
	first := 0
	for first < len(r) && r[first].Minute < keep {
		first++
	}
	live := r[first:]
	if k := len(live); k > 0 && live[k-1].Minute >= m {
		out := slices.Clone(live)
		out[k-1].Calls = clamp(out[k-1].Calls + n)
		return out
	}
	return append(slices.Clip(live), Tally{Minute: m, Calls: clamp(n)})
}

// between sums the calls of minutes in [from, to).
func (r Ring) between(from, to int64) int64 {
	sum := int64(0)
	for i := len(r) - 1; from < to && i >= 0 && r[i].Minute >= from; i-- {
		if r[i].Minute < to {
			sum += r[i].Calls
		}
	}
	return clamp(sum)
}
