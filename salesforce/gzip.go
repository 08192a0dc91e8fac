package salesforce

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// A JSON page of Salesforce shrinks 10 to 40 times; a bomb shrinks a thousand
// times. The first mebibyte is free, so that small answers of zeros pass.
const (
	maxRatio  = 200
	freeBytes = 1 << 20
)

// inflate returns the answer's body, decompressed by ourselves and capped. With
// an error it returns a body without a byte.
func inflate(resp *http.Response, limit int64) (io.Reader, error) {
	encoding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity":
		return &capped{r: resp.Body, left: limit}, nil
	case "gzip", "x-gzip":
		packed := &counted{r: resp.Body}
		z, err := gzip.NewReader(packed)
		if err != nil {
			return http.NoBody, err
		}
		return &capped{r: z, left: limit, packed: packed}, nil
	}
	return http.NoBody, errSyntax
}

// Readable returns the beginning of an answer's body as text that can be
// classified, at most limit bytes: decompressed if the answer was compressed,
// as far as the beginning goes. What cannot be decompressed gives nothing.
func Readable(h http.Header, start []byte, limit int64) []byte {
	body, err := inflate(&http.Response{Header: h, Body: io.NopCloser(bytes.NewReader(start))}, limit)
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(body) // the beginning ends early: that is what it is
	return text
}

// counted counts the compressed bytes that were read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// capped ends with errTooLarge when the answer exceeds its size or its ratio.
type capped struct {
	r      io.Reader
	left   int64
	out    int64
	packed *counted // nil when the answer is not compressed
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.left -= int64(n)
	c.out += int64(n)
	if c.left < 0 || c.packed != nil && c.out > freeBytes && c.out/maxRatio > c.packed.n {
		return 0, errTooLarge
	}
	return n, err
}
