package engine

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// ErrText is wrapped when a text that a person typed cannot be kept.
var ErrText = errors.New("text not usable")

// maxText bounds what a person may write beside a request.
const maxText = 500

// oneLine refuses what would not read as one line of text wherever it is shown
// later: in lists, in the log, in a certificate. A terminal would obey control
// characters, and characters that turn the direction of writing make a line say
// something else than it does. The message does not repeat the text.
func oneLine(what, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%w: %s is not UTF-8", ErrText, what)
	}
	n := 0
	for _, r := range text {
		n++
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
			return fmt.Errorf("%w: character %d of %s is a control character (%U); write one line of plain text", ErrText, n, what, r)
		}
	}
	if n > maxText {
		return fmt.Errorf("%w: %s has %d characters, and may have %d", ErrText, what, n, maxText)
	}
	return nil
}
