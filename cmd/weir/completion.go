package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"
)

// scriptDoc is a shell's completion script.
type scriptDoc struct {
	Schema string `json:"schema"`
	Shell  string `json:"shell"`
	Script string `json:"script"`
}

func (a *app) completionVerb() *cobra.Command {
	return &cobra.Command{
		Use: "completion SHELL", Short: "Print a completion script for bash, zsh, fish or powershell",
		Example:   "  weir completion bash > /etc/bash_completion.d/weir",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      exactly("SHELL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var b bytes.Buffer
			if err := writeCompletion(cmd.Root(), args[0], &b); err != nil {
				return err
			}
			return a.show(scriptDoc{"weir.completion/v1", args[0], b.String()}, func(p *page) { p.raw(b.String()) })
		},
	}
}

func writeCompletion(root *cobra.Command, shell string, b *bytes.Buffer) error {
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(b, true)
	case "zsh":
		err = root.GenZshCompletion(b)
	case "fish":
		err = root.GenFishCompletion(b, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(b)
	default:
		return usage("bash, zsh, fish or powershell", "there is no completion for this shell")
	}
	if err != nil {
		return fmt.Errorf("write the completion for %s: %w", shell, err)
	}
	return nil
}
