package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrCheckpoint is wrapped by every refusal of a checkpoint.
var ErrCheckpoint = errors.New("ledger: not a valid checkpoint")

// Checkpoint signs the root of the first size entries as a C2SP checkpoint
// (c2sp.org/tlog-checkpoint): origin, size and root, one a line, as a signed
// note that any tool of that format can read.
func Checkpoint(origin string, size int64, root tlog.Hash, s note.Signer) ([]byte, error) {
	if origin == "" || strings.ContainsAny(origin, "\n\r") || size < 0 {
		return nil, fmt.Errorf("%w: origin must be one line and size not negative", ErrCheckpoint)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
	msg, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return nil, fmt.Errorf("ledger: sign checkpoint %d: %w", size, err)
	}
	return msg, nil
}

// ParseCheckpoint checks the signature and returns what was signed.
func ParseCheckpoint(msg []byte, v note.Verifier) (size int64, root tlog.Hash, err error) {
	_, size, root, err = openCheckpoint(msg, v)
	return size, root, err
}

func openCheckpoint(msg []byte, v note.Verifier) (origin string, size int64, root tlog.Hash, err error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return "", 0, root, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	// The format allows extension lines after the root; they are ignored.
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return "", 0, root, fmt.Errorf("%w: it must hold origin, size and root", ErrCheckpoint)
	}
	size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return "", 0, root, fmt.Errorf("%w: size is not a plain number", ErrCheckpoint)
	}
	root, err = tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return "", 0, root, fmt.Errorf("%w: root is not a hash", ErrCheckpoint)
	}
	return lines[0], size, root, nil
}
