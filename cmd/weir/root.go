package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// root is the tree of verbs, in the order in which a new user meets them.
func (a *app) root() *cobra.Command {
	root := group("weir", "Fulfil data subject requests in throttled Salesforce orgs",
		a.demoVerb(), a.initVerb(), a.orgVerbs(), a.mapVerbs(),
		a.submitVerb(), a.verifyVerb(), a.requestsVerb(), a.statusVerb(), a.planVerb(), a.approveVerb(),
		a.urgentVerb(), a.rejectVerb(), a.cancelVerb(), a.watchVerb(), a.whyVerb(), a.exportVerbs(), a.certificateVerb(),
		a.dlqVerbs(), a.limitsVerb(), a.forecastVerb(), a.auditVerbs(), a.keysVerbs(), a.configVerbs(),
		a.serveVerb(), a.simVerbs(), a.classifyVerb(), a.versionVerb(), a.completionVerb(), a.helpVerb(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(a.help)
	root.SetHelpCommand(a.noHelpVerb())
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("Usage: "+cmd.UseLine(), "%s: %s", cmd.CommandPath(), flagMistake(err))
	})
	a.globals(root)
	return root
}

// group is a command that only holds others.
func group(name, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short}
	cmd.AddCommand(verbs...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownVerb(cmd, args)
		}
		return cmd.Help()
	}
	cmd.Annotations = map[string]string{isGroup: "true"}
	return cmd
}

// isGroup marks what is no verb of its own.
const isGroup = "group"

var plainWord = regexp.MustCompile(`^[a-z][a-z-]{0,19}$`)

// unknownVerb refuses a word that is no verb. It repeats the word only when it
// looks like one: it may be an identifier that was typed in the wrong place.
func unknownVerb(cmd *cobra.Command, args []string) error {
	word, named := "", ""
	for _, s := range args {
		if !strings.HasPrefix(s, "-") {
			word = s
			break
		}
	}
	if plainWord.MatchString(word) {
		named = " " + word
	}
	hint := "`" + cmd.CommandPath() + " --help` lists the verbs."
	if near := cmd.SuggestionsFor(word); named != "" && len(near) > 0 {
		hint = "Did you mean " + strings.Join(near, " or ") + "? " + hint
	}
	return usage(hint, "%s has no verb%s", cmd.CommandPath(), named)
}

// flagMistake cuts what pflag quotes of a value: it may be personal data.
func flagMistake(err error) string {
	text := err.Error()
	if rest, ok := strings.CutPrefix(text, "invalid argument "); ok {
		if i := strings.LastIndex(rest, "flag: "); i >= 0 {
			if j := strings.Index(rest, `" for `); j >= 0 {
				return "invalid argument for " + rest[j+len(`" for `):i+len("flag")]
			}
		}
		return "invalid argument of a flag"
	}
	if i := strings.IndexAny(text, "@"); i >= 0 {
		return "unknown flag"
	}
	return text
}

// verbsOf walks the tree and returns every verb that can be run.
func verbsOf(cmd *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	if cmd.Runnable() && cmd.Annotations[isGroup] == "" {
		out = append(out, cmd)
	}
	for _, sub := range cmd.Commands() {
		out = append(out, verbsOf(sub)...)
	}
	return slices.DeleteFunc(out, func(c *cobra.Command) bool { return c.Name() == noHelp })
}
