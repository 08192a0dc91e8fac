package emulator

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// envelope is what the emulator understands of a partner SOAP call.
type envelope struct {
	Session string `xml:"Header>SessionHeader>sessionId"`
	Purge   *struct {
		IDs []string `xml:"ids"`
	} `xml:"Body>emptyRecycleBin"`
	Clock *struct{} `xml:"Body>getServerTimestamp"`
}

// soapIDs counts the records that a SOAP call may change.
func soapIDs(body []byte) int {
	var in envelope
	if xml.Unmarshal(body, &in) != nil || in.Purge == nil {
		return 0
	}
	return len(in.Purge.IDs)
}

// soap answers the partner API. Every fault is HTTP 500, those of session and
// allocation included.
func (o *Org) soap(c *call, now time.Time) *reply {
	if c.in.method != http.MethodPost {
		return rawReply(http.StatusMethodNotAllowed, htmlType, []byte("<html><body>POST only</body></html>"))
	}
	if err := o.checkVersion(c.route.version); err != nil {
		return fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
	}
	if _, given := c.in.header["Soapaction"]; !given {
		return fault("MISSING_SOAPACTION", "SOAPAction HTTP header missing")
	}
	var in envelope
	if err := xml.Unmarshal(c.in.body, &in); err != nil {
		return fault("INVALID_SOAP_HEADER", "cannot read the envelope")
	}
	if err := o.admit(c, strings.TrimSpace(in.Session), 1, now); err != nil {
		message := err.message
		if err.code == "INVALID_SESSION_ID" {
			message = "Invalid Session ID found in SessionHeader: Illegal Session"
		}
		return fault(err.code, message)
	}
	x := &exec{org: o, call: c, now: now, version: c.route.version, header: c.in.header, tx: &txn{}}
	switch {
	case in.Purge != nil:
		return x.emptyRecycleBin(in.Purge.IDs)
	case in.Clock != nil:
		return x.envelope("getServerTimestampResponse", "<result><timestamp>"+now.Format("2006-01-02T15:04:05.000Z")+"</timestamp></result>")
	default:
		return fault("INVALID_OPERATION", "No operation available for request")
	}
}

// emptyRecycleBin purges up to 200 deleted records. Each id has its own result;
// nothing but too many ids fails the call as a whole.
func (x *exec) emptyRecycleBin(ids []string) *reply {
	if len(ids) > maxCollection {
		return fault("EXCEEDED_ID_LIMIT", "too many Ids in request, must be 200 or less")
	}
	x.call.entry.Parts = len(ids)
	var b strings.Builder
	for _, id := range ids {
		id = strings.TrimSpace(id)
		err := refusal("MALFORMED_ID", "malformed id "+id)
		if short, ok := shortID(id); ok {
			err = refusal("INVALID_ID_FIELD", "invalid record id")
			if ob := x.org.byPrefix(short[:3]); ob != nil {
				here := x.tx.mark()
				if err = x.purge(ob, id); err != nil {
					x.tx.back(here)
				}
			}
		}
		b.WriteString("<result>")
		if err != nil {
			b.WriteString("<errors><message>" + escapeXML(err.message) + "</message><statusCode>" + err.code + "</statusCode></errors>")
		}
		fmt.Fprintf(&b, "<id>%s</id><success>%t</success></result>", escapeXML(id), err == nil)
	}
	x.org.commit(x.tx)
	return x.envelope("emptyRecycleBinResponse", b.String())
}

const soapOpen = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"`

// envelope wraps a result. The usage stands in a SOAP header, never in an HTTP
// one.
func (x *exec) envelope(response, result string) *reply {
	o, limits := x.org, x.org.options.Limits
	info := fmt.Sprintf("<limitInfo><current>%d</current><limit>%d</limit><type>API REQUESTS</type></limitInfo>",
		o.org.reported(x.now, limits.CounterLag), limits.DailyAPI)
	if limits.AppDaily > 0 {
		info += fmt.Sprintf("<limitInfo><appName>%s</appName><current>%d</current><limit>%d</limit><type>API REQUESTS PER APP</type></limitInfo>",
			escapeXML(limits.AppName), o.own.reported(x.now, limits.CounterLag), limits.AppDaily)
	}
	return rawReply(http.StatusOK, soapType, []byte(soapOpen+` xmlns="urn:partner.soap.sforce.com">`+
		`<soapenv:Header><LimitInfoHeader>`+info+`</LimitInfoHeader></soapenv:Header>`+
		`<soapenv:Body><`+response+`>`+result+`</`+response+`></soapenv:Body></soapenv:Envelope>`))
}

func fault(code, message string) *reply {
	return rawReply(http.StatusInternalServerError, soapType, []byte(soapOpen+` xmlns:sf="urn:fault.partner.soap.sforce.com">`+
		`<soapenv:Body><soapenv:Fault><faultcode>sf:`+code+`</faultcode><faultstring>`+code+`: `+escapeXML(message)+
		`</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`))
}

func escapeXML(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
