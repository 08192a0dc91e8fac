package main

import (
	"bytes"

	"github.com/spf13/cobra"
)

// helpDoc is help as a document.
type helpDoc struct {
	Schema string `json:"schema"`
	Verb   string `json:"verb"`
	Text   string `json:"text"`
}

// help prints a command's help; with --json as a document, because standard
// output then holds nothing else.
func (a *app) help(cmd *cobra.Command, _ []string) {
	var b bytes.Buffer
	cmd.SetOut(&b)
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	b.WriteString(text + "\n\n" + cmd.UsageString())
	cmd.SetOut(a.out)
	// A write to a closed pipe has nobody left to tell.
	_ = a.show(helpDoc{"weir.help/v1", cmd.CommandPath(), b.String()}, func(p *page) { p.raw(b.String()) })
}

func (a *app) helpVerb() *cobra.Command {
	return &cobra.Command{
		Use: "help [VERB]", Short: "Explain a verb",
		Args: cobra.ArbitraryArgs, // a verb may be several words
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownVerb(cmd.Root(), args)
			}
			return found.Help()
		},
	}
}

// noHelp replaces cobra's own help verb, which ignores --json.
const noHelp = "no-help"

func (a *app) noHelpVerb() *cobra.Command { return &cobra.Command{Use: noHelp, Hidden: true} }
