package vault

import (
	"errors"
	"fmt"
)

// The errors that callers act upon.
var (
	// ErrFull says that there is no room: a state to wait in, not a crash.
	ErrFull = errors.New("vault: no space left")
	// ErrCorrupt says that sealed data is not what was sealed here under this name.
	ErrCorrupt = errors.New("vault: sealed data does not authenticate")
	// ErrMissing says that a blob with a reference is gone. It is an ErrCorrupt.
	ErrMissing = fmt.Errorf("blob is missing: %w", ErrCorrupt)
	// ErrWrongKey says that the key-encryption key is not the one that wrapped.
	ErrWrongKey = errors.New("vault: wrong key-encryption key")
	// ErrShredded says that there is no wrapped key any more: nothing opens again.
	ErrShredded = errors.New("vault: the key has been shredded")
	// ErrClosed is returned by a key or a journal after its Close.
	ErrClosed = errors.New("vault: already closed")
	// ErrUnsafe is wrapped by every RefusedError.
	ErrUnsafe = errors.New("vault: unsafe place for a secret")
)

// RefusedError says why a file or directory is not trusted with a secret, and
// what a person can do about it.
type RefusedError struct {
	What string // such as "key file /etc/weir/kek"
	Why  string // such as "its mode 0644 lets others read it"
	Do   string // such as "run: chmod 600 /etc/weir/kek"
}

func (e *RefusedError) Error() string { return e.What + ": " + e.Why + "; " + e.Do }

// Unwrap lets errors.Is find ErrUnsafe.
func (e *RefusedError) Unwrap() error { return ErrUnsafe }

// full adds ErrFull to an error that means that the disk, the quota or the
// file size limit is exhausted.
func full(err error) error {
	if err != nil && !errors.Is(err, ErrFull) && outOfSpace(err) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
