package web

import (
	"encoding/json"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
)

// An answer that has no JSON form is a failure that says so, not an empty answer.
func TestAnAnswerThatCannotBeEncoded(t *testing.T) {
	w := httptest.NewRecorder()
	reply(w, 200, map[string]float64{"slack": math.Inf(1)})
	var f Failure
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != 422 || f.Exit != ExitFailure || !strings.Contains(f.Message, "encode the answer") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
