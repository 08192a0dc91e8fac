package main

import (
	"fmt"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// stageText colours a stage by what it asks of people.
func stageText(p *page, d web.StatusDoc) string {
	text := string(d.Stage)
	switch {
	case len(d.Letters) > 0:
		return p.paint(red, text+" (dead letter)")
	case d.Stage == weir.AwaitingApproval:
		return p.paint(yellow, text)
	case d.Stage == weir.Closed, d.Stage == weir.Delivered:
		return p.paint(green, text)
	}
	return text
}

// requestLine is the first line about a request everywhere.
func requestLine(p *page, r web.RequestDoc) string {
	return fmt.Sprintf("%s  %s · %s · %s", p.paint(bold, string(r.ID)), r.Right, r.Law, r.Org)
}

// plural counts things in words.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// number groups digits by thousands, as the tables of the console do.
func number(n int64) string {
	if n < 0 {
		return "−" + number(-n)
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func joinIDs[T ~string](ids []T) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return strings.Join(out, ", ")
}
