package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/web"
)

// Results are what a person can look at afterwards, each with the command that
// does so. Absent ones were not made.
type Results struct {
	Package     *PackageResult     `json:"package,omitempty"`
	Certificate *CertificateResult `json:"certificate,omitempty"`
	Letter      *LetterResult      `json:"dead_letter,omitempty"`
	Next        []string           `json:"next"` // verbs to try
}

// PackageResult is one access package.
type PackageResult struct {
	Request  weir.RequestID `json:"request"`
	File     string         `json:"file"`
	Records  int64          `json:"records"`
	Size     int64          `json:"size"`
	Identity string         `json:"identity"`
	Open     string         `json:"open"`
}

// CertificateResult is one erasure certificate.
type CertificateResult struct {
	Request weir.RequestID `json:"request"`
	File    string         `json:"file"`
	HTML    string         `json:"html"`
	Records int            `json:"records"`
	Key     string         `json:"key"`
	Verify  string         `json:"verify"`
}

// LetterResult is a dead letter that needs a person.
type LetterResult struct {
	ID      weir.LetterID         `json:"id"`
	Request weir.RequestID        `json:"request"`
	Class   weir.OperatorCategory `json:"category"`
	Code    string                `json:"code,omitempty"`
	Kind    weir.StepKind         `json:"kind"`
	Object  string                `json:"object,omitempty"`
	Record  string                `json:"record,omitempty"`
	Show    string                `json:"show"`
	Resolve string                `json:"resolve"`
}

// results copies one package and one certificate beside the other files and
// names the first dead letter.
func (d *Demo) results(ctx context.Context, all []weir.Request) (Results, error) {
	var out Results
	var err error
	for _, r := range all {
		switch {
		case out.Package == nil && r.Right == weir.Access && r.Stage == weir.Delivered:
			out.Package, err = d.packageResult(ctx, r.ID)
		case out.Certificate == nil && r.Right == weir.Erasure && r.Stage == weir.Closed:
			out.Certificate, err = d.certificateResult(ctx, r.ID)
		}
		if err != nil {
			return out, err
		}
	}
	letters, err := d.engine.Letters(ctx, engine.LetterFilter{State: weir.LetterOpen})
	if err != nil {
		return out, err
	}
	if len(letters) > 0 {
		l := letters[0]
		out.Letter = &LetterResult{
			ID: l.ID, Request: l.Request, Class: l.Cause.Operator(), Code: l.Code, Kind: l.Kind, Object: l.Object, Record: l.Record,
			Show: d.command("dlq show %s", l.ID), Resolve: d.command("dlq resolve %s --as withheld --reason legal-hold --yes", l.ID),
		}
		out.Next = append(out.Next, d.command("why %s", l.ID))
	}
	out.Next = append(out.Next, d.command("requests"), d.command("audit verify"))
	return out, nil
}

// command writes a verb as the person would type it, on this demonstration's
// configuration.
func (d *Demo) command(format string, args ...any) string {
	return d.opts.Program + " " + fmt.Sprintf(format, args...) + " -c " + shell(d.place.config())
}

func (d *Demo) packageResult(ctx context.Context, id weir.RequestID) (*PackageResult, error) {
	blob, path, err := d.engine.Package(ctx, id, clerk)
	if err != nil {
		return nil, err
	}
	doc, err := d.engine.Certificate(ctx, id)
	if err != nil {
		return nil, err
	}
	c, err := d.engine.VerifyCertificate(doc)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(d.place.out(), string(id)+"-access.zip.age")
	if err := copyFile(file, path); err != nil {
		return nil, err
	}
	p := &PackageResult{Request: id, File: file, Size: blob.Ref.Size, Identity: d.place.identity}
	if c.Package != nil {
		p.Records = c.Package.Records
	}
	p.Open = "age -d -i " + shell(p.Identity) + " " + shell(file) + " > pkg.zip"
	return p, nil
}

func (d *Demo) certificateResult(ctx context.Context, id weir.RequestID) (*CertificateResult, error) {
	doc, err := d.engine.Certificate(ctx, id)
	if err != nil {
		return nil, err
	}
	c, err := d.engine.VerifyCertificate(doc)
	if err != nil {
		return nil, err
	}
	page, err := ledger.HTML(c)
	if err != nil {
		return nil, err
	}
	stem := filepath.Join(d.place.out(), string(id)+"-erasure")
	r := &CertificateResult{Request: id, File: stem + ".json", HTML: stem + ".html", Records: len(c.Items), Key: d.place.publicFile()}
	r.Verify = d.opts.Program + " certificate verify " + shell(r.File) + " --key " + shell(r.Key)
	for name, text := range map[string][]byte{r.File: doc, r.HTML: page} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return nil, fmt.Errorf("write the certificate: %w", err)
		}
	}
	return r, nil
}

func copyFile(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open the package: %w", err)
	}
	defer func() { _ = src.Close() }() // only read
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create a copy of the package: %w", err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		_ = dst.Close() // the copy has failed already
		return fmt.Errorf("copy the package: %w", err)
	}
	if err := dst.Close(); err != nil {
		return fmt.Errorf("copy the package: %w", err)
	}
	return nil
}

// exitCode is how `weir demo --once` ends.
func exitCode(letters int) int {
	if letters > 0 {
		return web.ExitDeadLetter
	}
	return web.ExitOK
}

// shell quotes a path for a command that is printed to be pasted.
func shell(path string) string {
	if strings.IndexFunc(path, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%=:,", r)
	}) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
