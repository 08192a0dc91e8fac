package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
)

// Teller passes on what happens in a demonstration.
type Teller interface {
	Start(Start) error
	Event(Event) error
	Status(Status) error
	Summary(Summary) error
}

// Head is what every line begins with.
type Head struct {
	Schema string    `json:"schema"`
	Type   string    `json:"type"`
	At     time.Time `json:"at"`              // on the demonstration's clock
	Wall   float64   `json:"elapsed_seconds"` // on the wall's, since the start
}

func (d *Demo) head(kind string, at time.Time) Head {
	return Head{Schema: "weir.demo/v1", Type: kind, At: at.UTC().Truncate(time.Millisecond), Wall: d.elapsed()}
}

func (d *Demo) elapsed() float64 { return time.Since(d.begun).Round(time.Millisecond).Seconds() }

// Start is the first line: what is going to be shown.
type Start struct {
	Head
	Org        weir.OrgID     `json:"org"`
	Seed       uint64         `json:"seed"`
	Scenario   string         `json:"scenario"`
	Story      string         `json:"story"`
	Speed      float64        `json:"speed"` // 0: no wait is waited for
	Records    int            `json:"records"`
	Objects    map[string]int `json:"objects"`
	DailyLimit int            `json:"daily_limit"`
	RecycleLag float64        `json:"recycle_bin_lag_seconds"`
	Access     int            `json:"access_requests"`
	Erasure    int            `json:"erasure_requests"`
	Dir        string         `json:"dir"`
	Config     string         `json:"config"`
}

// Event is one thing that is worth telling. Text says it for people; it holds
// ids, classes and numbers only.
type Event struct {
	Head
	Kind    string         `json:"kind"`
	Request weir.RequestID `json:"request,omitempty"`
	Step    weir.StepID    `json:"step,omitempty"`
	Letter  weir.LetterID  `json:"letter,omitempty"`
	Fault   emulator.Fault `json:"fault,omitempty"` // of the org, by its own log
	Class   weir.Category  `json:"class,omitempty"`
	Until   time.Time      `json:"wait_until,omitzero"`
	Text    string         `json:"text"`
}

// The kinds of event.
const (
	kindFault      = "org.fault"     // the org did something wrong, by its own log
	kindNeighbour  = "org.neighbour" // another integration used up calls
	kindApproval   = "approval"
	kindDrift      = "drift"
	kindWait       = "wait"
	kindReauth     = "reauth"
	kindConflict   = "conflict"
	kindReplanned  = "conflict.applied"
	kindLostAnswer = "lost-answer"
	kindReadBack   = "lost-answer.read-back"
	kindLetter     = "dead-letter"
	kindDecided    = "dead-letter.decided"
	kindPackage    = "package"
	kindErased     = "certificate"
)

// Status is where everything stands.
type Status struct {
	Head
	Submitted  int     `json:"requests_submitted"`
	Expected   int     `json:"requests_expected"`
	Ended      int     `json:"requests_ended"` // delivered or closed
	Held       int     `json:"requests_held"`  // by a dead letter
	StepsDone  int64   `json:"steps_done"`
	StepsAll   int64   `json:"steps_accepted"`
	Waiting    int     `json:"steps_waiting"`
	Throttled  int     `json:"throttled_waits"` // recorded waits whose cause is a throttle
	Letters    int     `json:"dead_letters"`
	Sealed     int     `json:"sealed_payloads"`
	Used       int64   `json:"quota_used"` // as the org last said
	Limit      int64   `json:"quota_limit"`
	Floor      int64   `json:"quota_floor"`
	Calls      int     `json:"org_calls"` // by the org's log
	GateCloses float64 `json:"gate_open_in_seconds,omitempty"`
}

// JSON tells a demonstration as JSON Lines.
type JSON struct{ To io.Writer }

// Start implements Teller.
func (j JSON) Start(s Start) error { return j.line(s) }

// Event implements Teller.
func (j JSON) Event(e Event) error { return j.line(e) }

// Status implements Teller.
func (j JSON) Status(s Status) error { return j.line(s) }

// Summary implements Teller.
func (j JSON) Summary(s Summary) error { return j.line(s) }

func (j JSON) line(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode a line: %w", err)
	}
	return write(j.To, b.Bytes())
}

func write(to io.Writer, text []byte) error {
	if _, err := to.Write(text); err != nil {
		return fmt.Errorf("write a line: %w", err)
	}
	return nil
}
