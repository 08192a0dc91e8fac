package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Stdin, os.Stdout))
}

// run returns the exit code: 0 when everything ran and passed, 1 otherwise, 2
// when the input is not what `go test -json` prints.
func run(in io.Reader, out io.Writer) int {
	w := bufio.NewWriter(out)
	tally := NewTally(w)
	err := tally.Read(in)
	if err == nil {
		tally.Report()
	}
	if flushing := w.Flush(); err == nil {
		err = flushing
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		return 2
	}
	if !tally.Good() {
		return 1
	}
	return 0
}
