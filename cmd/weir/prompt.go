package main

import (
	"bufio"
	"fmt"
	"strings"

	"golang.org/x/term"
)

// confirm asks a person before what cannot be undone. Scripts, which have no
// terminal, have said all there is to say by calling the verb.
func (a *app) confirm(question string) error {
	if _, tty := terminal(a.in); !tty || a.yes {
		return nil
	}
	if a.noInput {
		return usage("Give --yes instead.", "a confirmation is needed and --no-input forbids to ask")
	}
	fmt.Fprintf(a.err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err == nil && strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return nil
	}
	return usage("", "not confirmed; nothing was changed")
}

// askHidden reads one line from a terminal without showing it.
func (a *app) askHidden(question string) ([]byte, error) {
	fd, tty := terminal(a.in)
	if !tty || a.noInput {
		return nil, nil
	}
	fmt.Fprint(a.err, question)
	line, err := term.ReadPassword(fd)
	fmt.Fprintln(a.err)
	if err != nil {
		return nil, fmt.Errorf("read the identifier: %w", err)
	}
	return line, nil
}
