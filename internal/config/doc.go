// Package config reads weir.yaml: one struct, defaults, the file, WEIR_*
// variables and flags over it, and for every value the place it came from.
//
// The invariant it protects: a configuration is taken whole or not at all.
// Every mistake is reported at once, each with file:line:col and what to write
// instead; an unknown key is a mistake. No secret stands in the file, only
// references to where secrets are.
//
// Start reading at Config, then Parse. Which keys exist is the table in
// setting.go; what they may hold is value.go; how keys must fit together is
// validate.go.
package config
