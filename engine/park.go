package engine

import "github.com/weirhq/weir/vault"

// park begins a wait of a lane: its connections, which keep buffers, are
// closed, and the collector overwrites what was dropped (security reference,
// section 2, the park protocol). That cannot be all: a call of another slot may
// still be ending, a closed connection's goroutines too, and collections are
// rate-limited. So the next control rounds do it once more.
func (e *Engine) park(l *lane) {
	l.client.CloseIdle()
	vault.Scrub()
	e.untidy.Store(true)
}

// tidy collects once more after a wait began, or after personal data was
// handled without a call: a submission, a package. It is owed until a
// collection really ran.
func (e *Engine) tidy() {
	if !e.untidy.Swap(false) {
		return
	}
	for _, l := range e.orgs {
		l.client.CloseIdle()
	}
	if !vault.Scrub() {
		e.untidy.Store(true)
	}
}
