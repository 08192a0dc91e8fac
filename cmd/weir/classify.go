package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/salesforce"
)

func (a *app) classifyVerb() *cobra.Command {
	return &cobra.Command{
		Use: "classify FILE", Short: "Say what one recorded Salesforce response means",
		Long: "Say what one recorded Salesforce response means: a JSON file with status, headers, body and,\n" +
			"where it matters, request. The answer is one JSON document with or without --json.\n" +
			"FILE may be - for standard input. The body is read and never shown.",
		Args: exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			report, err := a.classify(args[0])
			if err != nil {
				return err
			}
			return writeJSON(a.out, report)
		},
	}
}

func (a *app) classify(path string) (salesforce.Report, error) {
	from := a.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return salesforce.Report{}, fmt.Errorf("open the response: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		from = f
	}
	report, err := salesforce.ClassifyFixture(from)
	if err != nil {
		return report, web.Fail(web.ExitConfig, "broken_response", "It needs status, headers and body, as recorded.", "%s:%s", path, err.Error())
	}
	return report, nil
}
