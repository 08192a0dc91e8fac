package config

import (
	"fmt"
	"net/url"
	"strings"
)

// OriginKind is the kind of place that a value came from.
type OriginKind string

// The kinds of origin, weakest first: each one overrides those before it.
const (
	FromDefault OriginKind = "default"
	FromFile    OriginKind = "file"
	FromEnv     OriginKind = "env"
	FromFlag    OriginKind = "flag"
)

// Origin is where one value came from.
type Origin struct {
	Kind OriginKind `json:"kind"`
	Name string     `json:"name,omitempty"` // of the file, the variable or the flag
	Line int        `json:"line,omitempty"`
	Col  int        `json:"col,omitempty"`
}

// String is what `weir config show --origin` prints: default, file:line,
// env NAME or flag --NAME.
func (o Origin) String() string {
	switch o.Kind {
	case FromFile:
		return fmt.Sprintf("%s:%d", o.Name, o.Line)
	case FromEnv:
		return "env " + o.Name
	case FromFlag:
		return "flag --" + o.Name
	case FromDefault:
	}
	return string(FromDefault)
}

// position is the origin as compilers write places.
func (o Origin) position() string {
	if o.Kind == FromFile {
		return fmt.Sprintf("%s:%d:%d", o.Name, o.Line, o.Col)
	}
	return o.String()
}

// Setting is one value for people to read.
type Setting struct {
	Path   string `json:"path"` // such as "retry.base" or "orgs[0].alias"
	Value  string `json:"value"`
	Origin Origin `json:"origin"`
}

// Settings lists every value in the order of the file's documentation, with
// its origin. References are shown, secrets never; the password of a store's
// URL is replaced.
func (c *Config) Settings() []Setting {
	list := c.settings("", c.scalars(), nil)
	list = append(list, c.setting(keyLaws, strings.Join(c.Laws, " ")))
	for i := range c.Orgs {
		prefix := orgPath(i) + "."
		list = c.settings(prefix, c.Orgs[i].scalars(), list)
		list = append(list, c.setting(prefix+keyRecipients, strings.Join(c.Orgs[i].Recipients, " ")))
	}
	return list
}

func (c *Config) settings(prefix string, table []scalar, list []Setting) []Setting {
	for _, s := range table {
		text := s.into.show()
		switch s.into.(type) {
		case spanValue:
			text = c.spelled[prefix+s.path]
			if text == "" {
				text = s.def
			}
		case textValue:
			text = withoutPassword(text)
		}
		list = append(list, c.setting(prefix+s.path, text))
	}
	return list
}

func (c *Config) setting(path, text string) Setting {
	return Setting{Path: path, Value: text, Origin: c.Origin(path)}
}

// Origin returns where the value of that path came from.
func (c *Config) Origin(path string) Origin {
	if o, ok := c.origins[path]; ok {
		return o
	}
	return Origin{Kind: FromDefault}
}

// near returns the place to point at when something is missing at path: the
// closest enclosing key that stands in the file, or else the file's start.
func (c *Config) near(path string) Origin {
	for path != "" {
		if o, ok := c.origins[path]; ok {
			return o
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return Origin{Kind: FromFile, Name: c.file, Line: 1, Col: 1}
}

func orgPath(i int) string { return fmt.Sprintf("%s[%d]", keyOrgs, i) }

// withoutPassword hides the password of a URL. What cannot be parsed as one is
// hidden whole if it could hold one.
func withoutPassword(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "[sealed]"
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}
