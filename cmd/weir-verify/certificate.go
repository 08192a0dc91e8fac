package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// certificate is the part of a certificate that a proof needs.
type certificate struct {
	Schema  string `json:"schema"`
	Request string `json:"request"`
	Org     string `json:"org"`
	Right   string `json:"right"`
	Ledger  struct {
		Size       int64     `json:"size"`
		Root       tlog.Hash `json:"root"`
		Checkpoint string    `json:"checkpoint"`
		Entries    []struct {
			Entry json.RawMessage  `json:"entry"`
			Proof tlog.RecordProof `json:"proof"`
		} `json:"entries"`
	} `json:"ledger"`

	root signedRoot // what its checkpoint says
}

// openCertificate checks the signature over the certificate's own bytes, and
// that the log of its checkpoint holds every line that it quotes.
func openCertificate(doc []byte, v note.Verifier) (certificate, error) {
	var c certificate
	var outer struct {
		Certificate json.RawMessage `json:"certificate"`
		Signature   string          `json:"signature"`
	}
	if err := json.Unmarshal(doc, &outer); err != nil {
		return c, altered("it is no document of weir")
	}
	// Only these bytes: a second member of one name, or another order, would let
	// two readers see two certificates.
	exact := `{"certificate":` + string(outer.Certificate) + `,"signature":"` + outer.Signature + `"}`
	if strings.TrimSuffix(string(doc), "\n") != exact {
		return c, altered("its bytes are not as they were signed; it may have been formatted anew")
	}
	if err := checkSignature(outer.Certificate, outer.Signature, v); err != nil {
		return c, err
	}
	if err := json.Unmarshal(outer.Certificate, &c); err != nil || c.Schema != "weir.certificate/v1" || c.Request == "" || c.Org == "" {
		return c, altered("it is no weir.certificate/v1")
	}
	root, err := openCheckpoint([]byte(c.Ledger.Checkpoint), v)
	if err != nil {
		return c, err
	}
	if root.size != c.Ledger.Size || tlog.Hash(root.root) != c.Ledger.Root {
		return c, altered("its checkpoint is that of another log or size")
	}
	c.root = root
	return c, c.checkEntries()
}

// checkSignature verifies one signature line of a note: dash, name, and the
// base64 of four bytes of key hash and the signature.
func checkSignature(body []byte, line string, v note.Verifier) error {
	rest, dash := strings.CutPrefix(line, "— ")
	name, code, space := strings.Cut(rest, " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(code)
	if !dash || !space || err != nil || len(raw) < 5 {
		return altered("its signature is malformed")
	}
	if name != v.Name() || binary.BigEndian.Uint32(raw) != v.KeyHash() {
		return altered("another key than %s+%08x signed it", v.Name(), v.KeyHash())
	}
	if !v.Verify(append(bytes.Clone(body), '\n'), raw[4:]) {
		return altered("the signature does not fit")
	}
	return nil
}

// checkEntries verifies the inclusion proof of each quoted line.
func (c certificate) checkEntries() error {
	for _, in := range c.Ledger.Entries {
		var e struct {
			Seq     int64  `json:"seq"`
			Org     string `json:"org"`
			Request string `json:"request"`
		}
		if err := json.Unmarshal(in.Entry, &e); err != nil || e.Seq < 1 || e.Seq > c.Ledger.Size {
			return altered("it quotes a line that is no entry of its log")
		}
		if err := tlog.CheckRecord(in.Proof, c.Ledger.Size, c.Ledger.Root, e.Seq-1, tlog.RecordHash(in.Entry)); err != nil {
			return altered("the log does not hold entry %d as it is quoted", e.Seq)
		}
		if e.Request != "" && e.Request != c.Request || e.Org != "" && e.Org != c.Org {
			return altered("entry %d belongs to another request", e.Seq)
		}
	}
	return nil
}
