package vault

import (
	"encoding/binary"
	"fmt"

	aead "github.com/tink-crypto/tink-go/v2/aead/subtle"
	prf "github.com/tink-crypto/tink-go/v2/prf/subtle"
	stream "github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"github.com/tink-crypto/tink-go/v2/subtle"
)

const (
	keySize     = 32
	segmentSize = 64 << 10 // ciphertext per segment of a stream: what one open stream buffers
)

// ring is the primitives of one data key. Each has a sub-key of its own
// (HKDF-SHA256 with a label), so that no two of them ever share key material.
type ring struct {
	aead   *aead.AESGCM
	stream *stream.AESGCMHKDF
	prf    *prf.HMACPRF
	prfKey []byte // what prf holds; wiped by wipe
}

// newRing derives the primitives. The root stays the caller's to clear.
func newRing(root []byte) (*ring, error) {
	var r ring
	err := withSubkey(root, "weir/aead/v1", func(k []byte) (err error) {
		r.aead, err = aead.NewAESGCM(k)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = withSubkey(root, "weir/stream/v1", func(k []byte) (err error) {
		r.stream, err = stream.NewAESGCMHKDF(k, "SHA256", keySize, segmentSize, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	if r.prfKey, err = subtle.ComputeHKDF("SHA256", root, nil, []byte("weir/prf/v1"), keySize); err != nil {
		return nil, fmt.Errorf("derive weir/prf/v1: %w", err)
	}
	if r.prf, err = prf.NewHMACPRF("SHA256", r.prfKey); err != nil {
		return nil, fmt.Errorf("derive weir/prf/v1: %w", err)
	}
	return &r, nil
}

func withSubkey(root []byte, label string, use func([]byte) error) error {
	k, err := subtle.ComputeHKDF("SHA256", root, nil, []byte(label), keySize)
	if err == nil {
		err = use(k)
		clear(k)
	}
	if err != nil {
		return fmt.Errorf("derive %s: %w", label, err)
	}
	return nil
}

// mac is the keyed hash of the bound parts.
func (r *ring) mac(label string, parts ...[]byte) []byte {
	sum, err := r.prf.ComputePRF(bind(label, parts...), 32)
	if err != nil { // only for an output longer than SHA-256's
		panic("vault: " + err.Error())
	}
	return sum
}

// wipe clears the key material that we hold. The copies inside Go's ciphers go
// with the next collection; see Scrub.
func (r *ring) wipe() {
	clear(r.prfKey)
	*r = ring{}
}

// bind joins a label and parts so that no two different lists give the same
// bytes: each part is preceded by its length.
func bind(label string, parts ...[]byte) []byte {
	size := 8 + len(label)
	for _, p := range parts {
		size += 8 + len(p)
	}
	out := make([]byte, 0, size)
	out = binary.BigEndian.AppendUint64(out, uint64(len(label)))
	out = append(out, label...)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint64(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
