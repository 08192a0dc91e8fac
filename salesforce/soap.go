package salesforce

import (
	"context"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// Namespaces of the partner API (wire reference, section 8).
const (
	nsEnvelope = "http://schemas.xmlsoap.org/soap/envelope/"
	nsPartner  = "urn:partner.soap.sforce.com"
)

// maxPurge is how many ids one SOAP call takes.
const maxPurge = 200

// ItemAnswer is what one id of a SOAP call gave. A nil Fault means success.
type ItemAnswer struct {
	ID     string
	Fault  *weir.Fault
	Detail pii.Secret // the org's message text
}

// EmptyRecycleBin purges up to 200 deleted records for good. There is no REST
// resource for it. Items have the order of ids; an item that the answer did
// not settle has the fault of the whole call.
func (c *Client) EmptyRecycleBin(ctx context.Context, ids []string) (Answer, []ItemAnswer) {
	items := make([]ItemAnswer, len(ids))
	valid := len(ids) > 0 && len(ids) <= maxPurge
	for i, id := range ids {
		items[i].ID = id
		valid = valid && recordID.MatchString(id)
	}
	if !valid {
		return failItems(c.refuse(CodeInvalidMutation, weir.Validation), items)
	}
	var readings []weir.Reading
	var settled bool
	k := call{
		method: http.MethodPost, path: "/services/Soap/u/" + c.version, mutates: true,
		header: map[string]string{"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": `""`, "Accept": "text/xml"},
		soap:   func(session pii.Secret) []byte { return purgeBody(session, ids) },
	}
	a := c.exchange(ctx, k, func(status int, h http.Header, s *scanner) error {
		text, err := s.rest(min(c.pageCap, 4<<20))
		if err != nil {
			return err
		}
		r := Response{Method: http.MethodPost, Status: status, Header: h, Body: text, At: c.now()}
		v := Classify(r)
		readings = v.Readings
		if v.Category != weir.Success && v.Category != weir.PartialFailure {
			return v.Fault()
		}
		if err := c.purgeResults(text, r, items); err != nil {
			return err
		}
		settled = true
		return nil
	})
	a.Readings = mergeReadings(a.Readings, readings)
	c.remember(readings)
	if !settled {
		return failItems(a, items)
	}
	return a, items
}

func failItems(a Answer, items []ItemAnswer) (Answer, []ItemAnswer) {
	for i := range items {
		fault := *a.Fault
		items[i].Fault = &fault
	}
	return a, items
}

// purgeBody writes the envelope. A token holds no character that XML would
// read as markup, but it comes from outside, so it is escaped.
func purgeBody(session pii.Secret, ids []string) []byte {
	var b []byte
	b = append(b, `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="`+nsEnvelope+`" xmlns:urn="`+nsPartner+`">`...)
	b = append(b, `<soapenv:Header><urn:SessionHeader><urn:sessionId>`...)
	b = appendXML(b, session.Reveal())
	b = append(b, `</urn:sessionId></urn:SessionHeader><urn:CallOptions><urn:client>weir</urn:client></urn:CallOptions></soapenv:Header>`...)
	b = append(b, `<soapenv:Body><urn:emptyRecycleBin>`...)
	for _, id := range ids {
		b = append(append(append(b, `<urn:ids>`...), id...), `</urn:ids>`...)
	}
	return append(b, `</urn:emptyRecycleBin></soapenv:Body></soapenv:Envelope>`...)
}

func appendXML(dst, s []byte) []byte {
	for _, c := range s {
		switch c {
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '&':
			dst = append(dst, "&amp;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// purgeResults reads the results, one for each id in order. Names are matched
// with their namespace, and a result that says something twice is refused.
func (c *Client) purgeResults(text []byte, r Response, items []ItemAnswer) error {
	root, err := parseXML(text)
	if err != nil {
		return errSyntax
	}
	body := root.only(nsEnvelope, "Body")
	response := body.only(nsPartner, "emptyRecycleBinResponse")
	if root.name != (xml.Name{Space: nsEnvelope, Local: "Envelope"}) || response == nil {
		return errSyntax
	}
	var results []*element
	for _, e := range response.children {
		if e.name == (xml.Name{Space: nsPartner, Local: "result"}) {
			results = append(results, e)
		}
	}
	if len(results) != len(items) {
		return mismatched()
	}
	for i, e := range results {
		id, success := e.only(nsPartner, "id"), e.only(nsPartner, "success")
		if success == nil {
			return errSyntax
		}
		if id != nil {
			if got := strings.TrimSpace(id.text); len(got) >= 15 && got[:15] != items[i].ID[:15] {
				return mismatched()
			}
		}
		if strings.TrimSpace(success.text) == "true" {
			continue
		}
		sub := envelope{kind: kindXML}
		e.walk(func(x *element) bool { return x == e || sub.addElement(x, r) })
		if len(sub.findings) == 0 {
			sub.findings = []finding{{code: "WEIR_NO_REASON_GIVEN"}}
		}
		v := judge(facts{status: r.Status, method: r.Method, kind: kindXML, mutates: true}, sub)
		items[i].Fault, items[i].Detail = v.Fault(), v.Detail
	}
	return nil
}

// mismatched says that results and ids do not line up after a mutation.
func mismatched() error {
	return ownFault(CodeMismatch, weir.UnknownOutcome, weir.EffectUnknown)
}

// only returns the one child of that name, or nil when there is none or more
// than one.
func (e *element) only(space, local string) *element {
	if e == nil {
		return nil
	}
	var found *element
	for _, c := range e.children {
		if c.name.Local == local && c.name.Space == space {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}
