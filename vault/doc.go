// Package vault is the one home of personal data: the only package that sees
// keys, and the only one that writes personal data to disk, always sealed.
//
// Every request has a data key of its own. The key-encryption key (KEK) wraps
// it, the engine keeps the wrapped form in a row, and nulling that row ends
// everything that was ever sealed for the request. The primitives are Tink's;
// this package decides only what they are bound to.
//
// The invariant it protects: whatever it hands out was sealed for exactly that
// org, request, kind, object, page and epoch, and is whole. A flipped, cut,
// swapped or outdated blob is ErrCorrupt before its first byte is shown.
//
// Start reading at vault.go (what is checked before anything is opened), then
// key.go (one request's key), blob.go (sealed files) and journal.go (outcomes
// that wait for the store).
package vault
