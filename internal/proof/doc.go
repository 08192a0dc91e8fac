// Package proof attacks weir as a stranger would: real processes, its own
// command line, an emulated org that throttles and lies, and SIGKILL.
//
// The invariant it protects: whenever weir dies, an accepted mutation is
// neither doubled nor missing, nobody else's record is touched, and every
// request comes to its end. The emulator's own truth is the judge, and a naive
// client that the same harness catches doubling shows that the judge sees.
//
// The package has tests only. Start reading at TestKill in kill_test.go; the
// long form is `make prove-kill`, a short one runs in `make test`.
package proof
