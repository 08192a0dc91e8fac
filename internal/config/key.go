package config

import (
	"fmt"
	"slices"
	"strings"
)

// cutOrg splits a prefix such as "orgs[0].auth." into the org's part and the
// group within its table.
func cutOrg(prefix string) (base, group string) {
	if !strings.HasPrefix(prefix, keyOrgs+"[") {
		return "", prefix
	}
	cut := strings.Index(prefix, "].") + len("].")
	return prefix[:cut], prefix[cut:]
}

// nameOf names a mapping for people.
func nameOf(prefix string) string {
	if prefix == "" {
		return "the file"
	}
	return fmt.Sprintf("%q", strings.TrimSuffix(prefix, "."))
}

// keys lists the keys that may stand in one group of a table. base is empty
// in the file's own table.
func keys(table []scalar, group, base string) []string {
	var list []string
	for _, s := range table {
		rest, ok := strings.CutPrefix(s.path, group)
		if !ok {
			continue
		}
		key, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(list, key) {
			list = append(list, key)
		}
	}
	switch {
	case group != "":
	case base == "":
		list = append(list, keyLaws, keyOrgs)
	default:
		list = append(list, keyRecipients)
	}
	return list
}

// hint says what an unknown key probably meant: a key or a group of another group
// by the same name, or a slip of a key of this group.
func (r *reader) hint(key, group, base string, table []scalar) string {
	for _, s := range table {
		owner, last, ok := cutLast(s.path)
		if ok && last == key && owner+"." != group {
			return fmt.Sprintf("it belongs under %q", base+owner)
		}
		if i := strings.Index("."+s.path, "."+key+"."); i > 0 && s.path[:i] != group {
			return fmt.Sprintf("it belongs under %q", base+s.path[:i-1])
		}
		if !ok && last == key && group != "" {
			return fmt.Sprintf("it belongs one level up, beside %q", strings.TrimSuffix(base+group, "."))
		}
	}
	return didYouMean(key, keys(table, group, base))
}

func cutLast(path string) (owner, last string, nested bool) {
	i := strings.LastIndex(path, ".")
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
