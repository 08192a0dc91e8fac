package emulator_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/emulator"
)

// library is a small org whose records have names of their own in the tests.
func library(t *testing.T) (*client, map[string]string) {
	org, c := calm(t)
	names := map[string]string{}
	put := func(name, object string, fields map[string]any) {
		for k, v := range fields {
			if s, ok := v.(string); ok && strings.HasPrefix(s, "#") {
				fields[k] = names[s[1:]]
			}
		}
		names[name] = org.Put(object, fields)
	}
	put("acme", "Account", map[string]any{"Name": "Acme"})
	put("ann", "Contact", map[string]any{"FirstName": "Ann", "LastName": "O'Neil", "Email": "Ann@Example.com", "AccountId": "#acme", "Birthdate": "1980-05-01"})
	put("bob", "Contact", map[string]any{"FirstName": "Bob", "LastName": "100%_\\x", "Email": "bob@example.com", "DoNotCall": true})
	put("cyd", "Contact", map[string]any{"LastName": "Ångström\nX"})
	put("case", "Case", map[string]any{"Subject": "Help", "ContactId": "#ann"})
	put("orphan", "Case", map[string]any{"Subject": "None"})
	put("task", "Task", map[string]any{"Subject": "Call", "WhoId": "#ann", "Status": "Completed"})
	put("gift", "Donation__c", map[string]any{"Amount__c": 12.5, "Contact__c": "#ann"})
	return c, names
}

func TestSelect(t *testing.T) {
	c, names := library(t)
	called := map[string]string{}
	for name, id := range names {
		called[id] = name
	}
	for _, tc := range []struct{ soql, want string }{
		{"SELECT Id FROM Contact", "ann bob cyd"},
		{"select id from contact where lastname = 'o\\'neil'", "ann"},
		{`SELECT Id FROM Contact WHERE LastName = '100%_\\x'`, "bob"},
		{`SELECT Id FROM Contact WHERE LastName = '\u00c5ngstr\u00F6m\nX'`, "cyd"},
		{"SELECT Id FROM Contact WHERE Email = 'ANN@EXAMPLE.COM'", "ann"},
		{"SELECT Id FROM Contact WHERE Email != 'ann@example.com'", "bob cyd"},
		{"SELECT Id FROM Contact WHERE Email = null", "cyd"},
		{"SELECT Id FROM Contact WHERE Email != null AND DoNotCall = true", "bob"},
		{"SELECT Id FROM Contact WHERE NOT Email LIKE '%@example.com'", "cyd"},
		{`SELECT Id FROM Contact WHERE LastName LIKE '100\%\_%'`, "bob"},
		{`SELECT Id FROM Contact WHERE LastName LIKE '100\_%'`, ""},
		{"SELECT Id FROM Contact WHERE LastName LIKE '_\\'NEIL'", "ann"},
		{"SELECT Id FROM Contact WHERE FirstName IN ('ann', 'BOB')", "ann bob"},
		{"SELECT Id FROM Contact WHERE FirstName NOT IN ('Ann')", "bob cyd"},
		{"SELECT Id FROM Contact WHERE (FirstName = 'Ann' OR FirstName = 'Bob') AND DoNotCall = false", "ann"},
		{"SELECT Id FROM Contact WHERE Birthdate < 1990-01-01", "ann"},
		{"SELECT Id FROM Contact WHERE CreatedDate > 2001-01-01T00:00:00Z", "ann bob cyd"},
		{"SELECT Id FROM Contact WHERE CreatedDate > 2001-01-01T00:00:00.000+0100", "ann bob cyd"},
		{"SELECT Id FROM Donation__c WHERE Amount__c >= 12.5", "gift"},
		{"SELECT Id FROM Donation__c WHERE Amount__c > -1e3", "gift"},
		{"SELECT Id FROM Contact WHERE Account.Name = 'acme'", "ann"},
		{"SELECT Id FROM Case WHERE Contact.Account.Name = 'Acme'", "case"},
		{"SELECT Id FROM Case WHERE Contact.Email = null", "orphan"},
		{"SELECT Id FROM Task WHERE Who.Email = 'ann@example.com'", "task"},
		{"SELECT Id FROM Case WHERE ContactId IN (SELECT Id FROM Contact WHERE LastName LIKE 'O%')", "case"},
		{"SELECT Id FROM Contact WHERE Id NOT IN (SELECT ContactId FROM Case)", "bob cyd"},
		{"SELECT Id FROM Contact WHERE Id = '" + names["bob"][:15] + "'", "bob"},
		{"SELECT Id FROM Contact WHERE Id IN ('" + names["cyd"] + "', '" + names["bob"] + "')", "bob cyd"},
		{"SELECT Id FROM Contact WHERE Id > '" + names["ann"] + "' ORDER BY Id LIMIT 1", "bob"},
		{"SELECT Id FROM Contact WHERE Id >= '" + names["bob"][:15] + "' AND LastName != null", "bob cyd"},
		{"SELECT Id FROM Contact WHERE Id > '" + names["cyd"] + "'", ""},
		{"SELECT Id FROM Contact WHERE Id > '" + names["ann"] + "' AND Id > '" + names["bob"] + "' ORDER BY Id", "cyd"},
		{"SELECT Id FROM Contact ORDER BY Id LIMIT 1 OFFSET 1", "bob"},
		{"SELECT Id FROM Contact ORDER BY Id DESC LIMIT 2", "cyd bob"},
		{"SELECT Id FROM Contact ORDER BY Email DESC NULLS LAST", "bob ann cyd"},
		{"SELECT Id FROM Contact ORDER BY Email", "cyd ann bob"},
		{"SELECT Id FROM Contact ORDER BY FirstName ASC NULLS LAST, Id DESC LIMIT 2 OFFSET 1", "bob cyd"},
		{"SELECT Contact.Id FROM Contact WHERE Contact.FirstName <> 'Ann' LIMIT 1", "bob"},
	} {
		t.Run(tc.soql, func(t *testing.T) {
			var got []string
			for _, id := range c.ids(tc.soql) {
				got = append(got, called[id])
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("found %v, want %v", got, tc.want)
			}
		})
	}
}

func TestRefusedSOQL(t *testing.T) {
	c, _ := library(t)
	for _, tc := range []struct{ soql, code string }{
		{"", "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact WHERE LastName = 'O'Neil'", "MALFORMED_QUERY"},
		{`SELECT Id FROM Contact WHERE LastName = 'a\qb'`, "MALFORMED_QUERY"},
		{`SELECT Id FROM Contact WHERE LastName = 'a\'`, "MALFORMED_QUERY"},
		{`SELECT Id FROM Contact WHERE LastName = '\u00g0'`, "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact WHERE LastName = 'a' AND Email = 'b' OR Email = 'c'", "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact GROUP BY Email", "MALFORMED_QUERY"},
		{"SELECT Id, (SELECT Id FROM Cases) FROM Contact", "MALFORMED_QUERY"},
		{"SELECT FIELDS(ALL) FROM Contact LIMIT 200", "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact LIMIT -1", "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact; DELETE", "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact WHERE LastName LIKE 5", "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact WHERE LastName = '" + strings.Repeat("x", 4001) + "'", "MALFORMED_QUERY"},
		{"SELECT Id FROM Contact WHERE " + strings.Repeat("(", 60) + "Id = null" + strings.Repeat(")", 60), "QUERY_TOO_COMPLICATED"},
		{"SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"},
		{"SELECT Nope FROM Contact", "INVALID_FIELD"},
		{"SELECT Id, ID FROM Contact", "INVALID_FIELD"},
		{"SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"},
		{"SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD"},
		{"SELECT Id FROM Contact WHERE CreatedDate > '2020-01-01'", "INVALID_FIELD"},
		{"SELECT Id FROM Contact WHERE Account.Nope = 'x'", "INVALID_FIELD"},
		{"SELECT Id FROM Contact WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR"},
		{"SELECT Id FROM Nope", "INVALID_TYPE"},
	} {
		t.Run(tc.soql[:min(len(tc.soql), 60)], func(t *testing.T) { c.query(tc.soql).want(t, 400, tc.code) })
	}
}

func TestQueryAnswer(t *testing.T) {
	c, names := library(t)
	a := c.query("SELECT Contact.Account.Name, Contact.Email, subject, ContactId FROM Case WHERE Subject = 'Help'")
	want := `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Case","url":"/services/data/v66.0/sobjects/Case/` + names["case"] + `"},` +
		`"Contact":{"attributes":{"type":"Contact","url":"/services/data/v66.0/sobjects/Contact/` + names["ann"] + `"},` +
		`"Account":{"attributes":{"type":"Account","url":"/services/data/v66.0/sobjects/Account/` + names["acme"] + `"},"Name":"Acme"},` +
		`"Email":"Ann@Example.com"},"Subject":"Help","ContactId":"` + names["ann"] + `"}]}`
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	if got := c.query("SELECT COUNT() FROM Contact").body; got != `{"totalSize":3,"done":true,"records":[]}` {
		t.Error(got)
	}
}

func TestLocators(t *testing.T) {
	org, c := calm(t)
	for range 450 {
		org.Put("Lead", map[string]any{"LastName": "L", "Company": "C"})
	}
	page := func(headers ...string) (next string, n int) {
		var out struct {
			Records        []struct{ ID string }
			NextRecordsURL string
		}
		c.decode(c.query("SELECT Id FROM Lead ORDER BY Id", headers...), &out)
		return out.NextRecordsURL, len(out.Records)
	}
	next, n := page("Sforce-Query-Options", "batchSize=200")
	if n != 200 || !strings.HasSuffix(next, "-200") || !strings.HasPrefix(next, "/services/data/v66.0/query/0r8") {
		t.Fatalf("first page has %d rows and goes on at %q", n, next)
	}
	if a := c.send(http.MethodGet, next, "", "Sforce-Query-Options", "batchSize=200"); !strings.Contains(a.body, `-400"`) {
		t.Errorf("second page: %s", a.body[:100])
	}
	last := strings.Replace(next, "-200", "-400", 1)
	if a := c.send(http.MethodGet, last, ""); !strings.Contains(a.body, `"done":true`) {
		t.Errorf("last page: %s", a.body[:100])
	}
	for range 10 {
		page("Sforce-Query-Options", "batchSize=200")
	}
	c.send(http.MethodGet, next, "").want(t, 400, "INVALID_QUERY_LOCATOR")
	next, _ = page("Sforce-Query-Options", "batchSize=200")
	c.signIn(org)
	c.send(http.MethodGet, next, "").want(t, 401, "INVALID_SESSION_ID")
}

func FuzzSOQL(f *testing.F) {
	for _, seed := range []string{
		"SELECT Id FROM Contact WHERE LastName = 'O\\'Neil'", "SELECT COUNT() FROM Lead", "SELECT Id FROM Case WHERE NOT (A = 1)",
		"SELECT Id, Account.Name FROM Contact WHERE Id IN (SELECT ContactId FROM Case) ORDER BY Id DESC NULLS LAST LIMIT 1 OFFSET 2",
		`SELECT Id FROM Contact WHERE LastName LIKE '\%\_\\%' AND Birthdate = 2020-02-30`,
	} {
		f.Add(seed)
	}
	org := emulator.New(emulator.Options{Profile: emulator.Calm(), Limits: emulator.Limits{DailyAPI: 1e12}})
	emulator.SeedSmall(org)
	token := ""
	f.Fuzz(func(t *testing.T, soql string) {
		c := &client{t: t, http: &http.Client{Transport: org.Transport()}, token: token}
		if token == "" { // logins are limited, too
			c.signIn(org)
			token = c.token
		}
		a := c.send(http.MethodGet, "/query?q="+url.QueryEscape(soql), "")
		switch {
		case a.status == 200, a.status == 400 && a.code() != "", a.status == 414:
		default:
			t.Errorf("%q: %d %s", soql, a.status, a.body)
		}
	})
}
