package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/vault"
)

// simFlags say what emulated org is served.
type simFlags struct {
	listen, control, profile, credentials string
	seed                                  uint64
	subjects, daily                       int
	small                                 bool
	speed                                 float64
	latency, recycleLag, gate             time.Duration
	without                               []string
}

// simDoc says where an emulated org is. Its secret is in the file only.
type simDoc struct {
	Schema      string `json:"schema"`
	URL         string `json:"url"`
	Control     string `json:"control"`
	Profile     string `json:"profile"`
	Seed        uint64 `json:"seed"`
	ClientID    string `json:"client_id"`
	Credentials string `json:"credentials_file,omitempty"`
}

func (a *app) simVerbs() *cobra.Command {
	return group("sim", "Run an emulated Salesforce org", a.simServeVerb())
}

func (a *app) simServeVerb() *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve an emulated org that throttles, lies and forgets",
		Long: "Serve an emulated Salesforce org on loopback until it is stopped. Its control address injects\n" +
			"faults and tells the truth about every write: for tests, never for real data.\n" +
			"--credentials writes the client secret into a new file of mode 0600, for weir.yaml to refer to.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sim(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:0", "loopback address of the org")
	fl.StringVar(&f.control, "control", "127.0.0.1:0", "loopback address of the control API")
	fl.StringVar(&f.profile, "profile", "rude", strings.Join(emulator.Scenarios(), ", "))
	fl.StringSliceVar(&f.without, "without", nil, "kinds of fault that the profile leaves out, such as html503")
	fl.StringVar(&f.credentials, "credentials", "", "write the client secret to this new file")
	fl.Uint64Var(&f.seed, "seed", 42, "the same seed gives the same org and the same faults")
	fl.IntVar(&f.subjects, "subjects", 24, "people who may ask for their data")
	fl.IntVar(&f.daily, "daily", 0, "calls in any 24 hours (default: 15000)")
	fl.BoolVar(&f.small, "small", false, "a few hundred records and four subjects")
	fl.Float64Var(&f.speed, "speed", 1, "how fast the org's clock runs")
	fl.DurationVar(&f.latency, "latency", 0, "mean duration of a call, half of it before the org looks at it")
	fl.DurationVar(&f.gate, "gate", 0, "how long a burst refusal lasts (default: as in the profile)")
	fl.DurationVar(&f.recycleLag, "recycle-lag", 24*time.Hour, "how long queryAll still shows a purged record; 0 for not at all")
	return cmd
}

func (a *app) sim(ctx context.Context, f simFlags) error {
	profile, ok := emulator.Scenario(f.profile)
	if !ok {
		return usage("Profiles: "+strings.Join(emulator.Scenarios(), ", ")+".", "--profile names no profile")
	}
	if f.speed <= 0 || f.subjects < 0 || f.latency < 0 || f.recycleLag < 0 || f.gate < 0 || f.daily < 0 {
		return usage("", "--speed is above 0; --subjects, --daily, --latency, --gate and --recycle-lag are not below")
	}
	if f.gate > 0 {
		profile.GateFor = f.gate
	}
	if profile, ok = withoutFaults(profile, f.without); !ok {
		return usage("Kinds: "+joinIDs(emulator.Faults())+".", "--without names no kind of fault")
	}
	if f.recycleLag == 0 {
		f.recycleLag = -1 // to the emulator, zero is its default and a negative lag is none
	}
	org := emulator.New(emulator.Options{
		Seed: f.seed, Profile: profile, Now: fasterClock(f.speed), Sleep: fasterSleep(f.speed),
		Latency: f.latency, RecycleLag: f.recycleLag, Limits: emulator.Limits{DailyAPI: f.daily},
	})
	if f.small {
		emulator.SeedSmall(org)
	} else {
		emulator.SeedDemo(org, f.subjects)
	}
	api, err := loopbackListener(ctx, f.listen)
	if err != nil {
		return err
	}
	control, err := loopbackListener(ctx, f.control)
	if err != nil {
		return errors.Join(err, api.Close())
	}
	creds := org.Credentials()
	if f.credentials != "" {
		if err := vault.WriteSecretFile(f.credentials, pii.NewString(creds.ClientSecret+"\n")); err != nil {
			return errors.Join(err, api.Close(), control.Close())
		}
	}
	doc := simDoc{"weir.sim/v1", "http://" + api.Addr().String(), "http://" + control.Addr().String(), profile.Name, f.seed, creds.ClientID, f.credentials}
	if err := a.show(doc, func(p *page) { simText(p, doc) }); err != nil {
		return errors.Join(err, api.Close(), control.Close())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serveUntil(ctx, api, org.Handler()) })
	g.Go(func() error { return serveUntil(ctx, control, org.Control()) })
	return g.Wait()
}

// withoutFaults leaves kinds of fault out of a profile, if they exist.
func withoutFaults(p emulator.Profile, names []string) (_ emulator.Profile, ok bool) {
	for _, name := range names {
		kind := emulator.Fault(name)
		if !slices.Contains(emulator.Faults(), kind) {
			return p, false
		}
		p = p.Without(kind)
	}
	return p, true
}

func simText(p *page, doc simDoc) {
	p.linef("emulated org  %s  (profile %s, seed %d)", doc.URL, doc.Profile, doc.Seed)
	p.linef("control       %s", doc.Control)
	p.linef("client id     %s", doc.ClientID)
	if doc.Credentials == "" {
		p.linef("The client secret is at %s/credentials, or in a file with --credentials FILE.", doc.Control)
		return
	}
	p.linef("Connect it: weir org add sim --instance-url %s --client-id %s --secret file:%s", doc.URL, doc.ClientID, absolute(doc.Credentials))
}

// loopbackListener refuses to show an emulated org to the network.
func loopbackListener(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	if err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return nil, usage("Such as 127.0.0.1:8080.", "an emulated org listens on loopback only")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, web.Fail(web.ExitFailure, "listen", "", "listen on %s: %s", addr, err.Error())
	}
	return l, nil
}

// serveUntil answers until ctx ends.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() }) // Serve returns ErrServerClosed
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return nil
}

// fasterClock is a clock that starts now and runs speed times as fast.
func fasterClock(speed float64) func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(time.Duration(float64(time.Since(start)) * speed)) }
}

func fasterSleep(speed float64) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		t := time.NewTimer(time.Duration(float64(d) / speed))
		defer t.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			return nil
		}
	}
}
