package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// ReportSchema names the document that Report marshals to.
const ReportSchema = "weir.classify/v1"

// maxFixture bounds the file that ClassifyFixture reads.
const maxFixture = 64 << 20

// Report says what one recorded response means.
type Report struct {
	Schema     string                `json:"schema"`
	Category   weir.Category         `json:"category"`
	Operator   weir.OperatorCategory `json:"operator_category"`
	Scope      weir.Scope            `json:"scope"`
	Retryable  bool                  `json:"retryable"`
	Code       string                `json:"code"`
	Effect     weir.Effect           `json:"effect"`
	RetryAfter float64               `json:"retry_after_seconds,omitempty"`
	Fields     []string              `json:"fields,omitempty"`
	Elements   []weir.Category       `json:"elements,omitempty"`
	Readings   []ReportReading       `json:"readings"`
}

// ReportReading is a weir.Reading whose time is left out when the recorded
// response does not state one.
type ReportReading struct {
	Kind    weir.ReadingKind `json:"kind"`
	Name    string           `json:"name"`
	App     string           `json:"app,omitempty"`
	Used    int64            `json:"used"`
	Limit   int64            `json:"limit,omitempty"`
	At      time.Time        `json:"at,omitzero"`
	Source  string           `json:"source"`
	Clamped bool             `json:"clamped,omitempty"`
}

// fixture is one recorded response. Other members of the file are ignored.
type fixture struct {
	Status  *int                       `json:"status"`
	Headers map[string]json.RawMessage `json:"headers"`
	Body    json.RawMessage            `json:"body"`
	Request struct {
		Method string `json:"method"`
		Path   string `json:"path"`
		URL    string `json:"url"`
	} `json:"request"`
}

// ClassifyFixture reads one recorded response, a JSON document with status,
// headers, body and optionally request, and says what it means. Errors tell
// line and column. A Retry-After date is resolved against the response's own
// Date header or, without one, against the present.
func ClassifyFixture(r io.Reader) (Report, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFixture+1))
	if err != nil {
		return Report{}, fmt.Errorf("read the response: %w", err)
	}
	if len(text) > maxFixture {
		return Report{}, fmt.Errorf("read the response: %w", errTooLarge)
	}
	var f fixture
	if err := decodeFixture(text, &f); err != nil {
		return Report{}, err
	}
	resp, err := f.response()
	if err != nil {
		return Report{}, err
	}
	stated := !resp.At.IsZero()
	if !stated {
		resp.At = time.Now()
	}
	v := Classify(resp)
	report := Report{
		Schema: ReportSchema, Category: v.Category, Operator: v.Operator, Scope: v.Scope, Retryable: v.Retryable,
		Code: v.Code, Effect: v.Effect, RetryAfter: v.RetryAfter.Seconds(), Fields: v.Fields, Elements: v.Elements,
		Readings: []ReportReading{},
	}
	for _, reading := range v.Readings {
		if !stated {
			reading.At = time.Time{}
		}
		report.Readings = append(report.Readings, ReportReading(reading))
	}
	return report, nil
}

// decodeFixture decodes exactly one JSON object.
func decodeFixture(text []byte, f *fixture) error {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(text))
	err := d.Decode(f)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: not valid JSON: %s", position(text, syntax.Offset), syntax.Error())
	case errors.As(err, &kind):
		return fmt.Errorf("%s: %s must be %s, not %s", position(text, kind.Offset), kind.Field, kind.Type, kind.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the JSON document ends early", position(text, int64(len(text))))
	case err != nil:
		return fmt.Errorf("decode the response: %w", err)
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		at := bytes.LastIndex(text, rest)
		return fmt.Errorf("%s: text after the JSON document", position(text, int64(at+1)))
	}
	if f.Status == nil {
		return fmt.Errorf("%s: status is missing", position(text, 1))
	}
	if *f.Status < 0 || *f.Status > 999 {
		return fmt.Errorf("%s: status %d is not an HTTP status", memberPosition(text, "status"), *f.Status)
	}
	return nil
}

// position turns the offset just behind a byte into line:column, both from 1.
func position(text []byte, offset int64) string {
	before := text[:min(max(offset-1, 0), int64(len(text)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("%d:%d", line, column)
}

func memberPosition(text []byte, name string) string {
	return position(text, int64(max(bytes.Index(text, []byte(`"`+name+`"`)), 0)+1))
}

func (f fixture) response() (Response, error) {
	out := Response{Method: f.Request.Method, Path: f.Request.Path, Status: *f.Status, Header: http.Header{}}
	if out.Path == "" && f.Request.URL != "" {
		u, err := url.Parse(f.Request.URL)
		if err != nil {
			return out, errors.New("request.url is not a URL")
		}
		out.Path = u.Path
	}
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		values, err := headerValues(f.Headers[name])
		if err != nil {
			return out, fmt.Errorf("headers: %s: %w", name, err)
		}
		out.Header[name] = values
		if strings.EqualFold(name, "Date") && len(values) > 0 {
			if at, err := http.ParseTime(values[0]); err == nil {
				out.At = at
			}
		}
	}
	body, err := bodyBytes(f.Body)
	out.Body = body
	return out, err
}

// headerValues accepts a string, a number, or a list of strings.
func headerValues(raw json.RawMessage) ([]string, error) {
	v, err := scanBytes(raw).value()
	if err != nil {
		return nil, err
	}
	if text, ok := textOf(v); ok {
		return []string{text}, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New("must be a string or a list of strings")
	}
	var out []string
	for _, e := range list {
		text, ok := textOf(e)
		if !ok {
			return nil, errors.New("must be a string or a list of strings")
		}
		out = append(out, text)
	}
	return out, nil
}

// bodyBytes accepts the body as a string, which is how it is recorded, or
// written out as JSON.
func bodyBytes(raw json.RawMessage) ([]byte, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case raw[0] != '"':
		return raw, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return []byte(s), nil
}
