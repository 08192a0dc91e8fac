package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

func (c *client) purge(ids ...string) answer {
	c.t.Helper()
	body := `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Header>` +
		`<urn:SessionHeader><urn:sessionId>` + c.token + `</urn:sessionId></urn:SessionHeader></soapenv:Header><soapenv:Body><urn:emptyRecycleBin>`
	for _, id := range ids {
		body += "<urn:ids>" + id + "</urn:ids>"
	}
	return c.send(http.MethodPost, "/services/Soap/u/66.0", body+`</urn:emptyRecycleBin></soapenv:Body></soapenv:Envelope>`,
		"SOAPAction", `""`, "Content-Type", "text/xml; charset=UTF-8")
}

func TestRecycleBin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t)
		id := org.Put("Case", map[string]any{"Subject": "S"})
		mail := org.Put("EmailMessage", map[string]any{"ParentId": id})
		live := org.Put("Lead", map[string]any{"LastName": "L", "Company": "C"})
		shown := func(resource, object string) int {
			a := c.send(http.MethodGet, "/"+resource+"?q=SELECT+COUNT()+FROM+"+object, "")
			var out struct{ TotalSize int }
			c.decode(a, &out)
			return out.TotalSize
		}
		c.send(http.MethodDelete, "/sobjects/Case/"+id, "").want(t, 204, "")
		if shown("query", "Case") != 0 || shown("queryAll", "Case") != 1 {
			t.Error("a deleted record is in queryAll only")
		}
		a := c.purge(id, live)
		if a.status != 200 || !strings.Contains(a.body, "<id>"+id+"</id><success>true</success>") ||
			!strings.Contains(a.body, "<statusCode>INVALID_ID_FIELD</statusCode></errors><id>"+live+"</id><success>false</success>") ||
			!strings.Contains(a.body, "<LimitInfoHeader><limitInfo><current>4</current><limit>15000</limit>") {
			t.Error(a.body)
		}
		if a.header.Get("Sforce-Limit-Info") != "" {
			t.Error("SOAP shows its usage in the envelope only")
		}
		if a := c.purge(id); !strings.Contains(a.body, "ENTITY_IS_DELETED") {
			t.Error(a.body)
		}
		time.Sleep(23 * time.Hour)
		c.signIn(org)
		if shown("queryAll", "Case") != 1 || shown("queryAll", "EmailMessage") != 1 {
			t.Error("a purged record stays in queryAll for a day")
		}
		time.Sleep(time.Hour)
		if shown("queryAll", "Case") != 0 || shown("queryAll", "EmailMessage") != 0 {
			t.Error("the lag is over")
		}
		if truth := org.Truth(); !truth.Records[id].Purged || !truth.Records[mail].Purged {
			t.Error("the truth does not know of the purge")
		}
	})
}

func TestRecycleBinExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t, func(o *emulator.Options) { o.RecycleLag = -1 })
		id := org.Put("Lead", map[string]any{"LastName": "L", "Company": "C"})
		c.send(http.MethodDelete, "/sobjects/Lead/"+id, "")
		time.Sleep(15 * 24 * time.Hour)
		if _, ok := org.Record("Lead", id); ok {
			t.Error("the bin keeps records for 15 days")
		}
	})
}

func TestSOAPFaults(t *testing.T) {
	org, c := calm(t)
	many := make([]string, 201)
	for i := range many {
		many[i] = fmt.Sprintf("0035g%010d", i)
	}
	expect := func(a answer, code string) {
		t.Helper()
		if a.status != 500 || !strings.Contains(a.body, "<faultcode>sf:"+code+"</faultcode>") {
			t.Errorf("%d %s, want %s", a.status, a.body, code)
		}
	}
	expect(c.purge(many...), "EXCEEDED_ID_LIMIT")
	org.InjectNext(emulator.FaultDaily, 1)
	expect(c.purge(many[0]), "REQUEST_LIMIT_EXCEEDED")
	org.ExpireSessions()
	expect(c.purge(many[0]), "INVALID_SESSION_ID")
	expect(c.send(http.MethodPost, "/services/Soap/u/66.0", "<a/>"), "MISSING_SOAPACTION")
	expect(c.send(http.MethodPost, "/services/Soap/u/20.0", "<a/>", "SOAPAction", `""`), "UNSUPPORTED_API_VERSION")
}
