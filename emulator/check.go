package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// parseFields reads the JSON object of a write.
func parseFields(body []byte) (rawFields, *apiError) {
	var raw rawFields
	if err := json.Unmarshal(body, &raw); err != nil || raw == nil {
		return nil, failure(400, "JSON_PARSER_ERROR", "Unexpected character: was expecting a JSON object at [line:1, column:1]")
	}
	return raw, nil
}

// convert checks names and types and normalises values, by field name.
func (x *exec) convert(ob *object, raw rawFields, creating bool) (map[string]any, *apiError) {
	out := make(map[string]any, len(raw))
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if lower(name) == "attributes" {
			continue
		}
		f := ob.field(name)
		if f == nil {
			e := failure(400, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+ob.name)
			return nil, e
		}
		if f.name == "Id" && !creating {
			return nil, failure(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
		}
		if f.readOnly || f.calculated || f.fixed && !creating {
			return nil, refusal("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: "+f.name+
				". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", f.name)
		}
		var value any
		if err := json.Unmarshal(raw[name], &value); err != nil {
			return nil, failure(400, "JSON_PARSER_ERROR", "Unexpected character in field "+f.name)
		}
		normal, err := f.normalise(value)
		if err != nil {
			return nil, err
		}
		out[f.name] = normal
	}
	return out, nil
}

// normalise brings a JSON value to what is stored: text is trimmed, an empty
// one is null, e-mail addresses lose their capitals.
func (f *field) normalise(value any) (any, *apiError) {
	wrong := failure(400, "JSON_PARSER_ERROR", fmt.Sprintf("Cannot deserialize instance of %s from value of field %s", f.kind, f.name))
	if value == nil {
		if f.kind == typeBoolean {
			return nil, refusal("INVALID_TYPE_ON_FIELD_IN_RECORD", f.label+": value not of required type: null", f.name)
		}
		return nil, nil
	}
	switch f.kind {
	case typeBoolean:
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, wrong
	case typeDouble, typeCurrency:
		if n, ok := value.(float64); ok {
			return n, nil
		}
		return nil, wrong
	}
	s, ok := value.(string)
	if !ok {
		return nil, wrong
	}
	s = strings.TrimSpace(s)
	switch f.kind {
	case typeEmail:
		s = strings.ToLower(s)
	case typeDate:
		if _, err := time.Parse(time.DateOnly, s); err != nil && s != "" {
			return nil, wrong
		}
	case typeDateTime:
		if s == "" {
			return nil, nil
		}
		for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999-0700"} {
			if at, err := time.Parse(form, s); err == nil {
				return at.UTC(), nil
			}
		}
		return nil, wrong
	}
	return orNil(s), nil
}

// emailForm is as loose as the platform's own check is known to be: something,
// an at sign, a dotted host.
var emailForm = regexp.MustCompile(`^[^\s@<>(),;:"\[\]]+@[^\s@.<>(),;:"\[\]]+(\.[^\s@.<>(),;:"\[\]]+)+$`)

// check asks every rule about the record as it would become.
func (x *exec) check(r *record, changes map[string]any, creating bool) *apiError {
	var missing []string
	for _, f := range r.object.fields {
		_, given := changes[f.name]
		if f.required && !f.readOnly && (given || creating) && r.values[f.name] == nil {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return refusal("REQUIRED_FIELD_MISSING", "Required fields are missing: ["+strings.Join(missing, ", ")+"]", missing...)
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		f := r.object.field(name)
		if s, ok := changes[name].(string); ok {
			if err := x.checkText(r, f, s); err != nil {
				return err
			}
		}
	}
	for _, rule := range r.object.rules {
		if err := rule(r); err != nil {
			return err
		}
	}
	return x.checkDuplicates(r, changes)
}

func (x *exec) checkText(r *record, f *field, s string) *apiError {
	if f.length > 0 && utf8.RuneCountInString(s) > f.length {
		return refusal("STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.label, s, f.length), f.name)
	}
	switch {
	case f.kind == typeEmail && !emailForm.MatchString(s):
		return refusal("INVALID_EMAIL_ADDRESS", f.label+": invalid email address: "+s, f.name)
	case f.restricted && !slices.Contains(f.picklist, s):
		return refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f.label+": bad value for restricted picklist field: "+s, f.name)
	case f.kind == typeReference:
		return x.checkReference(f, s)
	case f.unique:
		for _, other := range r.object.rows {
			if other.id != r.id && !other.deleted() && strings.EqualFold(other.str(f.name), s) {
				return refusal("DUPLICATE_VALUE", "duplicate value found: "+f.name+" duplicates value on record with id: "+other.id, f.name)
			}
		}
	}
	return nil
}

func (x *exec) checkReference(f *field, id string) *apiError {
	short, ok := shortID(id)
	if !ok {
		return refusal("MALFORMED_ID", f.label+": id value of incorrect type: "+id, f.name)
	}
	for _, name := range f.refs {
		ob := x.org.objects[lower(name)]
		if ob != nil && strings.HasPrefix(short, ob.prefix) {
			if t := ob.byID[short]; t == nil || t.deleted() {
				return refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", f.name)
			}
			return nil
		}
	}
	return refusal("FIELD_INTEGRITY_EXCEPTION", f.label+": id value of incorrect type: "+id, f.name)
}

// checkDuplicates is the org's duplicate rule: no two contacts with one e-mail
// address, unless the caller saves all the same. The text is an admin's.
func (x *exec) checkDuplicates(r *record, changes map[string]any) *apiError {
	address, ok := changes["Email"].(string)
	if r.object.name != "Contact" || !ok || allowsDuplicates(x.header.Get("Sforce-Duplicate-Rule-Header")) {
		return nil
	}
	for _, other := range r.object.rows {
		if other.id != r.id && !other.deleted() && strings.EqualFold(other.str("Email"), address) {
			return refusal("DUPLICATES_DETECTED", "Use one of these records?")
		}
	}
	return nil
}

func allowsDuplicates(header string) bool {
	for part := range strings.FieldsFuncSeq(header, func(c rune) bool { return c == ';' || c == ',' }) {
		name, value, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(name), "allowSave") && strings.EqualFold(strings.TrimSpace(value), "true") {
			return true
		}
	}
	return false
}
