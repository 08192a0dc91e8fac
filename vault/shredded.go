package vault

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
)

// A shredded request leaves a mark that no backup of the store can take back:
// an empty file whose name is a keyed hash of org and request, in a directory
// of the vault. The name is all there is to know, so nothing can be torn, two
// nodes can write one mark at once, and whoever reads the directory learns how
// many there are. Only the holder of the vault's own keys can make one up.

func (v *Vault) mark(org weir.OrgID, request weir.RequestID) string {
	return hex.EncodeToString(v.store.mac("weir/shredded/v1", []byte(org), []byte(request)))
}

// MarkShredded notes, durably, that a request is shredded: from then on Key
// refuses it. Call it before the row is nulled; after a kill in between, the
// mark says what was decided.
func (v *Vault) MarkShredded(org weir.OrgID, request weir.RequestID) error {
	crash.Before(crash.Mark)
	f, err := v.gone.ensure(v.mark(org, request))
	if err == nil {
		err = errors.Join(v.gone.sync(f), f.Close())
	}
	if err == nil {
		err = syncDir(v.gone)
	}
	if err != nil {
		return fmt.Errorf("mark request %s as shredded: %w", request, full(err))
	}
	crash.After(crash.Mark)
	return nil
}

// Shredded says whether a request was marked. An answer that cannot be had is
// an error, and no consent.
func (v *Vault) Shredded(org weir.OrgID, request weir.RequestID) (bool, error) {
	_, err := v.gone.Lstat(v.mark(org, request))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask whether request %s was shredded: %w", request, err)
	}
	return true, nil
}
