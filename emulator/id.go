package emulator

import "strings"

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// makeID builds the 18 character id of the n-th record under a key prefix. Ids
// of one object ascend in byte order, as those that a single org hands out do.
func makeID(prefix string, n uint64) string {
	var tail [12]byte
	copy(tail[:], "5g0000000000")
	for i := len(tail) - 1; n > 0 && i >= 3; i-- {
		tail[i] = base62[n%62]
		n /= 62
	}
	id := prefix + string(tail[:])
	return id + checksum(id)
}

// checksum returns the three characters that make a case-sensitive 15 character
// id safe where case is lost: one per five characters, bit i set when the i-th
// of the five is a capital letter.
func checksum(id15 string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	var out [3]byte
	for block := range 3 {
		bits := 0
		for i := range 5 {
			if c := id15[block*5+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		out[block] = alphabet[bits]
	}
	return string(out[:])
}

// shortID cuts an id to the 15 characters that identify the record. It refuses
// what has not the form of an id.
func shortID(id string) (string, bool) {
	if len(id) != 15 && len(id) != 18 {
		return "", false
	}
	for i := range len(id) {
		if strings.IndexByte(base62, id[i]) < 0 {
			return "", false
		}
	}
	return id[:15], true
}
