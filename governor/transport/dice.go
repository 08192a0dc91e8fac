package transport

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"io"
)

// newDice draws from crypto/rand, a few hundred bytes at a time: every outcome
// needs four. The judge calls it under its lock.
func newDice() func() uint32 {
	source := bufio.NewReaderSize(rand.Reader, 256)
	var b [4]byte
	return func() uint32 {
		if _, err := io.ReadFull(source, b[:]); err != nil {
			panic("transport: crypto/rand: " + err.Error()) // documented never to fail
		}
		return binary.LittleEndian.Uint32(b[:])
	}
}
