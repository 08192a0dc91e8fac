// Command termsvg draws what a program printed as a picture of a terminal: an
// SVG with real text in it, in light or dark as the reader's system asks.
//
// The invariant it protects: the picture shows what was recorded. Nothing is
// cut or put in; a line that is too long is broken, and a character that
// cannot be drawn is an error.
//
// Start reading at draw in picture.go. scripts/demo-picture records the run
// that README.md shows.
package main
