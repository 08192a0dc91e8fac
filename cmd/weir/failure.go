package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

// asFailure gives every error its exit code, its code word and what to do
// next. Errors of files and keys are known here; the rest is the table of
// internal/web, which a running weir uses too.
func asFailure(err error) *web.Failure {
	var done *web.Failure
	if errors.As(err, &done) {
		return done
	}
	var problems config.Problems
	if errors.As(err, &problems) {
		return mistakes("config", "the configuration has mistakes; nothing was changed", "`weir config show --origin` prints where each value comes from.", problems.Error())
	}
	var wrong *datamap.Errors
	if errors.As(err, &wrong) {
		return mistakes("data_map", "the data map has mistakes; nothing was planned", "", wrong.Error())
	}
	for _, k := range []struct {
		is   error
		exit int
		code string
		hint string
	}{
		{errNoConfig, web.ExitConfig, "no_config", "`weir init` writes one; --config or $WEIR_CONFIG names another."},
		{config.ErrOrgExists, web.ExitConflict, "org_exists", "Nothing was changed. `weir org list` shows it."},
		{vault.ErrFull, web.ExitFailure, "disk_full", "Nothing was lost; weir goes on when there is room."},
		{salesforce.ErrIncompleteAuth, web.ExitAuth, "credentials", "`weir config show` prints the references."},
		{errCredentials, web.ExitAuth, "credentials", "Nothing was sent. `weir config show` prints the references."},
		{fs.ErrNotExist, web.ExitNotFound, "no_file", ""},
		{fs.ErrPermission, web.ExitAuth, "permission", ""},
		{context.Canceled, web.ExitInterrupted, "interrupted", "What was accepted is durable; look again with `weir status`."},
	} {
		if errors.Is(err, k.is) {
			return web.Fail(k.exit, k.code, k.hint, "%s", err.Error())
		}
	}
	return web.AsFailure(err)
}

func mistakes(code, message, hint, list string) *web.Failure {
	f := web.Fail(web.ExitConfig, code, hint, "%s", message)
	f.Problems = strings.Split(list, "\n")
	return f
}
