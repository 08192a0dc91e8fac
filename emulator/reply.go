package emulator

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reply is an answer before it is compressed and sent.
type reply struct {
	status int
	header http.Header
	body   []byte
}

const (
	jsonType = "application/json;charset=UTF-8"
	htmlType = "text/html; charset=UTF-8"
	soapType = "text/xml; charset=utf-8"
)

func rawReply(status int, contentType string, body []byte) *reply {
	h := make(http.Header)
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return &reply{status: status, header: h, body: body}
}

// jsonReply marshals what is built of plain structs, which cannot fail.
func jsonReply(status int, v any) *reply {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return rawReply(http.StatusInternalServerError, "", nil)
	}
	return rawReply(status, jsonType, bytes.TrimRight(b.Bytes(), "\n"))
}

func emptyReply(status int) *reply { return rawReply(status, "", nil) }

// fail is the error code of an answer that is a failure, for the truth.
func (r *reply) fail() string {
	if r.status < http.StatusBadRequest {
		return ""
	}
	var list []restError
	if json.Unmarshal(r.body, &list) == nil && len(list) > 0 {
		return list[0].ErrorCode
	}
	if _, code, ok := strings.Cut(string(r.body), "<faultcode>sf:"); ok {
		code, _, _ = strings.Cut(code, "<")
		return code
	}
	return "HTTP " + strconv.Itoa(r.status)
}

// compress gzips the body when the caller accepts that.
func (r *reply) compress(accept http.Header) {
	if len(r.body) == 0 || !wantsGzip(accept) {
		return
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	// A bytes.Buffer takes everything, so neither call can fail.
	if _, err := w.Write(r.body); err != nil {
		return
	}
	if err := w.Close(); err != nil {
		return
	}
	r.body = b.Bytes()
	r.header.Set("Content-Encoding", "gzip")
}

func wantsGzip(h http.Header) bool {
	for _, value := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(value, ",") {
			name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") && strings.ReplaceAll(quality, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}

// maintenance is what stands in for the API while the org is down.
func maintenance() *reply {
	return rawReply(http.StatusServiceUnavailable, htmlType, []byte("<html>\n<body>\n\t<table bgcolor=\"white\">\n\t\t<tr>\n"+
		"\t\t\t<td><span style=\"font-weight: bold;\">We are down for maintenance.</span><br><br>"+
		"Sorry for the inconvenience. We'll be back shortly.</td>\n\t\t</tr>\n\t</table>\n</body>\n</html>\n"))
}

// stampFormat is how Salesforce writes a moment.
const stampFormat = "2006-01-02T15:04:05.000+0000"

// appendValue writes a field's value as JSON.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		if v == float64(int64(v)) {
			return append(strconv.AppendInt(b, int64(v), 10), ".0"...)
		}
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case time.Time:
		b = append(b, '"')
		b = v.UTC().AppendFormat(b, stampFormat)
		return append(b, '"')
	case string:
		return appendString(b, v)
	default:
		return append(b, "null"...)
	}
}

// appendString quotes for JSON; plain text, nearly everything, is copied.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
