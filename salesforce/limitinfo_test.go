package salesforce_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

func TestLimitInfo(t *testing.T) {
	daily := func(used, limit int64) weir.Reading {
		return weir.Reading{Kind: weir.ReadDaily, Name: "api-usage", Used: used, Limit: limit}
	}
	app := func(name string, used, limit int64) weir.Reading {
		return weir.Reading{Kind: weir.ReadApp, Name: "per-app-api-usage", App: name, Used: used, Limit: limit}
	}
	bursts := weir.Reading{Kind: weir.ReadBursts, Name: "api-bursts", Used: 1, Limit: 750}
	clamped := func(r weir.Reading) weir.Reading { r.Clamped = true; return r }
	for _, c := range []struct {
		lines []string
		want  []weir.Reading
	}{
		{[]string{"api-usage=18/5000"}, []weir.Reading{daily(18, 5000)}},
		{[]string{"api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)"}, []weir.Reading{daily(25, 5000), app("sample-connected-app", 17, 250)}},
		{[]string{"per-app-api-usage=17/250(appName=a/b; c=1/2);api-usage=25/5000"}, []weir.Reading{app("a/b; c=1/2", 17, 250), daily(25, 5000)}},
		{[]string{"per-app-api-usage=17/250 (appName=Foo (EU), Bar; Baz) , api-usage=1/2"}, []weir.Reading{app("Foo (EU), Bar; Baz", 17, 250), daily(1, 2)}},
		{[]string{"per-app-api-usage=17/250(appName=never closed; api-usage=1/2"}, []weir.Reading{app("never closed; api-usage=1/2", 17, 250)}},
		{[]string{"api-usage=110018/100000; api-bursts=1/750"}, []weir.Reading{daily(110018, 100000), bursts}},
		{[]string{"api-usage=10018/100000;api-bursts=1/750;new-thing=5/6"}, []weir.Reading{daily(10018, 100000), bursts, {Kind: weir.ReadOther, Name: "new-thing", Used: 5, Limit: 6}}},
		{[]string{"API-Usage = 1 / 2"}, []weir.Reading{daily(1, 2)}},
		{[]string{"api-usage=1/2", "api-usage=3/4; api-bursts=1/750"}, []weir.Reading{daily(3, 4), bursts}},
		{[]string{"api-usage=1/2,api-bursts=1/750"}, []weir.Reading{daily(1, 2), bursts}},
		{[]string{""}, nil},
		{[]string{"api-usage="}, nil},
		{[]string{"api-usage=1"}, nil},
		{[]string{"api-usage=a/b"}, nil},
		{[]string{"api-usage=1/0"}, nil},
		{[]string{"api usage=1/2", "=1/2", ";;,,", "(((", ")"}, nil},
		{[]string{"api-usage=99999999999999999999/100"}, []weir.Reading{clamped(daily(1e12, 100))}},
		{[]string{"api-usage=-5/100"}, []weir.Reading{clamped(daily(0, 100))}},
		{[]string{"api-usage=5/-100"}, nil},
	} {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for i := range c.want {
			c.want[i].At, c.want[i].Source = at, "Sforce-Limit-Info"
		}
		got := salesforce.ParseReadings(http.Header{"Sforce-Limit-Info": c.lines}, at)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q: %s", c.lines, d)
		}
	}
}

func TestGatewayHeaders(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 300_000_000, time.UTC)
	for _, c := range []struct {
		name, value string
		kind        weir.ReadingKind
		used, limit int64
		clamped     bool
	}{
		{"X-Rate-Limit-Concurrent", "7", weir.ReadConcurrent, 7, 0, false},
		{"x-rate-limit-concurrent", " 7 / 25 ", weir.ReadConcurrent, 7, 25, false},
		{"X-RateLimit-Remaining", "0", weir.ReadRemaining, 0, 0, false},
		{"x_rate_limit_remaining", "-1", weir.ReadRemaining, 0, 0, true},
		{"Retry-After", "120", weir.ReadRetryAfter, 120, 0, false},
		{"retry-after", "0", weir.ReadRetryAfter, 0, 0, false},
		{"Retry-After", "-3", weir.ReadRetryAfter, 0, 0, true},
		{"Retry-After", "1.5", weir.ReadRetryAfter, 2, 0, false},
		{"Retry-After", "9223372036854775807", weir.ReadRetryAfter, 604800, 0, true},
		{"Retry-After", "Fri, 01 May 2026 12:00:05 GMT", weir.ReadRetryAfter, 5, 0, false},
		{"Retry-After", "Friday, 01-May-26 12:02:00 GMT", weir.ReadRetryAfter, 120, 0, false},
		{"Retry-After", "Fri, 01 May 2020 12:00:05 GMT", weir.ReadRetryAfter, 0, 0, false},
		{"Retry-After", "Fri, 01 May 9999 12:00:05 GMT", weir.ReadRetryAfter, 604800, 0, true},
	} {
		got := salesforce.ParseReadings(http.Header{c.name: {c.value}}, at)
		if len(got) != 1 || got[0].Kind != c.kind || got[0].Used != c.used || got[0].Limit != c.limit || got[0].Clamped != c.clamped || got[0].Source != c.name {
			t.Errorf("%s: %s: %+v", c.name, c.value, got)
		}
	}
	for _, soon := range []string{"", "soon", "1e3", "0x10", "1-2", "1.-5"} {
		if got := salesforce.ParseReadings(http.Header{"Retry-After": {soon}}, at); got != nil {
			t.Errorf("%q: %+v", soon, got)
		}
	}
}

func TestReadingsInBodies(t *testing.T) {
	for _, r := range fixtures(t) {
		got := classify(t, r).Readings
		switch r.Name {
		case "soap-query-with-limitinfoheader.json":
			want := []salesforce.ReportReading{{Kind: weir.ReadDaily, Name: "api requests", Used: 5, Limit: 5000, Source: "soap LimitInfoHeader"}}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		case "limits-resource-developer-edition.json":
			if len(got) < 20 || got[0].Source != "Sforce-Limit-Info" {
				t.Errorf("%+v", got)
			}
		case "marketing-cloud-429-with-retry-after.json":
			if len(got) != 1 || got[0].Used != 5 {
				t.Errorf("%+v", got)
			}
		}
	}
}
