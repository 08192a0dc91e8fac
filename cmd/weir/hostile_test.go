package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weirhq/weir/emulator"
)

// hostileOrg is the emulated org behind somebody who changes its answers.
type hostileOrg struct {
	org     *emulator.Org
	honest  http.Handler
	answers atomic.Pointer[http.HandlerFunc] // nil = honest; the token is always honest
	evil    *httptest.Server                 // where answers try to lead
	visits  atomic.Int32                     // requests that evil received
	mark    int                              // calls of the log that a script has looked at
	wrote   int                              // and mutations
}

func newHostileOrg(org *emulator.Org) *hostileOrg {
	h := &hostileOrg{org: org, honest: org.Handler()}
	h.evil = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { h.visits.Add(1) }))
	return h
}

func (h *hostileOrg) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if answer := h.answers.Load(); answer != nil && !strings.HasPrefix(r.URL.Path, "/services/oauth2/token") {
		(*answer)(w, r)
		return
	}
	h.honest.ServeHTTP(w, r)
}

// change lets the org answer and edits the text and headers of the answer.
func (h *hostileOrg) change(edit func(text string, header http.Header) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept-Encoding", "identity")
		rec := httptest.NewRecorder()
		h.honest.ServeHTTP(rec, r)
		text := edit(rec.Body.String(), rec.Header())
		maps.Copy(w.Header(), rec.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		_, _ = io.WriteString(w, text)
	}
}

// ways are the hostile answers that scripts can choose.
func (h *hostileOrg) ways() map[string]http.HandlerFunc {
	text := func(status int, label, body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", label)
			for i := 0; i < len(headers); i += 2 {
				w.Header().Add(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const esc, busy = "\x1b[2J\x1b]0;owned\x07\u009b31m\u202e", `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentPerOrgLongTxn Limit exceeded."}]`
	return map[string]http.HandlerFunc{
		"redirect": text(307, "text/html", "", "Location", h.evil.URL+"/services/data/v66.0/"),
		"meta":     text(200, "text/html", `<html><head><meta http-equiv="refresh" content="0; url=`+h.evil.URL+`"></head></html>`),
		"next": h.change(func(s string, _ http.Header) string {
			return strings.ReplaceAll(s, `"done":true`, `"done":false,"nextRecordsUrl":"`+strings.TrimPrefix(h.evil.URL, "http:")+`/services/data/v66.0/query/0r8-2000"`)
		}),
		"cut":       h.change(func(s string, _ http.Header) string { return s[:len(s)/2] }),
		"label":     h.change(func(s string, header http.Header) string { header.Set("Content-Type", "text/html"); return s }),
		"deep":      text(200, "application/json", strings.Repeat(`{"a":`, 100_000)),
		"header":    text(200, "application/json", "{}", "Retry-After", strings.Repeat("9", 64<<10)),
		"endless":   text(429, "application/json", "", "Retry-After", "1"+strings.Repeat("0", 30)),
		"negative":  text(429, "application/json", "", "Retry-After", "-1"+strings.Repeat("0", 30)),
		"duplicate": text(429, "application/json", "", "Retry-After", "900", "Retry-After", "1"),
		"usage": h.change(func(s string, header http.Header) string {
			header.Set("Sforce-Limit-Info", "api-usage=-1"+strings.Repeat("0", 30)+"/15000")
			return s
		}),
		"name": h.change(func(s string, header http.Header) string {
			header.Set("Sforce-Limit-Info", "api-usage=100/15000; per-app-api-usage=17/250(appName=evil\u009b31m\u202e\x7f)")
			return s
		}),
		"laughs":   text(500, "text/xml", `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>`),
		"terminal": text(400, "application/json", `[{"errorCode":"`+strings.ReplaceAll(strconv.Quote(esc), `\x`, `\u00`)[1:]+`,"message":"x","fields":["`+"\u009b31m"+`"]}]`),
		"busy":     text(403, "application/json", busy),
		"bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"a":"`)
			for range 4096 {
				if _, err := io.WriteString(z, strings.Repeat("a", 1<<20)); err != nil {
					return
				}
			}
		},
	}
}

// act carries out what only a hostile org does: answers WAY, or honest ones;
// mark, and then sent N: how many calls the org got since; wrote N: how many
// records were changed; lured N: how many requests came where it led.
func (h *hostileOrg) act(ts *testscript.TestScript, args []string) bool {
	count := func(what string, got int) {
		if fmt.Sprint(got) != args[1] {
			ts.Fatalf("%d %s, want %s", got, what, args[1])
		}
	}
	switch args[0] {
	case "answers":
		h.answers.Store(nil)
		if args[1] != "honest" {
			way, ok := h.ways()[args[1]]
			if !ok {
				ts.Fatalf("the org has no way %s", args[1])
			}
			h.answers.Store(&way)
		}
	case "person": // with a phone number only
		h.org.Put("Contact", map[string]any{"LastName": "Weak", "Phone": args[1]})
	case "mark":
		h.mark, h.wrote = len(h.org.Log()), len(h.org.Truth().Mutations)
	case "sent":
		count("calls were sent", len(h.org.Log())-h.mark)
	case "wrote":
		count("records were changed", len(h.org.Truth().Mutations)-h.wrote)
	case "lured":
		count("requests came to the other host", int(h.visits.Load()))
	default:
		return false
	}
	return true
}

// stepBytes writes a file of a Go string, so that scripts can hold characters
// that no text file should: bytes FILE 'a\x1b'.
func stepBytes(ts *testscript.TestScript, _ bool, args []string) {
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// stepSays demands that standard error is exactly the text of a file.
func stepSays(ts *testscript.TestScript, _ bool, args []string) {
	want, got := ts.ReadFile(args[0]), ts.ReadFile("stderr")
	if strings.TrimSpace(want) != strings.TrimSpace(got) {
		ts.Fatalf("it says:\n%s\nwant:\n%s", got, want)
	}
}
