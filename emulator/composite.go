package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const (
	maxParts   = 25 // subrequests of a composite or a batch
	maxQueries = 5  // of them, queries and collections
)

// compositeBody is a composite or a batch, taken apart.
type compositeBody struct {
	allOrNone   bool
	haltOnError bool
	requests    []subrequest
	err         *apiError // why the whole of it is refused
}

type subrequest struct {
	method    string
	route     route
	query     url.Values
	body      []byte
	header    http.Header
	reference string
}

type compositeJSON struct {
	AllOrNone        bool `json:"allOrNone"`
	HaltOnError      bool `json:"haltOnError"`
	CompositeRequest []struct {
		Method      string            `json:"method"`
		URL         string            `json:"url"`
		ReferenceID string            `json:"referenceId"`
		Body        json.RawMessage   `json:"body"`
		HTTPHeaders map[string]string `json:"httpHeaders"`
	} `json:"compositeRequest"`
	BatchRequests []struct {
		Method    string          `json:"method"`
		URL       string          `json:"url"`
		RichInput json.RawMessage `json:"richInput"`
	} `json:"batchRequests"`
}

var referenceForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// parseComposite reads the body of /composite or /composite/batch.
func parseComposite(kind string, body []byte) *compositeBody {
	var in compositeJSON
	if err := json.Unmarshal(body, &in); err != nil {
		return &compositeBody{err: failure(400, "JSON_PARSER_ERROR", "Unexpected character: was expecting a list of subrequests")}
	}
	out := &compositeBody{allOrNone: in.AllOrNone, haltOnError: in.HaltOnError}
	for _, s := range in.CompositeRequest {
		header := make(http.Header, len(s.HTTPHeaders))
		for name, value := range s.HTTPHeaders {
			header.Set(name, value)
		}
		out.add(s.Method, s.URL, s.Body, header, s.ReferenceID)
	}
	for _, s := range in.BatchRequests {
		out.add(s.Method, "/services/data/"+strings.TrimPrefix(s.URL, "/"), s.RichInput, make(http.Header), "")
	}
	if out.err == nil {
		out.err = out.limits(kind)
	}
	return out
}

func (b *compositeBody) add(method, address string, body []byte, header http.Header, reference string) {
	u, err := url.Parse(address)
	if err != nil {
		b.err = failure(400, "INVALID_INPUT", "Invalid URL in subrequest "+reference)
		return
	}
	b.requests = append(b.requests, subrequest{
		method: strings.ToUpper(method), route: splitRoute(u.EscapedPath()), query: u.Query(),
		body: body, header: header, reference: reference,
	})
}

// limits refuses a composite as a whole.
func (b *compositeBody) limits(kind string) *apiError {
	if len(b.requests) == 0 {
		return failure(400, "INVALID_INPUT", "The request holds no subrequests")
	}
	if len(b.requests) > maxParts {
		return failure(400, "INVALID_INPUT", "Cannot process more than 25 subrequests in one call")
	}
	for _, s := range b.requests {
		switch s.route.kind {
		case kindComposite, kindBatch, kindSOAP, kindToken, kindVersions:
			return failure(400, "INVALID_INPUT", "The subrequest is not supported in a composite request")
		}
	}
	if kind == kindBatch {
		return nil
	}
	queries, seen := 0, make(map[string]bool)
	for _, s := range b.requests {
		if !referenceForm.MatchString(s.reference) {
			return failure(400, "INVALID_INPUT", "Provided referenceId ('"+s.reference+"') must start with a letter and hold letters, digits and underscores only")
		}
		if seen[s.reference] {
			return failure(400, "INVALID_INPUT", "Duplicate ReferenceId provided")
		}
		seen[s.reference] = true
		switch s.route.kind {
		case kindQuery, kindPage, kindCollections:
			queries++
		}
	}
	if queries > maxQueries {
		return failure(400, "INVALID_INPUT", "Cannot process more than 5 query and collection subrequests in one call")
	}
	return nil
}

// part carries out one subrequest. Headers of the whole call that speak of
// behaviour hold for its parts; conditions do not.
func (x *exec) part(s subrequest) *reply {
	header := s.header.Clone()
	for name, values := range x.header {
		if strings.HasPrefix(name, "Sforce-") && header.Get(name) == "" {
			header[name] = values
		}
	}
	y := *x
	y.header, y.composite, y.version = header, true, s.route.version
	if err := x.org.checkVersion(s.route.version); err != nil {
		return err.reply()
	}
	here := x.tx.mark()
	r := y.dispatch(s.method, s.route, s.query, s.body)
	if r.status >= http.StatusBadRequest {
		x.tx.back(here)
	}
	return r
}

type compositeResult struct {
	Body    json.RawMessage   `json:"body"`
	Headers map[string]string `json:"httpHeaders"`
	Status  int               `json:"httpStatusCode"`
	Ref     string            `json:"referenceId"`
}

// runComposite answers /composite: one call, 200, and a status per part.
func (x *exec) runComposite() *reply {
	in := x.call.parsed
	if in.err != nil {
		return in.err.reply()
	}
	x.call.entry.Parts = len(in.requests)
	start := x.tx.mark()
	results, failed := make([]compositeResult, len(in.requests)), -1
	for i, s := range in.requests {
		if failed >= 0 && in.allOrNone {
			break
		}
		r := x.part(s)
		results[i] = compositeResult{Body: bodyOrNull(r.body), Headers: partHeaders(r.header), Status: r.status, Ref: s.reference}
		if r.status >= http.StatusBadRequest && failed < 0 {
			failed = i
		}
	}
	if failed >= 0 && in.allOrNone {
		x.tx.back(start)
		halted := refusal("PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.")
		halted.dml = false
		for i, s := range in.requests {
			if i != failed {
				results[i] = compositeResult{Body: halted.reply().body, Headers: map[string]string{}, Status: 400, Ref: s.reference}
			}
		}
	}
	return jsonReply(http.StatusOK, struct {
		CompositeResponse []compositeResult `json:"compositeResponse"`
	}{results})
}

func bodyOrNull(b []byte) json.RawMessage {
	if b = bytes.TrimSpace(b); len(b) == 0 {
		return json.RawMessage("null")
	}
	return b
}

func partHeaders(h http.Header) map[string]string {
	out := make(map[string]string)
	for _, name := range []string{"ETag", "Last-Modified", "Location", "Allow"} {
		if v := h.Get(name); v != "" {
			out[name] = v
		}
	}
	return out
}

// runBatch answers /composite/batch: independent parts, each of them a call
// against the allocation.
func (x *exec) runBatch() *reply {
	in := x.call.parsed
	if in.err != nil {
		return in.err.reply()
	}
	x.call.entry.Parts = len(in.requests)
	type result struct {
		StatusCode int             `json:"statusCode"`
		Result     json.RawMessage `json:"result"`
	}
	out := struct {
		HasErrors bool     `json:"hasErrors"`
		Results   []result `json:"results"`
	}{}
	for _, s := range in.requests {
		if out.HasErrors && in.haltOnError {
			halted := failure(http.StatusPreconditionFailed, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")
			out.Results = append(out.Results, result{halted.status, halted.reply().body})
			continue
		}
		r := x.part(s)
		out.HasErrors = out.HasErrors || r.status >= http.StatusBadRequest
		out.Results = append(out.Results, result{r.status, bodyOrNull(r.body)})
	}
	return jsonReply(http.StatusOK, out)
}
