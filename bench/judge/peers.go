package judge

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/adaptivethrottler"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/k-capehart/go-salesforce/v3"
)

// Ours are two settings of weir: the default of weir serve, and a rate that is
// learnt from the first refusal on.
func Ours() []Peer {
	return []Peer{
		{"weir", "governor.DefaultPolicy, as weir serve has it", governed(false)},
		{always, "the same and LearnRate (budget.learn_rate: always)", governed(true)},
	}
}

// always is weir that takes every refusal for a rate.
const always = "weir, always"

func governed(learn bool) func(*testing.T, *Scenario) Result {
	return func(_ *testing.T, sc *Scenario) Result { return Weir(sc, learn) }
}

// Peer is one way to make calls. A call that it gives up is queued again by
// the driver, so that all policies do the same work.
type Peer struct {
	Name string
	Text string // its settings
	play func(t *testing.T, sc *Scenario) Result
}

// Peers lists the policies that are Go, each with its defaults and, where its
// documentation knows better ones for a throttled API, with those.
func Peers() []Peer {
	return []Peer{
		{"aws-adaptive", "aws-sdk-go-v2 aws/retry.AdaptiveMode, defaults", inGo(awsAdaptive(3, false))},
		{"aws-adaptive+", "the same, 10 attempts, Retry-After honoured", inGo(awsAdaptive(10, true))},
		{"failsafe", "failsafe-go failsafehttp retry policy, defaults", inGo(failsafeDefault)},
		{"failsafe+limiter", "retry with backoff 1-30 s and jitter, adaptive limiter", inGo(failsafeLimiter)},
		{"failsafe+throttler", "retry with backoff 1-30 s and jitter, adaptive throttler", inGo(failsafeThrottler)},
		{"retryablehttp", "hashicorp/go-retryablehttp, defaults", inGo(retryable(retryablehttp.DefaultBackoff))},
		{"retryablehttp+", "the same, RateLimitLinearJitterBackoff", inGo(retryable(retryablehttp.RateLimitLinearJitterBackoff))},
		{"go-salesforce", "k-capehart/go-salesforce v3, no retry of its own", inGo(goSalesforce)},
		{"brief", "the brief's algorithm: 5 tries, 2 s · 2^n + [0,1) s, at least Retry-After", inGo(brief)},
	}
}

// plays says whether a peer can be asked to do a scenario. Our 5 ms poll for the
// AWS SDK would ask 17 million times a day, and the driver of jsforce has all
// the work at once.
func (p Peer) plays(scenario string) bool {
	switch scenario {
	case "daily":
		return !strings.HasPrefix(p.Name, "aws")
	case "chance+idle":
		return !strings.HasPrefix(p.Name, "jsforce")
	}
	return true
}

// Run lets a peer do the work of a scenario on virtual time.
func (p Peer) Run(t *testing.T, sc *Scenario) Result {
	t.Helper()
	res := p.play(t, sc)
	res.Policy, res.Scenario, res.Seed, res.Text, res.Optimum = p.Name, sc.Name, sc.Seed, sc.Text, Optimum(sc)
	return res
}

func failsafeDefault(wire http.RoundTripper) (func(context.Context) error, error) {
	return plain(failsafehttp.NewRoundTripper(wire, failsafehttp.NewRetryPolicyBuilder().Build())), nil //nolint:bodyclose // there is no response yet
}

func failsafeLimiter(wire http.RoundTripper) (func(context.Context) error, error) {
	retries := failsafehttp.NewRetryPolicyBuilder().WithBackoff(time.Second, 30*time.Second).WithJitterFactor(0.5).WithMaxRetries(5).Build() //nolint:bodyclose // there is no response yet
	limiter := adaptivelimiter.NewBuilder[*http.Response]().WithLimits(1, 16, 4).WithQueueing(2, 3).Build()                                  //nolint:bodyclose // there is no response yet
	return plain(failsafehttp.NewRoundTripper(wire, retries, limiter)), nil
}

func failsafeThrottler(wire http.RoundTripper) (func(context.Context) error, error) {
	retries := failsafehttp.NewRetryPolicyBuilder().WithBackoff(time.Second, 30*time.Second).WithJitterFactor(0.5).WithMaxRetries(5).Build() //nolint:bodyclose // there is no response yet
	throttler := adaptivethrottler.NewBuilder[*http.Response]().HandleIf(func(r *http.Response, err error) bool {                            //nolint:bodyclose // there is no response yet
		return err != nil || r.StatusCode == http.StatusTooManyRequests
	}).Build() //nolint:bodyclose // there is no response yet
	call := plain(failsafehttp.NewRoundTripper(wire, retries, throttler))
	return func(ctx context.Context) error {
		err := call(ctx)
		if err != nil && !errors.Is(err, errRefused) {
			time.Sleep(100 * time.Millisecond) // shed on our side: ask again a little later
		}
		return err
	}, nil
}

// plain uses a transport as any Go client would.
func plain(wire http.RoundTripper) func(context.Context) error {
	c := &http.Client{Transport: wire}
	return func(ctx context.Context) error {
		_, err := get(ctx, c.Do)
		return err
	}
}

func retryable(backoff retryablehttp.Backoff) func(http.RoundTripper) (func(context.Context) error, error) {
	return func(wire http.RoundTripper) (func(context.Context) error, error) {
		c := retryablehttp.NewClient()
		c.HTTPClient, c.Logger, c.Backoff = &http.Client{Transport: wire}, nil, backoff
		return plain(&retryablehttp.RoundTripper{Client: c}), nil
	}
}

func goSalesforce(wire http.RoundTripper) (func(context.Context) error, error) {
	c, err := salesforce.Init(salesforce.Creds{Domain: "https://org.invalid", AccessToken: "token"},
		salesforce.WithRoundTripper(wire), salesforce.WithValidateAuthentication(false))
	if err != nil {
		return nil, err
	}
	return func(context.Context) error {
		res, err := c.DoRequest(http.MethodGet, "/limits", nil)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}, nil
}

// brief is the retry of the brief, word for word in Go.
func brief(wire http.RoundTripper) (func(context.Context) error, error) {
	const (
		retries = 5
		base    = 2 * time.Second
		ceiling = 300 * time.Second
	)
	c := &http.Client{Transport: wire}
	return func(ctx context.Context) error {
		for attempt := range retries {
			after, err := get(ctx, c.Do)
			if err == nil {
				return nil
			}
			jitter := time.Duration(rand.IntN(1000)) * time.Millisecond
			time.Sleep(max(min(base<<attempt+jitter, ceiling), after))
		}
		return errRefused
	}, nil
}

// throttled is a reject as the AWS SDK knows it.
type throttled struct{ after time.Duration }

func (throttled) Error() string     { return "throttled" }
func (throttled) ErrorCode() string { return "ThrottlingException" }

// awsAdaptive does what the SDK's retry middleware does with the real adaptive
// mode. Its own wait for a token loops without sleeping when the wait rounds to
// nothing, so that we ask again every 5 ms instead.
func awsAdaptive(attempts int, honour bool) func(http.RoundTripper) (func(context.Context) error, error) {
	return func(wire http.RoundTripper) (func(context.Context) error, error) {
		mode := retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
			o.FailOnNoAttemptTokens = true
			o.StandardOptions = append(o.StandardOptions, func(s *retry.StandardOptions) { s.MaxAttempts = attempts })
		})
		c := &http.Client{Transport: wire}
		return func(ctx context.Context) error { return awsCall(ctx, mode, c, honour) }, nil
	}
}

func awsCall(ctx context.Context, mode aws.RetryerV2, c *http.Client, honour bool) error {
	for attempt := 1; ; attempt++ {
		release, err := mode.GetAttemptToken(ctx)
		for err != nil {
			time.Sleep(5 * time.Millisecond)
			release, err = mode.GetAttemptToken(ctx)
		}
		after, failed := get(ctx, c.Do)
		if failed != nil {
			failed = throttled{after}
		}
		if err := release(failed); err != nil || failed == nil {
			return failed
		}
		if attempt >= mode.MaxAttempts() || !mode.IsErrorRetryable(failed) {
			return failed
		}
		done, err := mode.GetRetryToken(ctx, failed)
		if err != nil {
			return failed
		}
		wait, err := mode.RetryDelay(attempt, failed)
		if err != nil {
			return err
		}
		if honour {
			wait = max(wait, after)
		}
		time.Sleep(wait)
		if err := done(nil); err != nil {
			return err
		}
	}
}
