package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// document is the outer form of a signed certificate.
type document struct {
	Certificate json.RawMessage `json:"certificate"`
	Signature   string          `json:"signature"`
}

// Sign returns the certificate as a signed JSON document on one line:
//
//	{"certificate":{…},"signature":"— name base64"}
//
// What is signed is the canonical JSON of the certificate, byte for byte as it
// stands in the document, followed by a newline; the signature is that of a
// signed note. So "certificate", newline, empty line, "signature", newline is a
// note that other tools can open, up to the million bytes which these allow.
func Sign(c Certificate, s note.Signer) ([]byte, error) {
	c.Schema = CertificateSchema
	if c.Unproven == nil {
		c.Unproven = []string{}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	body, err := canonical(c)
	if err != nil {
		return nil, fmt.Errorf("ledger: encode certificate of %s: %w", c.Request, err)
	}
	sig, err := s.Sign(signedText(body))
	if err != nil {
		return nil, fmt.Errorf("ledger: sign certificate of %s: %w", c.Request, err)
	}
	raw := binary.BigEndian.AppendUint32(nil, s.KeyHash())
	doc := document{body, "— " + s.Name() + " " + base64.StdEncoding.EncodeToString(append(raw, sig...))}
	return encodeDocument(doc)
}

// VerifyCertificate checks a document without any network or store: signature,
// form, the checkpoint inside it, and that the log under this checkpoint holds
// every entry that the certificate quotes. It refuses a document that was
// formatted anew, because then the bytes are no longer those that were signed.
func VerifyCertificate(doc []byte, v note.Verifier) (Certificate, error) {
	d, err := openDocument(doc)
	if err != nil {
		return Certificate{}, err
	}
	sig, err := openSignature(d.Signature, v)
	if err != nil {
		return Certificate{}, err
	}
	if !v.Verify(signedText(d.Certificate), sig) {
		return Certificate{}, fmt.Errorf("%w: the signature does not fit; it was changed after signing", ErrCertificate)
	}
	var c Certificate
	if err := strictDecode(d.Certificate, &c); err != nil {
		return Certificate{}, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	if again, err := canonical(d.Certificate); err != nil || !bytes.Equal(again, d.Certificate) {
		return Certificate{}, fmt.Errorf("%w: it is not in canonical form", ErrCertificate)
	}
	if err := c.check(); err != nil {
		return Certificate{}, err
	}
	return c, c.checkLedger(v)
}

// checkLedger verifies checkpoint and inclusion proofs.
func (c Certificate) checkLedger(v note.Verifier) error {
	size, root, err := ParseCheckpoint([]byte(c.Ledger.Checkpoint), v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	if size != c.Ledger.Size || root != c.Ledger.Root {
		return fmt.Errorf("%w: its checkpoint is that of another log or size", ErrCertificate)
	}
	for _, in := range c.Ledger.Entries {
		seq, err := in.Check(size, root)
		if err != nil {
			return fmt.Errorf("%w: proof of entry %d: %w", ErrCertificate, seq, err)
		}
		e, err := ParseLine(in.Entry)
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ErrCertificate, seq, err)
		}
		if e.Request != "" && e.Request != c.Request || e.Org != "" && e.Org != c.Org {
			return fmt.Errorf("%w: entry %d belongs to another request", ErrCertificate, seq)
		}
	}
	return nil
}

func signedText(body []byte) []byte { return append(bytes.Clone(body), '\n') }

func encodeDocument(d document) ([]byte, error) {
	out, err := compactJSON(d)
	if err != nil {
		return nil, fmt.Errorf("ledger: encode document: %w", err)
	}
	return append(out, '\n'), nil
}

// openDocument accepts the exact bytes that Sign writes, the last newline
// excepted: a second "certificate" member, a space or an escaped letter would
// let two readers of one document see two different ones.
func openDocument(doc []byte) (document, error) {
	var d document
	if err := strictDecode(doc, &d); err != nil {
		return d, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	again, err := encodeDocument(d)
	if err != nil {
		return d, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	if !bytes.Equal(bytes.TrimSuffix(doc, []byte("\n")), bytes.TrimSuffix(again, []byte("\n"))) {
		return d, fmt.Errorf("%w: its bytes are not as they were signed; it may have been formatted anew", ErrCertificate)
	}
	return d, nil
}

// openSignature reads one signature line and demands the verifier's key.
func openSignature(line string, v note.Verifier) ([]byte, error) {
	rest, ok := strings.CutPrefix(line, "— ")
	name, b64, found := strings.Cut(rest, " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(b64)
	if !ok || !found || err != nil || len(raw) < 5 || strings.ContainsAny(b64, "\r\n") {
		return nil, fmt.Errorf("%w: malformed signature", ErrCertificate)
	}
	if name != v.Name() || binary.BigEndian.Uint32(raw) != v.KeyHash() {
		return nil, fmt.Errorf("%w: it was signed by another key than %s+%08x", ErrCertificate, v.Name(), v.KeyHash())
	}
	return raw[4:], nil
}
