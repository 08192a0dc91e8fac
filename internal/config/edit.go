package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ErrOrgExists is returned by AddOrg when the alias is taken.
var ErrOrgExists = errors.New("an org of that alias exists already")

// AddOrg adds an org to the file at path. Everything else in the file stays as
// it was written, comments included. The new text is checked before it
// replaces the old one, in one step and with mode 0600.
func AddOrg(path string, o Org) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("add org %s: %w", o.Alias, err)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("add org %s: %w", o.Alias, err)
	}
	before, err := Parse(path, src, nil)
	if err != nil {
		return fmt.Errorf("add org %s: the file has mistakes already: %w", o.Alias, err)
	}
	if _, taken := before.Org(o.Alias); taken {
		return fmt.Errorf("add org %s: %w", o.Alias, ErrOrgExists)
	}
	text, err := insertOrg(string(src), o)
	if err != nil {
		return fmt.Errorf("add org %s: %w", o.Alias, err)
	}
	after, err := Parse(path, []byte(text), nil)
	if err != nil {
		return fmt.Errorf("add org %s: %w", o.Alias, err)
	}
	if len(after.Orgs) != len(before.Orgs)+1 {
		return fmt.Errorf("add org %s: the orgs of %s are written in a way that cannot be extended: add it by hand", o.Alias, path)
	}
	if err := replaceFile(path, []byte(text)); err != nil {
		return fmt.Errorf("add org %s: %w", o.Alias, err)
	}
	return nil
}

var (
	orgsLine  = regexp.MustCompile(`^orgs\s*:\s*(.*?)\s*$`)
	emptyOrgs = regexp.MustCompile(`^(?:(?:\[\s*\]|null|~)\s*)?(?:#.*)?$`)
	dashLine  = regexp.MustCompile(`^(\s*)-(?:\s|$)`)
	sameLevel = regexp.MustCompile(`^[^\s#-]`) // a further key of the file, or ---
)

// insertOrg returns the text with the org as the last item of orgs.
func insertOrg(text string, o Org) (string, error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	at := slices.IndexFunc(lines, orgsLine.MatchString)
	if at < 0 {
		lines = append(lines, "orgs:")
		at = len(lines) - 1
	}
	behind := orgsLine.FindStringSubmatch(lines[at])[1]
	if !emptyOrgs.MatchString(behind) {
		return "", errors.New("orgs is written on one line: put each org on lines of its own first")
	}
	if i := strings.IndexByte(behind, '#'); i >= 0 {
		lines[at] = "orgs: " + behind[i:]
	} else {
		lines[at] = "orgs:"
	}
	indent, end := "  ", at+1
	for i := at + 1; i < len(lines) && !sameLevel.MatchString(lines[i]); i++ {
		if m := dashLine.FindStringSubmatch(lines[i]); m != nil && end == at+1 {
			indent = m[1]
		}
		if line := strings.TrimSpace(lines[i]); line != "" && !strings.HasPrefix(lines[i], "#") {
			end = i + 1
		}
	}
	lines = slices.Insert(lines, end, writeOrg(o, indent)...)
	return strings.Join(lines, "\n") + "\n", nil
}

// writeOrg writes what differs from the defaults, as the lines of a list item.
func writeOrg(o Org, indent string) []string {
	var plain Org
	withDefaults(plain.scalars())
	defaults := map[string]string{}
	for _, s := range plain.scalars() {
		defaults[s.path] = s.into.show()
	}
	var lines []string
	var group []string
	for _, s := range o.scalars() {
		text := s.into.show()
		if text == defaults[s.path] || isZero(s.into) {
			continue
		}
		path := strings.Split(s.path, ".")
		owner, last := path[:len(path)-1], path[len(path)-1]
		for i, name := range owner {
			if i < len(group) && group[i] == name {
				continue
			}
			group = group[:i:i]
			lines = append(lines, strings.Repeat("  ", i)+name+":")
			group = append(group, name)
		}
		group = owner
		lines = append(lines, strings.Repeat("  ", len(owner))+last+": "+quoted(text))
	}
	if len(o.Recipients) > 0 {
		lines = append(lines, keyRecipients+":")
		for _, recipient := range o.Recipients {
			lines = append(lines, "  - "+quoted(recipient))
		}
	}
	for i := range lines {
		lead := "  "
		if i == 0 {
			lead = "- "
		}
		lines[i] = indent + lead + lines[i]
	}
	return lines
}

// isZero says whether the program that built the Org left a value out.
func isZero(v value) bool {
	switch v := v.(type) {
	case countValue:
		return *v.at == 0
	case callsValue:
		return *v.at == 0
	case shareValue:
		return *v.at == 0
	case spanValue:
		return *v.at == 0
	}
	return v.show() == ""
}

// plainWord is what YAML reads as a text without quotes.
var plainWord = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./:@%+=-]*$|^\d+%?$`)

// quoted writes a text so that YAML reads it back as that text.
func quoted(text string) string {
	notText := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"} // to one YAML or another
	if plainWord.MatchString(text) && !strings.HasSuffix(text, ":") && !slices.Contains(notText, strings.ToLower(text)) {
		return text
	}
	b, err := json.Marshal(text) // a JSON text is a YAML text
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(b)
}

// replaceFile writes a file beside the old one and moves it over it.
func replaceFile(path string, text []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the rename itself durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closing := d.Close(); err == nil {
		err = closing
	}
	return err
}
