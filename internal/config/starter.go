package config

import (
	"fmt"
	"strings"
)

// Default returns the file that `weir init` writes: the keys with their
// defaults and what they mean, and no org yet. An empty dataDir keeps the
// default, "data" beside the file.
func Default(dataDir string) []byte {
	var c Config
	withDefaults(c.scalars())
	if dataDir != "" {
		c.DataDir = dataDir
	}
	var b strings.Builder
	b.WriteString("# weir.yaml. Paths start at this file's directory. Every key but laws and orgs\n")
	b.WriteString("# can be overridden by a variable: retry.base by WEIR_RETRY_BASE, and so on.\n")
	group := ""
	for _, s := range c.scalars() {
		key, indent := s.path, ""
		if owner, last, nested := cutLast(s.path); nested {
			key, indent = last, "  "
			if owner != group {
				group = owner
				fmt.Fprintf(&b, "\n%s:\n", owner)
			}
		}
		line := indent + key + ": " + starterText(s)
		if s.def == "" {
			line = "# " + key + ":"
		}
		if s.doc != "" {
			line = fmt.Sprintf("%-36s # %s", line, s.doc)
		}
		b.WriteString(line + "\n")
	}
	b.WriteString("\n# laws: [gdpr, ccpa]                  # default: every law that weir knows\n")
	b.WriteString("\norgs: []                             # weir org add ALIAS --instance-url https://…\n")
	return []byte(b.String())
}

func starterText(s scalar) string {
	if _, ok := s.into.(pathValue); ok {
		return quoted(s.into.show())
	}
	return s.def
}
