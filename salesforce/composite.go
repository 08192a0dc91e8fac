package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/weirhq/weir"
)

// Limits of one composite call (wire reference, section 1.8).
const (
	maxSubrequests = 25
	maxQueries     = 5
)

// subrequest is one part of a composite call, which the org counts once.
type subrequest struct {
	method string
	url    []byte // may hold a query with a subject's values: it travels in the body
	header map[string]string
	body   []byte
}

// compositeBody writes the body of a composite call and clears the parts.
func compositeBody(subs []subrequest) []byte {
	size := 64
	for _, s := range subs {
		size += len(s.url) + len(s.body) + 600
	}
	b := make([]byte, 0, size)
	b = append(b, `{"allOrNone":false,"compositeRequest":[`...)
	for i, s := range subs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"method":"`...)
		b = append(append(b, s.method...), `","url":"`...)
		b = append(append(b, s.url...), `","referenceId":"`...) // escaped: it holds no quote
		b = append(append(b, reference(i)...), '"')
		if len(s.header) > 0 {
			header, err := json.Marshal(s.header)
			if err == nil { // a map of strings always encodes
				b = append(append(b, `,"httpHeaders":`...), header...)
			}
		}
		if s.body != nil {
			b = append(append(b, `,"body":`...), s.body...)
		}
		b = append(b, '}')
		clear(s.url)
		clear(s.body)
	}
	return append(b, `]}`...)
}

func reference(i int) string { return "r" + strconv.Itoa(i) }

// part is what an element of a composite answer says besides its body.
type part struct {
	status int
	header http.Header
}

// composite sends subrequests in one call. body is called for the body of each
// element while it streams by, in the order of the answer; settle is called
// once the element is complete and is known to belong to subrequest i.
func (c *Client) composite(ctx context.Context, k call, subs []subrequest, body func(i int, s *scanner) error, settle func(i int, p part)) Answer {
	k.method, k.path, k.body = http.MethodPost, c.data("/composite"), compositeBody(subs)
	if k.header == nil {
		k.header = map[string]string{}
	}
	k.header["Content-Type"] = "application/json"
	var inner []weir.Reading
	a := c.exchange(ctx, k, func(_ int, _ http.Header, s *scanner) error {
		found := false
		err := s.object(func(name string) error {
			if name != "compositeResponse" {
				return s.skip()
			}
			found = true
			n := 0
			err := s.array(func(i int) error {
				if n = i + 1; n > len(subs) {
					return errMismatch()
				}
				p, err := c.element(i, s, body)
				if err == nil {
					inner = mergeReadings(inner, ParseReadings(p.header, c.now()))
					settle(i, p)
				}
				return err
			})
			if err == nil && n != len(subs) {
				return errMismatch()
			}
			return err
		})
		if err == nil && !found {
			return errSyntax
		}
		return err
	})
	c.remember(inner)
	a.Readings = mergeReadings(a.Readings, inner)
	if a.Fault != nil && a.Fault.Code == CodeMismatch && k.mutates {
		a.Fault.Category, a.Fault.Effect = weir.UnknownOutcome, weir.EffectUnknown
	}
	return a
}

// errMismatch says that the answer does not line up with what was asked. The
// caller must drop everything that the call gave: rows could be another's.
func errMismatch() error {
	return ownFault(CodeMismatch, weir.PlatformFault, weir.EffectNone)
}

// element reads one element of a composite answer.
func (c *Client) element(i int, s *scanner, body func(int, *scanner) error) (part, error) {
	p := part{header: http.Header{}}
	var ref string
	var seen int
	err := s.object(func(name string) error {
		switch name {
		case "body":
			seen |= 1
			return body(i, s)
		case "httpStatusCode":
			seen |= 2
			return s.into(&p.status)
		case "referenceId":
			seen |= 4
			return s.into(&ref)
		case "httpHeaders":
			return elementHeaders(s, p.header)
		}
		return s.skip()
	})
	switch {
	case err != nil:
		return p, err
	case seen&6 != 6:
		return p, errSyntax
	case ref != reference(i):
		return p, errMismatch()
	}
	return p, nil
}

func elementHeaders(s *scanner, into http.Header) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != '{' {
		return s.skip()
	}
	return s.object(func(name string) error {
		v, err := s.value()
		if text, ok := textOf(v); ok {
			into.Add(name, text)
		}
		return err
	})
}

// subVerdict classifies the error body of one element.
func (c *Client) subVerdict(r Response, p part, tree any) Verdict {
	r.Status, r.Header, r.At = p.status, p.header, c.now()
	env := unwrapTree(tree)
	readings := mergeReadings(ParseReadings(p.header, r.At), env.readings)
	f := facts{
		status: p.status, method: r.Method, kind: env.kind, halted: r.Halted, seen: r.Seen,
		nearLimit: nearLimit(readings, c.lastUsage()), mutates: mutating(r), many: r.Composite,
	}
	v := judge(f, env)
	v.Readings, v.RetryAfter = readings, waitOf(readings)
	return v
}

// objectPath writes the path of a record or of an object's resource.
func (c *Client) objectPath(parts ...string) []byte {
	return fmt.Appendf(nil, "%s/%s", c.data("/sobjects"), strings.Join(parts, "/"))
}
