package salesforce

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// Errors of New: the configuration of the org cannot be used.
var (
	ErrInsecureURL = errors.New("the org's URL must be https; http is for loopback hosts only")
	ErrInstanceURL = errors.New("the org's URL must be scheme and host, nothing else")
	ErrAPIVersion  = errors.New(`the API version must look like "66.0"`)
	ErrNoAuth      = errors.New("no credentials are configured for the org")
)

// Codes of faults that weir itself found; everything else in Fault.Code was
// written by Salesforce.
const (
	CodeNotSent         = "WEIR_NOT_SENT"         // nothing reached the org
	CodeLapsed          = "WEIR_CLAIM_LAPSED"     // not sent: the claim may belong to another node by now, see SendWhile
	CodeNoAnswer        = "WEIR_NO_ANSWER"        // sent, and no answer came
	CodeBrokenAnswer    = "WEIR_BROKEN_ANSWER"    // the answer ended early or cannot be read
	CodeAnswerTooLarge  = "WEIR_ANSWER_TOO_LARGE" // over the size, ratio or depth cap
	CodeInvalidQuery    = "WEIR_INVALID_QUERY"    // refused before anything was sent
	CodeInvalidMutation = "WEIR_INVALID_MUTATION" // refused before anything was sent
	CodeInstanceMoved   = "WEIR_INSTANCE_MOVED"   // the token's instance_url is not the pinned host
	CodeForeignLink     = "WEIR_FOREIGN_LINK"     // a link in an answer leads elsewhere
	CodeMismatch        = "WEIR_MISMATCH"         // answers do not line up with what was asked
	CodeSink            = "WEIR_SINK"             // the caller's sink failed; see Answer.Err
)

// Defaults of Options.
const (
	DefaultAPIVersion = "66.0"
	defaultTimeout    = 2 * time.Minute
	defaultPageCap    = 64 << 20
	defaultErrorCap   = 64 << 10
)

// Options configure a Client. InstanceURL and Auth are required.
type Options struct {
	InstanceURL string // such as "https://acme.my.salesforce.com": the one host that is ever called
	APIVersion  string // such as "66.0", the default
	Auth        Auth
	Node        string            // letters and digits that tell this process from others in the org's event logs; may be empty
	Transport   http.RoundTripper // nil = a transport of our own: HTTP/1.1, no proxy from the environment, capped headers
	Timeout     time.Duration     // of one call, reading the answer included; 0 = two minutes
	Now         func() time.Time  // nil = time.Now
	PageCap     int64             // largest answer after decompression; 0 = 64 MiB
	ErrorCap    int64             // how much of an error answer is read; 0 = 64 KiB
}

// Client talks to one org. Its methods are safe for concurrent use.
type Client struct {
	base      *url.URL
	version   string
	agent     string
	transport http.RoundTripper
	timeout   time.Duration
	now       func() time.Time
	pageCap   int64
	errorCap  int64
	tokens    tokens
	usage     atomic.Pointer[[]weir.Reading] // the last daily and per-app readings: row 5 of the table needs them
}

// Answer is what one exchange with the org gave, whatever came of it.
type Answer struct {
	SentAt   time.Time // when the call was sent; zero when nothing was
	At       time.Time // when the answer arrived, or when it was given up
	Calls    int       // API calls that the org counted; token calls are free
	Readings []weir.Reading
	Fault    *weir.Fault // nil when the exchange succeeded
	Detail   pii.Secret  // the org's message text, which echoes values: seal it or drop it
	Err      error       // what the caller's own sink returned; then Fault has CodeSink
}

var versionShape = regexp.MustCompile(`^[1-9][0-9]{1,2}\.0$`)

// New checks the options and returns a Client. It sends nothing.
func New(o Options) (*Client, error) {
	base, err := pinnedBase(o.InstanceURL)
	if err != nil {
		return nil, fmt.Errorf("salesforce client: %w", err)
	}
	if o.APIVersion == "" {
		o.APIVersion = DefaultAPIVersion
	}
	if !versionShape.MatchString(o.APIVersion) {
		return nil, fmt.Errorf("salesforce client: %q: %w", o.APIVersion, ErrAPIVersion)
	}
	if o.Auth == nil {
		return nil, fmt.Errorf("salesforce client: %w", ErrNoAuth)
	}
	if err := o.Auth.check(); err != nil {
		return nil, fmt.Errorf("salesforce client: %w", err)
	}
	c := &Client{
		base: base, version: o.APIVersion, agent: agentOf(o.Node), transport: o.Transport, timeout: o.Timeout,
		now: o.Now, pageCap: o.PageCap, errorCap: o.ErrorCap,
	}
	c.tokens.auth = o.Auth
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.pageCap <= 0 {
		c.pageCap = defaultPageCap
	}
	if c.errorCap <= 0 {
		c.errorCap = defaultErrorCap
	}
	if c.transport == nil {
		c.transport = newTransport(loopback(base.Hostname()), c.timeout)
	}
	return c, nil
}

var nodeShape = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)

// agentOf names the caller. A name that is no plain word is left out: it would
// go into a header.
func agentOf(node string) string {
	if !nodeShape.MatchString(node) {
		return "weir"
	}
	return "weir/" + node
}

// CloseIdle closes idle connections: their buffers held personal data, and a
// parked lane has no use for them.
func (c *Client) CloseIdle() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// data returns the path of a REST resource of the configured API version.
func (c *Client) data(rest string) string { return "/services/data/v" + c.version + rest }

// remember keeps the newest usage readings of the org.
func (c *Client) remember(readings []weir.Reading) {
	var kept []weir.Reading
	for _, r := range readings {
		if (r.Kind == weir.ReadDaily || r.Kind == weir.ReadApp) && !r.Clamped {
			kept = append(kept, r)
		}
	}
	if len(kept) > 0 {
		c.usage.Store(&kept)
	}
}

func (c *Client) lastUsage() []weir.Reading {
	if p := c.usage.Load(); p != nil {
		return *p
	}
	return nil
}

// refuse is the Answer to a call that weir will not send.
func (c *Client) refuse(code string, category weir.Category) Answer {
	return Answer{At: c.now(), Fault: ownFault(code, category, weir.EffectNone)}
}

// ownFault builds a fault that weir itself found.
func ownFault(code string, category weir.Category, effect weir.Effect) *weir.Fault {
	t := traitsOf(category)
	return &weir.Fault{Category: category, Code: code, Scope: t.scope, Effect: effect, Retryable: t.retry}
}
