package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Terminal tells a demonstration to somebody who watches: the lines of Plain
// scroll, and below them stands a board that is drawn anew.
type Terminal struct {
	Plain
	Width  func() int // columns of the terminal
	Colour bool

	board []string // as it is drawn now
}

// Event implements Teller: the line goes above the board.
func (t *Terminal) Event(e Event) error {
	return t.above(t.paint(e) + "\n")
}

// paint colours the kinds of event that matter most.
func (t *Terminal) paint(e Event) string {
	line := t.line(e)
	if !t.Colour {
		return line
	}
	colour := ""
	switch e.Kind {
	case kindFault, kindNeighbour:
		colour = "33"
	case kindLetter, kindDrift:
		colour = "31"
	case kindPackage, kindErased, kindReadBack, kindReplanned:
		colour = "32"
	}
	if colour == "" {
		return line
	}
	return "\x1b[" + colour + "m" + line + "\x1b[0m"
}

// Status implements Teller: the board is drawn anew.
func (t *Terminal) Status(s Status) error {
	text := t.wipe()
	t.board = t.draw(s)
	return write(t.To, []byte(text+t.lines()))
}

// Summary implements Teller: the board has had its day.
func (t *Terminal) Summary(s Summary) error {
	if err := t.End(); err != nil {
		return err
	}
	return t.Plain.Summary(s)
}

// End takes the board away.
func (t *Terminal) End() error {
	text := t.wipe()
	t.board = nil
	return write(t.To, []byte(text))
}

func (t *Terminal) above(line string) error {
	return write(t.To, []byte(t.wipe()+line+t.lines()))
}

func (t *Terminal) lines() string {
	if len(t.board) == 0 {
		return ""
	}
	return strings.Join(t.board, "\n") + "\n"
}

// wipe moves the cursor to the board's first line and clears from there on.
func (t *Terminal) wipe() string {
	if len(t.board) == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\x1b[J", len(t.board))
}

func (t *Terminal) draw(s Status) []string {
	done := int64(s.Ended)
	board := []string{
		"",
		fmt.Sprintf("requests %s %d of %d ended · %d held · steps %s/%s · %d waiting", bar(done, int64(s.Expected), 0),
			s.Ended, s.Expected, s.Held, number(s.StepsDone), number(s.StepsAll), s.Waiting),
		fmt.Sprintf("quota    %s %s / %s used · floor %s", bar(s.Used, s.Limit, s.Limit-s.Floor), number(s.Used), number(s.Limit), number(s.Floor)),
		fmt.Sprintf("         throttled %d · dead letters %d · payloads sealed %d · calls %d%s", s.Throttled, s.Letters, s.Sealed, s.Calls, gateText(s)),
		fmt.Sprintf("         %s on the wall, %s on the demo's clock", clockText(s.Wall), hours(s.At.Sub(t.born))),
	}
	width := max(t.Width(), 20)
	for i, line := range board {
		if runes := []rune(line); len(runes) > width-1 {
			board[i] = string(runes[:width-1])
		}
	}
	return board
}

func gateText(s Status) string {
	if s.GateCloses <= 0 {
		return ""
	}
	return " · gate opens in " + span(time.Duration(s.GateCloses*float64(time.Second)))
}

// bar draws a share as blocks; mark puts a line where something begins.
func bar(n, of, mark int64) string {
	const cells = 24
	if of <= 0 {
		return strings.Repeat("░", cells)
	}
	full := int(min(max(n, 0), of) * cells / of)
	out := []rune(strings.Repeat("█", full) + strings.Repeat("░", cells-full))
	if mark > 0 && mark < of {
		out[mark*cells/of] = '│'
	}
	return string(out)
}

// NewTeller chooses how to tell: lines for files and pipes, and a board besides
// them for a terminal.
func NewTeller(to io.Writer, version string, width func() int, colour bool) Teller {
	plain := Plain{To: to, Version: version}
	if width == nil {
		return &plain
	}
	return &Terminal{Plain: plain, Width: width, Colour: colour}
}
