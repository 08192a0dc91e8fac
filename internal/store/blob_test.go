package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testBlobOfTheNewestEpochWins(t *testing.T, s *store.Store) {
	page := func(object string, n int, epoch int64, name string) store.Blob {
		return store.Blob{
			Request: "R-1", Kind: "page", Object: object, Page: n, Epoch: epoch,
			Ref: weir.SealRef{Name: name, Size: 1 << 40, Digest: "sum of " + name}, At: noon.Add(time.Minute),
		}
	}
	update(t, s, noon, func(tx *store.Tx) {
		seed(tx, "R-1", "o")
		none, oldest, err := tx.SealedStats()
		ok(err)
		same(t, none, 0)
		same(t, oldest, time.Time{})
		for _, b := range []store.Blob{
			page("Lead", 1, 1, "l1"), page("Contact", 10, 1, "c10"), page("Contact", 2, 2, "c2"),
			page("Contact", 2, 1, "late"), page("Lead", 1, 4, "newer"),
		} {
			ok(tx.PutBlob(b))
		}
		subject := store.Blob{Request: "R-1", Kind: "subject", Ref: weir.SealRef{Name: "s"}}
		ok(tx.PutBlob(subject))
		subject.At = noon
		want := []store.Blob{page("Contact", 2, 2, "c2"), page("Contact", 10, 1, "c10"), page("Lead", 1, 4, "newer")}
		same(t, need(tx.Blobs("R-1", "page")), want)
		same(t, need(tx.BlobObjects("R-1", "page")), []string{"Contact", "Lead"})
		same(t, need(tx.BlobsAfter("R-1", "page", "Contact", -1, 1)), want[:1])
		same(t, need(tx.BlobsAfter("R-1", "page", "Contact", 2, 9)), want[1:2])
		count, oldest, err := tx.SealedStats()
		ok(err)
		same(t, count, 4)
		same(t, oldest, noon)
		same(t, need(tx.BlobNames()), map[string]bool{"c2": true, "c10": true, "newer": true, "s": true})
		ok(tx.DropBlobs("R-2", "page"))
		same(t, need(tx.Blobs("R-1", "page")), want)
		ok(tx.DropBlobs("R-1", "page"))
		same(t, need(tx.Blobs("R-1", "page")), []store.Blob(nil))
		ok(tx.PutBlob(want[0]))
		same(t, need(tx.DeleteBlobs("R-1")), append(want[:1:1], subject))
		same(t, need(tx.DeleteBlobs("R-1")), []store.Blob(nil))
	})
}

// testBlobNamesKeepsWhatLettersReferTo: the sweeper must not delete it.
func testBlobNamesKeepsWhatLettersReferTo(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		ok(tx.InsertSteps([]weir.Step{step("S-1", r, weir.StepDead), step("S-2", r, weir.StepDead)}))
		need(tx.OpenLetter(letter("S-1", r)))
		bare := letter("S-2", r)
		bare.Sealed = weir.SealRef{}
		need(tx.OpenLetter(bare))
		same(t, need(tx.BlobNames()), map[string]bool{"sealed of S-1": true})
	})
}
