package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/metrics"
	"github.com/weirhq/weir/internal/web"
)

// stopWithin is how long a stopping weir lets running calls record their
// outcome. Those that take longer are read back after the next start.
const stopWithin = 9 * time.Second

// serveDoc is the one document of `weir serve --json`: it runs, and where.
type serveDoc struct {
	Schema  string `json:"schema"`
	Node    string `json:"node"`
	Socket  string `json:"socket"`
	Metrics string `json:"metrics"`
}

func (a *app) serveVerb() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run: do the work of every request, answer the other verbs, serve /metrics",
		Long: "Run until SIGTERM or SIGINT, which stop it within 10 s; a second one interrupts at once, and that\n" +
			"loses nothing either. Other verbs reach it through the 0600 socket in the data directory;\n" +
			"/metrics is on the loopback address `listen`. The log goes to standard error.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := harden(); err != nil {
				return err
			}
			return a.serve(cmd.Context())
		},
	}
}

func (a *app) serve(ctx context.Context) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	log := newLog(a.err, cfg.Log)
	d, err := a.open(ctx, working, log)
	if err != nil {
		return err
	}
	if d.engine == nil {
		return web.Fail(web.ExitStore, "already_running", "`weir status`, `weir limits` and every other verb reach it.", "a weir runs on %s already", cfg.DataDir)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for /metrics: %w", err), d.close())
	}
	doc := serveDoc{"weir.serve/v1", d.engine.Node(), d.cfg.DataDir + "/" + web.SocketName, "http://" + listener.Addr().String() + "/metrics"}
	err = a.show(doc, func(p *page) {
		p.linef("weir serves %s; metrics at %s", plural(len(cfg.Orgs), "org", "orgs"), doc.Metrics)
	})
	if err != nil {
		return errors.Join(err, listener.Close(), d.close())
	}
	return errors.Join(d.serve(ctx, listener, log), d.close())
}

// serve runs the three parts of a running weir until ctx ends or one fails.
func (d *desk) serve(ctx context.Context, listener net.Listener, log *slog.Logger) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.engine.Run(ctx) })
	g.Go(func() error { return d.server.Serve(ctx, d.engine) })
	g.Go(func() error { return serveMetrics(ctx, listener, figures{d.engine}) })
	done := make(chan error, 1)
	go func() { done <- g.Wait() }() // ends with the group; a stop that is too slow ends the process
	select {
	case err := <-done:
		return stopped(err)
	case <-ctx.Done():
	}
	log.Info("stopping", "within_s", stopWithin.Seconds())
	select {
	case err := <-done:
		return stopped(err)
	case <-time.After(stopWithin):
		log.Warn("calls were cut off; their outcome is read back after the next start")
		return nil
	}
}

// stopped makes being told to stop a success.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// serveMetrics answers scrapes until ctx ends.
func serveMetrics(ctx context.Context, l net.Listener, source metrics.Source) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(source))
	return serveUntil(ctx, l, mux)
}

// newLog makes the program's log as the configuration wants it.
func newLog(to io.Writer, c config.Log) *slog.Logger {
	level := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[c.Level]
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, opts))
	}
	return slog.New(slog.NewTextHandler(to, opts))
}
