package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads and checks the file at path; env is asked for overrides, and is
// os.Getenv outside tests. A mistake in the text is a Problems.
func Load(path string, env func(string) string) (*Config, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, src, env)
}

// Parse is Load for a text that was read already; name stands in messages, and
// its directory is where relative paths start.
func Parse(name string, src []byte, env func(string) string) (*Config, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("find the directory of %s: %w", name, err)
	}
	c := &Config{file: name, dir: filepath.Dir(abs), origins: map[string]Origin{}, spelled: map[string]string{}}
	withDefaults(c.scalars())
	r := &reader{c: c}
	r.read(src)
	r.environment(env)
	c.resolve()
	if err := c.check(r.problems); err != nil {
		return nil, err
	}
	return c, nil
}

// environment puts the WEIR_* variables over the file. An empty variable is
// not set. Orgs and laws have none.
func (r *reader) environment(env func(string) string) {
	if env == nil {
		return
	}
	for _, s := range r.c.scalars() {
		name := variable(s.path)
		if text := env(name); text != "" && s.path != "version" {
			r.override(s, text, Origin{Kind: FromEnv, Name: name})
		}
	}
}

func (r *reader) override(s scalar, text string, from Origin) {
	if err := s.into.set(text); err != nil {
		r.problems = append(r.problems, Problem{Origin: from, Message: fmt.Sprintf("%q %v", s.path, err)})
		return
	}
	r.c.origins[s.path] = from
	r.c.spelled[s.path] = text
}

// Override puts the value of a command line flag over everything else and
// checks the configuration again. Orgs cannot be overridden.
func (c *Config) Override(path, text, flag string) error {
	table := c.scalars()
	i := slices.IndexFunc(table, func(s scalar) bool { return s.path == path })
	if i < 0 {
		return fmt.Errorf("no configuration key %q can be overridden by --%s", path, flag)
	}
	r := &reader{c: c}
	if path == "data_dir" { // what has its default follows
		if c.Origin("store").Kind == FromDefault {
			c.Store = ""
		}
		if c.Origin("vault_dir").Kind == FromDefault {
			c.VaultDir = ""
		}
	}
	r.override(table[i], text, Origin{Kind: FromFlag, Name: flag})
	c.resolve()
	return c.check(r.problems)
}

// resolve makes every path absolute, starting from the file's directory.
func (c *Config) resolve() {
	c.DataDir = c.abs(c.DataDir)
	if c.VaultDir == "" {
		c.VaultDir = filepath.Join(c.DataDir, "vault")
	}
	c.VaultDir = c.abs(c.VaultDir)
	if c.Store == "" {
		c.Store = sqliteScheme + filepath.Join(c.DataDir, "weir.db")
	}
	if path, ok := strings.CutPrefix(c.Store, sqliteScheme); ok {
		c.Store = sqliteScheme + c.abs(path)
	}
	c.Keys.KEK = c.absRef(c.Keys.KEK)
	c.Keys.Signing = c.absRef(c.Keys.Signing)
	for i := range c.Orgs {
		o := &c.Orgs[i]
		o.InstanceURL = strings.TrimSuffix(o.InstanceURL, "/")
		o.Auth.Audience = strings.TrimSuffix(o.Auth.Audience, "/")
		if o.DataMap != "" {
			o.DataMap = c.abs(o.DataMap)
		}
		o.Auth.Secret = c.absRef(o.Auth.Secret)
		o.Auth.Key = c.absRef(o.Auth.Key)
		o.Auth.RefreshToken = c.absRef(o.Auth.RefreshToken)
	}
}

func (c *Config) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(c.dir, path)
}

func (c *Config) absRef(ref string) string {
	if path, ok := strings.CutPrefix(ref, schemeFile+":"); ok {
		return schemeFile + ":" + c.abs(path)
	}
	return ref
}
