package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/vault"
)

// desk is who answers a verb: the weir that runs, through its socket, or an
// engine of this process.
type desk struct {
	web.Caller
	cfg    *config.Config
	engine *engine.Engine // nil while another process answers
	server *web.Server    // of a process that works; nil for the others
}

// purpose says what a verb needs of an engine in its own process.
type purpose int

const (
	looking purpose = iota // reads and writes the store; sends nothing, so it needs no credentials
	calling                // sends a call
	working                // carries out what is due, and answers other verbs meanwhile
)

var errNoConfig = errors.New("no configuration")

// load reads the configuration.
func (a *app) load() (*config.Config, error) {
	cfg, err := config.Load(a.config, a.env)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %s", errNoConfig, a.config)
	}
	return cfg, err
}

// patience is how long a verb waits for another one that holds the store.
const patience = 3 * time.Second

// open finds out who answers. Two verbs that meet at an embedded store, or would both
// answer others, wait for each other for a moment.
func (a *app) open(ctx context.Context, why purpose, log *slog.Logger) (*desk, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(patience); ; {
		remote, err := web.Dial(ctx, cfg.DataDir)
		if err != nil {
			return nil, web.Fail(web.ExitStore, "socket", "The socket belongs to the user that runs weir.", "%s", err.Error())
		}
		if remote != nil {
			return &desk{Caller: remote, cfg: cfg}, nil
		}
		d, err := a.openHere(ctx, cfg, why, log)
		if !errors.Is(err, engine.ErrLocked) || time.Now().After(end) {
			return d, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// openHere opens the store in this process.
func (a *app) openHere(ctx context.Context, cfg *config.Config, why purpose, log *slog.Logger) (*desk, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	opts, err := engineOptions(cfg, why)
	if err != nil {
		return nil, err
	}
	opts.Log = log
	d := &desk{cfg: cfg}
	if why == working {
		if d.server, err = web.NewServer(cfg.DataDir); err != nil {
			return nil, err
		}
	}
	if d.engine, err = engine.Open(ctx, opts); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.Caller = web.Local{Engine: d.engine, By: web.Person(os.Getuid())}
	return d, nil
}

// close ends what open began.
func (d *desk) close() (err error) {
	if d.engine != nil {
		err = d.engine.Close()
	}
	if d.server != nil {
		err = errors.Join(err, d.server.Close())
	}
	return err
}

// ask runs one operation that sends nothing, and closes the desk again: all
// that a plain verb does.
func (a *app) ask(ctx context.Context, operation string, in, out any) error {
	return a.once(ctx, looking, operation, in, out)
}

// once is ask for an operation that may need credentials.
func (a *app) once(ctx context.Context, why purpose, operation string, in, out any) error {
	return a.at(ctx, why, func(ctx context.Context, d *desk) error { return d.Call(ctx, operation, in, out) })
}

// at opens a desk for so long as fn asks it.
func (a *app) at(ctx context.Context, why purpose, fn func(context.Context, *desk) error) (err error) {
	ctx, cancel := a.within(ctx, time.Minute)
	defer cancel()
	d, err := a.open(ctx, why, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return fn(ctx, d)
}

// work lets the engine of this process carry out what is due, until stop is
// called; a running weir does so by itself. Meanwhile the socket answers other
// verbs. The context that it returns ends when the work fails; stop says why.
func (d *desk) work(ctx context.Context) (_ context.Context, stop func() error) {
	if d.engine == nil {
		return ctx, func() error { return nil }
	}
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.engine.Run(ctx) })
	g.Go(func() error { return d.server.Serve(ctx, d.engine) })
	return ctx, func() error {
		cancel()
		if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	}
}

// harden prepares a process that will hold personal data for longer: memory is
// overwritten when it is freed, and nobody can read or dump it. It starts the
// program anew once, so it comes before anything else.
func harden() error {
	if err := vault.ReexecScrubbed(); err != nil {
		return err
	}
	return vault.Harden()
}

// withDesk runs a verb that may have to work itself until something happened.
func (a *app) withDesk(ctx context.Context, bound time.Duration, fn func(context.Context, *desk) error) error {
	if err := harden(); err != nil {
		return err
	}
	ctx, cancel := a.within(ctx, bound)
	defer cancel()
	d, err := a.open(ctx, working, nil)
	if err != nil {
		return err
	}
	busy, stop := d.work(ctx)
	err = fn(busy, d)
	if failed := stop(); failed != nil {
		err = failed // what stopped the work is why the verb could not go on
	}
	return errors.Join(err, d.close())
}

// relative shortens a path for people who are near it.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
