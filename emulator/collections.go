package emulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	maxCollection = 200   // records of one write
	maxRetrieve   = 2_000 // ids of one read
	maxChunks     = 10    // runs of one type in a write
)

// itemResult is the fate of one record of a collection.
type itemResult struct {
	ID      string     `json:"id,omitempty"`
	Success bool       `json:"success"`
	Errors  []dmlError `json:"errors"`
}

// collectionBody is what a write of several records carries.
type collectionBody struct {
	AllOrNone bool        `json:"allOrNone"`
	Records   []rawFields `json:"records"`
}

// collections answers /composite/sobjects.
func (x *exec) collections(method string, r route, query url.Values, body []byte) *reply {
	if r.object != "" {
		return x.retrieve(method, r.object, query, body)
	}
	switch method {
	case http.MethodDelete:
		ids := splitIDs(query.Get("ids"))
		return x.each(len(ids), query.Get("allOrNone") == "true", func(i int) (string, *apiError) {
			return ids[i], x.removeByID(ids[i])
		})
	case http.MethodPatch, http.MethodPost:
		var in collectionBody
		if err := json.Unmarshal(body, &in); err != nil {
			return failure(400, "JSON_PARSER_ERROR", "Unexpected character: was expecting a collection of records").reply()
		}
		if chunks(in.Records) > maxChunks {
			return failure(400, "INVALID_INPUT", "Cannot include more than 10 chunks of object types in one call").reply()
		}
		return x.each(len(in.Records), in.AllOrNone, func(i int) (string, *apiError) {
			if method == http.MethodPost {
				return x.createItem(in.Records[i])
			}
			return x.updateItem(in.Records[i])
		})
	default:
		return methodNotAllowed(method, "POST,PATCH,DELETE")
	}
}

func splitIDs(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// each carries out a write per record. The answer is 200 whatever befalls them.
func (x *exec) each(n int, allOrNone bool, write func(int) (string, *apiError)) *reply {
	if n == 0 {
		return failure(400, "INVALID_INPUT", "The request holds no records").reply()
	}
	if n > maxCollection {
		return failure(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call").reply()
	}
	if !x.composite {
		x.call.entry.Parts = n
	}
	start := x.tx.mark()
	results, failed := make([]itemResult, n), false
	var thrown *apiError // by a trigger, which runs once for all
	for i := range results {
		here := x.tx.mark()
		id, err := write(i)
		if err != nil {
			x.tx.back(here)
			results[i] = itemResult{Errors: err.item()}
			failed = true
			if err.code == triggerFailed {
				thrown = err
			}
			continue
		}
		results[i] = itemResult{ID: id, Success: true, Errors: []dmlError{}}
	}
	if thrown != nil {
		x.tx.back(start)
		for i := range results {
			results[i] = itemResult{Errors: thrown.item()}
		}
	}
	if allOrNone && failed {
		x.tx.back(start)
		for i := range results {
			if results[i].Success {
				results[i] = itemResult{Errors: []dmlError{{
					StatusCode: "ALL_OR_NONE_OPERATION_ROLLED_BACK", Fields: []string{},
					Message: "Record rolled back because not all records were valid and the request was using AllOrNone header",
				}}}
			}
		}
	}
	return jsonReply(http.StatusOK, results)
}

func (x *exec) removeByID(id string) *apiError {
	short, ok := shortID(id)
	if !ok {
		return refusal("MALFORMED_ID", "malformed id "+id)
	}
	ob := x.org.byPrefix(short[:3])
	if ob == nil {
		return refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	}
	_, rec, err := x.live(ob.name, id)
	if err != nil {
		if err.code == "NOT_FOUND" {
			return refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
		}
		return err
	}
	return x.remove(rec)
}

// itemType reads the attributes of one record of a collection.
func itemType(raw rawFields) string {
	var attributes struct{ Type string }
	if json.Unmarshal(raw["attributes"], &attributes) != nil {
		return ""
	}
	return attributes.Type
}

func (x *exec) updateItem(raw rawFields) (string, *apiError) {
	fields, id := make(rawFields, len(raw)), ""
	for name, value := range raw {
		if lower(name) != "id" {
			fields[name] = value
		} else if json.Unmarshal(value, &id) != nil {
			return "", refusal("MALFORMED_ID", "malformed id", "Id")
		}
	}
	if id == "" {
		return "", refusal("MISSING_ARGUMENT", "Id not specified in an update call")
	}
	_, rec, err := x.live(itemType(raw), id)
	if err != nil {
		if err.code == "NOT_FOUND" {
			return "", refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
		}
		return "", err
	}
	x.meddle(rec)
	return rec.id, x.update(rec, fields)
}

func (x *exec) createItem(raw rawFields) (string, *apiError) {
	ob := x.org.object(itemType(raw))
	if ob == nil {
		return "", refusal("INVALID_TYPE", "sObject type '"+itemType(raw)+"' is not supported.")
	}
	rec, err := x.create(ob, raw)
	if err != nil {
		return "", err
	}
	return rec.id, nil
}

// chunks counts runs of records of one type.
func chunks(records []rawFields) int {
	n, last := 0, ""
	for _, raw := range records {
		if t := itemType(raw); t != last || n == 0 {
			n, last = n+1, t
		}
	}
	return n
}

// retrieve reads many records of one object; null stands for one that is not
// there.
func (x *exec) retrieve(method, objectName string, query url.Values, body []byte) *reply {
	var in struct{ IDs, Fields []string }
	switch method {
	case http.MethodGet:
		in.IDs, in.Fields = splitIDs(query.Get("ids")), splitIDs(query.Get("fields"))
	case http.MethodPost:
		if err := json.Unmarshal(body, &in); err != nil {
			return failure(400, "JSON_PARSER_ERROR", "Unexpected character: was expecting ids and fields").reply()
		}
	default:
		return methodNotAllowed(method, "GET,POST")
	}
	ob := x.org.object(objectName)
	if ob == nil {
		return notFound().reply()
	}
	if len(in.IDs) == 0 || len(in.Fields) == 0 {
		return failure(400, "INVALID_INPUT", "The request holds no ids or no fields").reply()
	}
	if len(in.IDs) > maxRetrieve {
		return failure(400, "EXCEEDED_ID_LIMIT", "too many ids").reply()
	}
	fields, err := ob.pick(in.Fields)
	if err != nil {
		return err.reply()
	}
	b := []byte{'['}
	for i, id := range in.IDs {
		if i > 0 {
			b = append(b, ',')
		}
		if r := x.org.find(ob, id, x.now); r != nil && !r.deleted() {
			b = x.appendRow(b, r, fields)
		} else {
			b = append(b, "null"...)
		}
	}
	return rawReply(http.StatusOK, jsonType, append(b, ']'))
}

// collectionSize counts what a write of several records may change.
func collectionSize(method string, query url.Values, body []byte, objects map[string]bool) int {
	if method == http.MethodDelete {
		return len(splitIDs(query.Get("ids")))
	}
	var in collectionBody
	if json.Unmarshal(body, &in) != nil {
		return 0
	}
	for _, raw := range in.Records {
		if t := itemType(raw); t != "" && !slices.Contains([]string{"id", "attributes"}, t) {
			objects[t] = true
		}
	}
	return len(in.Records)
}
