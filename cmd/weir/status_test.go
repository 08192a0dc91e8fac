package main

import (
	"strings"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// Of a request whose pages were damaged a person reads what it means and both ways out.
func TestStatusOfDamagedPages(t *testing.T) {
	p := &page{}
	statusText(p, web.StatusDoc{RequestDoc: web.RequestDoc{ID: "R-1", Right: weir.Access, Stage: weir.Sealing, Reason: "pages_damaged"}})
	got := p.buf.String()
	for _, want := range []string{"reason     pages_damaged: what was fetched no longer opens\n", "Put the vault's files back", "`weir plan R-1 --again`"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
}
