package salesforce

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/weirhq/weir"
)

// maxCount is the largest number of calls, and maxRetryAfter the longest wait,
// that a reading may state; whatever is larger is hostile or broken.
const (
	maxCount      = int64(1e12)
	maxRetryAfter = 7 * 24 * time.Hour
)

// Sources of readings that are not named after a header.
const (
	sourceSOAP   = "soap LimitInfoHeader"
	sourceLimits = "/limits"
)

// ParseReadings takes every limit measurement out of the headers of a response
// that arrived at the given time. It understands the whole grammar of
// Sforce-Limit-Info, and the headers of gateways in front of an org:
// X-Rate-Limit-Concurrent, X-Rate-Limit-Remaining and Retry-After. Header names
// match in any case and with any dashes; what cannot be read gives no reading,
// and of two readings of one limit the more careful counts.
func ParseReadings(h http.Header, at time.Time) []weir.Reading { return AppendReadings(nil, h, at) }

// AppendReadings is ParseReadings into a buffer of the caller's: whoever looks
// at every call of a busy program allocates nothing.
func AppendReadings(into []weir.Reading, h http.Header, at time.Time) []weir.Reading {
	var few [4]string // an answer has one such header, seldom more
	names := few[:0]
	for name := range h {
		if telemetry(name) != "" {
			names = append(names, name)
		}
	}
	sortNames(names)
	start := len(into)
	for _, name := range names {
		for _, value := range h[name] {
			switch kind := telemetry(name); kind {
			case weir.ReadDaily:
				into = limitInfo(into, start, value, name, at)
			case weir.ReadRetryAfter:
				if r, ok := retryAfter(value, name, at); ok {
					into = addCareful(into, start, r)
				}
			default:
				if r, ok := gatewayCount(value, name, kind, at); ok {
					into = addCareful(into, start, r)
				}
			}
		}
	}
	return into
}

// telemetry says which limit a header speaks of, or "". Sforce-Limit-Info,
// which may speak of several, counts as the daily one.
func telemetry(name string) weir.ReadingKind {
	if name == "" {
		return ""
	}
	switch name[0] {
	case 'S', 's', 'X', 'x', 'R', 'r', '-', '_', ' ':
	default:
		return "" // most names end here: every call comes by
	}
	var buf [20]byte // the longest name that we know, without dashes
	switch string(squeezed(buf[:0], name)) {
	case "sforcelimitinfo":
		return weir.ReadDaily
	case "xratelimitconcurrent", "ratelimitconcurrent":
		return weir.ReadConcurrent
	case "xratelimitremaining", "ratelimitremaining":
		return weir.ReadRemaining
	case "retryafter":
		return weir.ReadRetryAfter
	}
	return ""
}

// addCareful adds a reading of a header. Where headers of one response
// contradict each other, as behind a gateway that adds its own, the one that
// asks for more care counts: the longer wait, the smaller remainder.
func addCareful(have []weir.Reading, start int, r weir.Reading) []weir.Reading {
	i := indexOfLimit(have, start, r)
	if i < 0 {
		return append(have, r)
	}
	var careful bool
	switch r.Kind {
	case weir.ReadRetryAfter, weir.ReadConcurrent:
		careful = r.Used >= have[i].Used
	case weir.ReadRemaining:
		careful = r.Used <= have[i].Used
	case weir.ReadDaily, weir.ReadApp, weir.ReadBursts, weir.ReadOther:
		careful = r.Limit-r.Used <= have[i].Limit-have[i].Used
	}
	if careful {
		have[i] = r
	}
	return have
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	sortNames(names)
	return names
}

func sortNames(names []string) {
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
}

// squeezed appends a header name in lower case and without its dashes, which
// gateways spell as they like. It stops when the buffer is full: then the name
// is none of ours.
func squeezed(into []byte, name string) []byte {
	for _, c := range []byte(strings.TrimSpace(name)) {
		switch {
		case c == '-' || c == '_':
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if len(into) == cap(into) {
			return nil
		}
		into = append(into, c)
	}
	return into
}

// indexOfLimit finds a reading of the same limit among those from start on; -1
// when there is none. Gateways spell their headers in several ways and mean one
// limit.
func indexOfLimit(have []weir.Reading, start int, r weir.Reading) int {
	anyName := r.Kind == weir.ReadRemaining || r.Kind == weir.ReadConcurrent
	for i := start; i < len(have); i++ {
		if o := &have[i]; o.Kind == r.Kind && (anyName || o.Name == r.Name) && o.App == r.App {
			return i
		}
	}
	return -1
}

// mergeReadings appends readings; of two for the same limit the later wins.
func mergeReadings(have, more []weir.Reading) []weir.Reading {
	for _, r := range more {
		if i := indexOfLimit(have, 0, r); i >= 0 {
			have[i] = r
			continue
		}
		have = append(have, r)
	}
	return have
}

// limitInfo parses one Sforce-Limit-Info value: items such as
// "per-app-api-usage=17/250(appName=a/b; c)" with semicolons between them, or
// commas where a proxy joined two header lines.
func limitInfo(into []weir.Reading, start int, value, source string, at time.Time) []weir.Reading {
	for rest := value; rest != ""; {
		r, after, ok := limitItem(rest)
		if ok {
			r.At, r.Source = at, source
			into = addCareful(into, start, r)
		}
		rest = after
	}
	return into
}

// limitItem parses the first item and returns what follows it.
func limitItem(s string) (r weir.Reading, rest string, ok bool) {
	for s != "" && (s[0] == ';' || s[0] == ',' || s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	end := 0
	for end < len(s) && s[end] != ';' && s[end] != ',' && s[end] != '(' {
		end++
	}
	head := s[:end]
	rest = s[end:]
	if strings.HasPrefix(rest, "(") {
		r.App, rest = appName(rest[1:])
	}
	name, amount, found := strings.Cut(head, "=")
	used, limit, slash := strings.Cut(amount, "/")
	r.Name = strings.ToLower(strings.TrimSpace(name))
	if !found || !slash || !plainToken(r.Name) {
		return r, rest, false
	}
	var okUsed, okLimit, cutUsed, cutLimit bool
	r.Used, cutUsed, okUsed = count(used)
	r.Limit, cutLimit, okLimit = count(limit)
	r.Clamped = cutUsed || cutLimit
	r.Kind = limitKind(r.Name)
	return r, rest, okUsed && okLimit && r.Limit > 0 // a limit of zero says nothing
}

func limitKind(name string) weir.ReadingKind {
	switch name {
	case "api-usage":
		return weir.ReadDaily
	case "per-app-api-usage":
		return weir.ReadApp
	case "api-bursts":
		return weir.ReadBursts
	}
	return weir.ReadOther
}

// appName reads behind an opening parenthesis. An app's name may itself hold
// parentheses, commas and semicolons, so the name ends at the first closing one
// behind which the value ends or another item begins.
func appName(s string) (app, rest string) {
	for i := 0; i < len(s); i++ {
		if s[i] == ')' && itemFollows(s[i+1:]) {
			app, rest = s[:i], s[i+1:]
			break
		}
	}
	if app == "" && rest == "" {
		app = s // never closed: the rest of the value belongs to the name
	}
	key, name, found := strings.Cut(app, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(key), "appname") {
		return "", rest
	}
	name = strings.TrimSpace(name)
	if len(name) > 255 {
		name = name[:255]
	}
	return shown(name), rest
}

// shown replaces what a terminal or a page would act on in a name that the
// org gave, and what is not UTF-8.
func shown(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(name, string(utf8.RuneError)))
}

// itemFollows says whether s is at the end of an item.
func itemFollows(s string) bool {
	s = strings.TrimLeft(s, " \t")
	if s == "" {
		return true
	}
	if s[0] != ';' && s[0] != ',' {
		return false
	}
	s = strings.TrimLeft(s, ";, \t")
	if end := strings.IndexAny(s, ";,()"); end >= 0 {
		s = s[:end]
	}
	name, amount, found := strings.Cut(s, "=")
	return s == "" || found && plainToken(strings.TrimSpace(name)) && strings.Contains(amount, "/")
}

func plainToken(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 80
}

// count reads a whole number, cutting it to [0, maxCount].
func count(s string) (n int64, clamped, ok bool) {
	s = strings.TrimSpace(s)
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	if s == "" {
		return 0, false, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false, false
		}
		if n = n*10 + int64(c-'0'); n > maxCount {
			n, clamped = maxCount, true
		}
	}
	if negative && n > 0 {
		return 0, true, true
	}
	return n, clamped, true
}
