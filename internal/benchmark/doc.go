// Package benchmark measures what weir promises about its speed and size, as a
// user would meet it: engine turns over the emulated org, programs started and
// killed, memory as the kernel counts it.
//
// The invariant: a figure is never alone. Beside it stands a baseline that was
// measured in the same run on the same machine, so that the ratio says something
// on another one; and the machine, its load included, is written down with it.
//
// Each scenario runs in two forms. The short one, in every `make test`, asserts
// only what is not time: the number of statements, the index that is used, the
// memory that is needed. The long one, `make bench`, measures, and writes its
// figures to the directory of WEIR_BENCH, from which docs/bench/README.md and the
// tables of other pages are drawn (internal/tools/benchtable).
//
// Start reading at figure_test.go, then at steps_test.go.
package benchmark
