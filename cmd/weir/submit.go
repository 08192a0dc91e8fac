package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// submitFlags are what is known about a request besides its subject.
type submitFlags struct {
	org, right, law, received, ref, risk, recipient, file string
}

func (a *app) submitVerb() *cobra.Command {
	var s submitFlags
	cmd := &cobra.Command{
		Use:   "submit --org ORG --right RIGHT [--subject-file FILE]",
		Short: "Accept a data subject request; the identifier comes from standard input",
		Long: "Accept a data subject request. The subject's identifiers are read from standard input,\n" +
			"from a file, or from a prompt: one a line, as email:…, phone:… or id:…\n" +
			"They are sealed before anything else is stored, and are never an argument: arguments\n" +
			"show in process lists and in the shell's history.",
		Example: "  weir submit --org prod-eu --right erasure --ref DPO-118 < identifier.txt",
		Args:    noIdentifier,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range temptations() {
				if cmd.Flags().Changed(name) {
					return identifierRefused()
				}
			}
			in, err := s.input()
			if err != nil {
				return err
			}
			if in.Identifiers, err = a.identifiers(s.file); err != nil {
				return err
			}
			var out web.RequestAnswer
			if err := a.ask(cmd.Context(), "submit", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { submitText(p, out.Request) })
		},
	}
	s.bind(cmd)
	return cmd
}

func (s *submitFlags) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.org, "org", "", "alias of the org")
	f.StringVar(&s.right, "right", "", "access or erasure")
	f.StringVar(&s.law, "law", "gdpr", "legal clock: gdpr or ccpa")
	f.StringVar(&s.received, "received", "", "when the subject asked, such as 2026-11-20 (default: now)")
	f.StringVar(&s.ref, "ref", "", "your own reference, such as a ticket number; no personal data")
	f.StringVar(&s.risk, "risk", "", "normal or high")
	f.StringVar(&s.recipient, "recipient", "", "age recipient of the access package: age1…")
	f.StringVar(&s.file, "subject-file", "", "read the identifiers from this file instead of standard input")
	for _, name := range temptations() {
		f.String(name, "", "refused: an identifier is never an argument")
		_ = f.MarkHidden(name) // the flag was just made
	}
}

// temptations are the flags that people try, so that the refusal can say why.
func temptations() []string { return []string{"subject", "email", "phone", "id", "identifier"} }

func identifierRefused() error {
	return usage("Write it to standard input or a file: weir submit … < identifier.txt. Consider the one you typed as seen: clear your shell's history.",
		"an identifier is never an argument: arguments show in process lists and in the shell's history. Nothing was stored")
}

func noIdentifier(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return identifierRefused()
	}
	return nil
}

func (s *submitFlags) input() (web.SubmitInput, error) {
	in := web.SubmitInput{
		Org: weir.OrgID(s.org), Right: weir.Right(s.right), Law: s.law, Ref: s.ref, Recipient: s.recipient, Risk: weir.Risk(s.risk),
	}
	if s.org == "" || s.right == "" {
		return in, usage("Such as: weir submit --org prod-eu --right access < identifier.txt", "--org and --right are needed")
	}
	switch in.Risk {
	case "", weir.RiskNormal, weir.RiskHigh:
	default:
		return in, usage("", "--risk is normal or high")
	}
	if s.received != "" {
		at, err := parseDate(s.received)
		if err != nil {
			return in, err
		}
		in.ReceivedAt = at
	}
	return in, nil
}

func submitText(p *page, r web.RequestDoc) {
	p.linef("%s received; due %s (%s).", p.paint(bold, string(r.ID)), dueText(p.now, r), r.Law)
	p.linef("The identifier is sealed; only its keyed hash %s is indexed.", r.Subject)
	if r.Stage == weir.Received {
		p.linef("Next: weir verify %s --evidence REFERENCE", r.ID)
		return
	}
	p.linef("Next: weir plan %s", r.ID)
}

func dueText(now time.Time, r web.RequestDoc) string {
	return fmt.Sprintf("%s (in %s)", r.DueAt.UTC().Format("2006-01-02"), span(r.DueAt.Sub(now)))
}
