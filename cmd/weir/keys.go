package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) keysVerbs() *cobra.Command {
	return group("keys", "Rotate the keys that wrap the requests' keys", a.keysListVerb(), a.keysRotateVerb(), a.keysDestroyVerb(), a.keysReshredVerb())
}

func (a *app) keysListVerb() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the key-encryption keys and what still needs each",
		Long: "List the key-encryption keys by name: which one wraps, how many request keys each wraps, whether\n" +
			"this node's keyring has it, and which may be destroyed.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out web.KeysAnswer
			if err := a.ask(cmd.Context(), "keys", web.None{}, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { keysText(p, out) })
		},
	}
}

func (a *app) keysRotateVerb() *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "Make a new key-encryption key and rewrap every request's key with it",
		Long: "Make a new key-encryption key, keep it in the keyring, and rewrap the vault's own keys and every\n" +
			"request's key with it, while weir works. No sealed file is rewritten. Killed in the middle, weir goes\n" +
			"on by itself, and so does this verb when it is called again. The older key still unwraps until\n" +
			"`weir keys destroy`. Back up the keyring afterwards, apart from the data.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out, err := a.rotate(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.show(out, func(p *page) { rotatedText(p, out) }); err != nil || out.Remaining == 0 {
				return err
			}
			return endWith(web.ExitIntegrity)
		},
	}
}

// rotate begins, and then asks for one portion of rewrapping after the other:
// in the weir that runs, or here.
func (a *app) rotate(ctx context.Context) (out web.KeysAnswer, err error) {
	ctx, cancel := a.within(ctx, 0)
	defer cancel()
	d, err := a.open(ctx, looking, nil)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.Call(ctx, "keys-rotate", web.None{}, &out); err != nil {
		return out, err
	}
	total := out.Remaining
	for first := true; first || !out.Done && out.Remaining > 0; first = false {
		if err := d.Call(ctx, "keys-rewrap", web.None{}, &out); err != nil {
			return out, err
		}
		a.progress("%s of %s request keys rewrapped", number(int64(max(0, total-out.Remaining))), number(int64(total)))
	}
	return out, nil
}

func (a *app) keysDestroyVerb() *cobra.Command {
	return &cobra.Command{
		Use: "destroy KEY", Short: "Destroy an older key-encryption key that nothing needs any more",
		Long: "Destroy an older key-encryption key. weir refuses while a request's key needs it. What it wrapped in\n" +
			"backups never opens again, so this also ends what was shredded since those were made; destroy the\n" +
			"copies of the keyring that still hold it, too. With a keyring on every node, run it on each.",
		Args: exactly("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.confirm("Destroy " + args[0] + "? Backups that need it can never be opened again."); err != nil {
				return err
			}
			var out web.KeysAnswer
			if err := a.ask(cmd.Context(), "keys-destroy", web.KEKInput{ID: args[0]}, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) {
				p.linef("%s %s is destroyed. Copies of the keyring that hold it are yours to destroy.", p.paint(green, "✔"), args[0])
			})
		},
	}
}

func keysText(p *page, out web.KeysAnswer) {
	rows := make([][]string, len(out.Keys))
	for i, k := range out.Keys {
		rows[i] = []string{k.ID, fmt.Sprint(k.Version), string(k.State), number(int64(k.Requests)), keyNote(k), k.CreatedAt.Format("2006-01-02")}
	}
	p.grid([]string{"key", "version", "state", "request keys", "", "since"}, rows, 2, 4)
	unreadableText(p, out)
}

// keyNote says what a person may want to do about a key.
func keyNote(k web.KEKDoc) string {
	switch {
	case k.State == store.KEKDestroyed && k.Held:
		return "still in this keyring: destroy it here too"
	case k.State == store.KEKDestroyed:
		return "destroyed " + k.DestroyedAt.Format("2006-01-02")
	case !k.Held:
		return "not in this keyring"
	case k.MayDestroy:
		return "may be destroyed"
	case k.State == store.KEKActive:
		return "wraps"
	}
	return "rewrapping"
}

func rotatedText(p *page, out web.KeysAnswer) {
	active := out.Keys[len(out.Keys)-1]
	if out.Remaining == 0 {
		p.linef("%s %s wraps every request's key. No sealed file was rewritten.", p.paint(green, "✔"), active.ID)
	}
	for _, k := range out.Keys {
		if k.MayDestroy {
			p.linef("  Back up the keyring, then: weir keys destroy %s", k.ID)
		}
	}
	unreadableText(p, out)
}

func unreadableText(p *page, out web.KeysAnswer) {
	if out.Unreadable > 0 {
		p.linef("%s %s cannot be opened: the row was altered, or its key is lost. A backup of the store may hold it.",
			p.paint(red, "✘"), plural(out.Unreadable, "request key", "request keys"))
	} else if out.Remaining > 0 && out.Done {
		p.linef("  %s under a key that this keyring does not hold.", plural(out.Remaining, "request key is", "request keys are"))
	}
}
