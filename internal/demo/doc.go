// Package demo is `weir demo`: the first impression of weir and its end-to-end
// test. One process holds an emulated org full of people, an engine on SQLite
// with its real queue, two persons who work there, and a clock that runs fast,
// so that waits of hours and the recycle bin's lag of a day really happen.
//
// The invariant it protects: every printed figure is read from the store or
// from the emulator's own log at the moment at which it is printed. The
// demonstration keeps no tally of what it believes it did, except of the
// ledger's lines, which it reads in order; and no line holds personal data.
//
// Start reading at demo.go (open, run, close), then world.go (what is wired to
// what), people.go (who asks for what) and story.go (which lines of the ledger
// and of the org's log are worth telling). terminal.go, plain.go and lines.go
// tell it; place.go owns the directory.
package demo
