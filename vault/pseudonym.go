package vault

import "encoding/hex"

// Pseudonym names a subject in lists and in the ledger: "s:" and 12 hex
// digits. It is keyed with the store's key, so it cannot be computed from a
// guessed e-mail address; it is personal data all the same.
func (v *Vault) Pseudonym(kind string, normalised []byte) string {
	return "s:" + hex.EncodeToString(v.store.mac("weir/pseudonym/v1", []byte(kind), normalised)[:6])
}

// Index is the full keyed hash of a normalised identifier, by which the store
// finds duplicates and suppressions without holding the identifier.
func (v *Vault) Index(kind string, normalised []byte) string {
	return hex.EncodeToString(v.store.mac("weir/index/v1", []byte(kind), normalised))
}
