package emulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"time"
)

// tags says whether rows of the object have ETags: those of Account only.
func (x *exec) tags(ob *object) bool {
	return ob.name == "Account" || x.org.options.ETagEverywhere
}

// etag is opaque and moves with every change. As on the platform, the tag of a
// compressed answer is another string than that of a plain one; the parts of a
// composite are never compressed by themselves.
func (x *exec) etag(r *record) string {
	b := append([]byte(r.id), make([]byte, 8)...)
	binary.BigEndian.PutUint64(b[len(r.id):], r.version)
	sum := sha256.Sum256(b)
	tag := base64.StdEncoding.EncodeToString(sum[:20])
	if !x.composite && wantsGzip(x.header) {
		tag += "-gzip"
	}
	return `"` + tag + `"`
}

// preconditions evaluates the conditional headers against the record as it is.
// Nil means: go on. Dates compare in whole seconds with LastModifiedDate, so a
// change within the second passes.
func (x *exec) preconditions(method string, r *record) *reply {
	if x.composite && x.org.options.IgnoreConditionsInComposite {
		return nil
	}
	strict := method != http.MethodGet
	match, hasMatch, badMatch := parseTags(x.header.Get("If-Match"))
	noneMatch, hasNone, badNone := parseTags(x.header.Get("If-None-Match"))
	before, hasBefore, badBefore := parseDate(x.header.Get("If-Unmodified-Since"))
	since, hasSince, _ := parseDate(x.header.Get("If-Modified-Since"))
	if strict && (badMatch || badNone || badBefore) {
		return failure(http.StatusBadRequest, "INVALID_HEADER", "Invalid value of a conditional request header").reply()
	}
	if x.tags(r.object) {
		tag := x.etag(r)
		if hasMatch && !slices.Contains(match, tag) && !slices.Contains(match, "*") {
			return emptyReply(http.StatusPreconditionFailed)
		}
		if hasNone && (slices.Contains(noneMatch, tag) || slices.Contains(noneMatch, "*")) {
			if strict {
				return emptyReply(http.StatusPreconditionFailed)
			}
			return emptyReply(http.StatusNotModified)
		}
	}
	if hasBefore && r.modified.After(before) && !x.org.options.IgnoreUnmodifiedSince {
		return emptyReply(http.StatusPreconditionFailed)
	}
	if !strict && hasSince && !r.modified.After(since) {
		return emptyReply(http.StatusNotModified)
	}
	return nil
}

// parseTags reads a list of quoted tags, or the star.
func parseTags(value string) (tags []string, given, bad bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil, false, false
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		quoted := len(part) >= 2 && part[0] == '"' && part[len(part)-1] == '"' && !strings.Contains(part[1:len(part)-1], `"`)
		if !quoted && part != "*" {
			return nil, false, true
		}
		tags = append(tags, part)
	}
	return tags, true, false
}

func parseDate(value string) (at time.Time, given, bad bool) {
	if value == "" {
		return time.Time{}, false, false
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return time.Time{}, false, true
	}
	return at, true, false
}
