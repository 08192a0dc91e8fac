// Command benchtable draws the figures of docs/bench/*.json as a table between
// two marks of a Markdown page, so that no figure in a page is typed by hand:
//
//	benchtable docs/bench README.md
//
// The marks are <!-- bench --> and <!-- /bench -->. Every file of figures has the
// schema weir.bench/v1, whoever measured it.
package main
