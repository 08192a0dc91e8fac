package transport

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// DeferredError says that a call was not sent, because it would have had to
// wait past its deadline. Nothing reached the org.
//
// errors.As finds it behind the *url.Error of an http.Client; errors.Is finds
// its class (weir.ThrottledDaily, …) and, when the context had ended, the
// context's error.
type DeferredError struct {
	Org      weir.OrgID
	Until    time.Time       // the call may be sent from then on, as far as is known
	Class    weir.Category   // what it would have waited for
	Evidence []weir.Evidence // what the governor based that on: codes and numbers

	cause error // the context's error, if it had ended
}

func (e *DeferredError) Error() string {
	why := governor.Explain(weir.Decision{
		Ruling: weir.WaitUntil, Wait: weir.Wait{Until: e.Until, Cause: e.Class, Evidence: e.Evidence},
	})
	text := "call not sent: " + strings.TrimSuffix(strings.TrimPrefix(why, "It "), ".")
	if e.Org != "" {
		text = "org " + string(e.Org) + ": " + text
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the class and, if there is one, the context's error.
func (e *DeferredError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.cause}
}

// ClassHeader marks an answer that the transport made itself, with the class of
// what the call would have waited for.
const ClassHeader = "Weir-Deferred"

// response is the deferral in the form that every client understands.
func (e *DeferredError) response(req *http.Request, now time.Time) *http.Response {
	wait := max((e.Until.Sub(now)+time.Second-1)/time.Second, 1)
	r := synthetic(req, http.StatusTooManyRequests, "REQUEST_LIMIT_EXCEEDED", "weir did not send the call: "+string(e.Class))
	r.Header.Set("Retry-After", strconv.FormatInt(int64(wait), 10))
	r.Header.Set(ClassHeader, string(e.Class))
	return r
}

// synthetic is an answer in the org's own form that the org did not give.
func synthetic(req *http.Request, status int, code, message string) *http.Response {
	body := `[{"errorCode":"` + code + `","message":"` + message + `"}]`
	if req.Method == http.MethodHead {
		body = ""
	}
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}
}
