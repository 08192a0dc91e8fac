//go:build !linux

package vault_test

import "github.com/weirhq/weir/vault"

func childHarden() error { return vault.Harden() }
