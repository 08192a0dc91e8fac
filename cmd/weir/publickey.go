package main

import (
	"os"

	"golang.org/x/mod/sumdb/note"

	"github.com/weirhq/weir/internal/ledger"
)

// publicKey reads the ledger's public key from a flag: the key itself, or a
// file that holds it.
func publicKey(text string) (note.Verifier, error) {
	if text == "" {
		return nil, usage("`weir init` printed it; `weir audit verify` prints it again.", "give the ledger's public key: --key KEY")
	}
	v, err := ledger.ParseVerifier(text)
	if err == nil {
		return v, nil
	}
	file, readErr := os.ReadFile(text)
	if readErr != nil {
		return nil, usage("It looks like NAME+0123abcd+…", "--key is neither a public key nor a file that holds one")
	}
	if v, err = ledger.ParseVerifier(string(file)); err != nil {
		return nil, usage("It looks like NAME+0123abcd+…", "%s holds no public key", text)
	}
	return v, nil
}
