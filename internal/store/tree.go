package store

import "fmt"

// longRun is from how many neighbours on a query of its own is the quicker way to
// read them.
const longRun = 16

// ReadHashes reads the hashes at those positions of the tree, in their order: what
// verifies reads long runs of neighbours, what appends some that lie far apart.
func (t *Tx) ReadHashes(positions []int64) ([][]byte, error) {
	hashes := make([][]byte, len(positions))
	var apart []int // places in positions
	for i, run := 0, 1; i < len(positions); i, run = i+run, 1 {
		for i+run < len(positions) && positions[i+run] == positions[i+run-1]+1 {
			run++
		}
		if run < longRun {
			for k := range run {
				apart = append(apart, i+k)
			}
			continue
		}
		last := positions[i+run-1]
		found, err := list(t, "read tree hashes", scanValue[[]byte],
			`SELECT hash FROM tree_hash WHERE position BETWEEN $1 AND $2 ORDER BY position`, positions[i], last)
		if err != nil {
			return nil, err
		}
		if len(found) != run {
			return nil, fmt.Errorf("read tree hashes %d to %d: %w", positions[i], last, ErrNotFound)
		}
		copy(hashes[i:], found)
	}
	return hashes, t.readApart(positions, apart, hashes)
}

// readApart reads the hashes at those places of positions with one query.
func (t *Tx) readApart(positions []int64, places []int, hashes [][]byte) error {
	if len(places) == 0 {
		return nil
	}
	wanted := make([]int64, len(places))
	for i, k := range places {
		wanted[i] = positions[k]
	}
	found := make(map[int64][]byte, len(places))
	_, err := list(t, "read tree hashes", func(r row) (none struct{}, err error) {
		var position int64
		var hash []byte
		err = r.Scan(&position, &hash)
		found[position] = hash
		return none, err
	}, `SELECT position, hash FROM tree_hash WHERE `+t.among("position", "$1"), listed(t, wanted))
	if err != nil {
		return err
	}
	for _, k := range places {
		var ok bool
		if hashes[k], ok = found[positions[k]]; !ok {
			return fmt.Errorf("read tree hash %d: %w", positions[k], ErrNotFound)
		}
	}
	return nil
}
