package ledger

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
)

// TestLineIsWhatJSONSays compares the fast encoder with encoding/json, and the
// fast reading of a number with the slow one.
func TestLineIsWhatJSONSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9 ._:/-]{0,12}`), rapid.String(),
			rapid.SampledFrom([]string{"", `"`, `\`, "<&>", "\u2028", "\xff", "\x00", "\x7f", `,"seq":7}`, "é"}),
		)
		e := weir.Entry{
			Seq: rapid.Int64().Draw(t, "seq"), By: text.Draw(t, "by"), Act: text.Draw(t, "act"),
			At:  time.UnixMilli(rapid.Int64Range(-62_167_219_200_000, 253_402_300_799_999).Draw(t, "at")),
			Org: weir.OrgID(text.Draw(t, "org")), Request: weir.RequestID(text.Draw(t, "request")), Step: weir.StepID(text.Draw(t, "step")),
			Detail: rapid.MapOfN(text, text, 0, 5).Draw(t, "detail"),
		}
		got, err := appendEntry(nil, e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := compactJSON(line{
			Act: e.Act, At: e.At.UTC(), By: e.By, Detail: e.Detail, Org: e.Org, Request: e.Request, Seq: e.Seq, Step: e.Step,
		})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%s\nwant\n%s", got, want)
		}
		if seq, ok := seqOf(got); !ok || seq != e.Seq {
			t.Fatalf("number %d, %v, want %d", seq, ok, e.Seq)
		}
	})
	if _, err := appendEntry(nil, weir.Entry{At: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("the year 10000 has a line")
	}
}

// FuzzSeqOf: the fast path says what encoding/json says, or less.
func FuzzSeqOf(f *testing.F) {
	for _, s := range []string{`{"act":"a","seq":12}`, `{"a":1,"seq":012}`, `{"a":1,"seq":1e3}`, `{"a":"\",\"seq\":3","seq":4}`, `{"a":1,"seq":99999999999999999999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fast, ok := plainSeq(raw)
		var flat map[string]any
		if !ok || json.Unmarshal(raw, &flat) != nil {
			return
		}
		for _, v := range flat {
			if _, nested := v.(map[string]any); nested {
				return
			}
			if _, nested := v.([]any); nested {
				return
			}
		}
		if slow, is := flat["seq"].(float64); !is || fast < 1<<53 && int64(slow) != fast {
			t.Errorf("%s: %d, %v", raw, fast, flat["seq"])
		}
	})
}
