package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run reads a recording and writes its picture. It returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("termsvg", flag.ContinueOnError)
	flags.SetOutput(errOut)
	title := flags.String("title", "", "what stands in the window's title and is read aloud")
	columns := flags.Int("columns", 100, "where long lines are broken")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	recording, err := io.ReadAll(in)
	if err == nil {
		var picture []byte
		if picture, err = draw(string(recording), *title, *columns); err == nil {
			_, err = out.Write(picture)
		}
	}
	if err != nil {
		fmt.Fprintln(errOut, "termsvg:", err)
		return 1
	}
	return 0
}
