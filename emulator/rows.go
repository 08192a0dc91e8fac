package emulator

import (
	"net/http"
	"net/url"
	"strings"
)

// row answers /sobjects/{object}/{id}.
func (x *exec) row(method string, r route, query url.Values, body []byte) *reply {
	switch method {
	case http.MethodGet:
		return x.getRow(r, query)
	case http.MethodPatch:
		return x.patchRow(r, body)
	case http.MethodDelete:
		return x.deleteRow(r)
	default:
		return methodNotAllowed(method, "GET,PATCH,DELETE")
	}
}

func (x *exec) getRow(r route, query url.Values) *reply {
	ob, rec, err := x.live(r.object, r.id)
	if err != nil {
		return err.reply()
	}
	fields := ob.fields
	if names := query.Get("fields"); names != "" {
		if fields, err = ob.pick(strings.Split(names, ",")); err != nil {
			return err.reply()
		}
	}
	if stop := x.preconditions(http.MethodGet, rec); stop != nil {
		return stop
	}
	out := rawReply(http.StatusOK, jsonType, x.appendRow(nil, rec, fields))
	out.header.Set("Last-Modified", rec.modified.Format(http.TimeFormat))
	if x.tags(ob) {
		out.header.Set("ETag", x.etag(rec))
	}
	return out
}

// pick finds fields by name. Id is always among them.
func (ob *object) pick(names []string) ([]*field, *apiError) {
	out := make([]*field, 0, len(names)+1)
	hasID := false
	for _, name := range names {
		f := ob.field(strings.TrimSpace(name))
		if f == nil {
			return nil, failure(400, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+ob.name)
		}
		hasID = hasID || f.name == "Id"
		out = append(out, f)
	}
	if !hasID {
		out = append(out, ob.field("Id"))
	}
	return out, nil
}

func (x *exec) patchRow(r route, body []byte) *reply {
	_, rec, err := x.live(r.object, r.id)
	if err != nil {
		return err.reply()
	}
	raw, err := parseFields(body)
	if err != nil {
		return err.reply()
	}
	x.meddle(rec)
	if stop := x.preconditions(http.MethodPatch, rec); stop != nil {
		return stop
	}
	if err := x.update(rec, raw); err != nil {
		return err.reply()
	}
	return emptyReply(http.StatusNoContent) // without an ETag
}

// deleteRow knows no conditions: whoever wants them must compare beforehand.
func (x *exec) deleteRow(r route) *reply {
	_, rec, err := x.live(r.object, r.id)
	if err != nil {
		return err.reply()
	}
	if err := x.remove(rec); err != nil {
		return err.reply()
	}
	return emptyReply(http.StatusNoContent)
}

// createRow answers POST /sobjects/{object}.
func (x *exec) createRow(objectName string, body []byte) *reply {
	ob := x.org.object(objectName)
	if ob == nil {
		return notFound().reply()
	}
	raw, err := parseFields(body)
	if err != nil {
		return err.reply()
	}
	rec, err := x.create(ob, raw)
	if err != nil {
		return err.reply()
	}
	out := jsonReply(http.StatusCreated, itemResult{ID: rec.id, Success: true, Errors: []dmlError{}})
	out.header.Set("Location", x.rowURL(rec))
	return out
}

func (x *exec) rowURL(r *record) string {
	return "/services/data/v" + x.version + "/sobjects/" + r.object.name + "/" + r.id
}

// appendRow writes a record as JSON, with its attributes in front.
func (x *exec) appendRow(b []byte, r *record, fields []*field) []byte {
	b = x.appendAttributes(append(b, '{'), r)
	for _, f := range fields {
		b = append(b, ',')
		b = appendString(b, f.name)
		b = append(b, ':')
		b = appendValue(b, f.of(r))
	}
	return append(b, '}')
}

func (x *exec) appendAttributes(b []byte, r *record) []byte {
	r.shown = r.version
	b = append(b, `"attributes":{"type":"`...)
	b = append(b, r.object.name...)
	b = append(b, `","url":"`...)
	b = append(b, x.rowURL(r)...)
	return append(b, `"}`...)
}
