//go:build !race

package engine_test

import (
	"bytes"

	"github.com/weirhq/weir"
)

// verify compares the end with the org's truth, the ledger and the replay log.
func (s *simulation) verify() {
	s.t.Helper()
	s.clean()
	truth := s.org.Truth()
	if truth.Early > 0 {
		s.t.Errorf("%d calls were sent before a Retry-After that was given had ended", truth.Early)
	}
	if truth.Assignments > 0 {
		s.t.Errorf("%d writes set off assignment rules", truth.Assignments)
	}
	allowed := map[string]bool{}
	for id, m := range s.cases {
		r := s.request(id)
		s.check(r, m)
		if m.right == weir.Erasure && m.plans > 0 {
			for _, ids := range s.subjects[m.who].Records {
				for _, record := range ids {
					allowed[record] = true
				}
			}
		}
		for i, step := range s.stepsOf(id) {
			if i%3 > 0 {
				continue // replay recomputes all decisions, and in less time
			}
			if _, err := s.engine.Why(s.t.Context(), step); err != nil {
				s.t.Errorf("why %s: %v", step, err)
			}
		}
	}
	if outside := truth.TouchedOutside(allowed); len(outside) > 0 {
		s.t.Errorf("%d writes to records whose erasure nobody approved, the first to %s", len(outside), outside[0].Object)
	}
	rep, err := s.engine.VerifyLedger(s.t.Context(), s.held)
	if err != nil || !rep.OK() || rep.Entries == 0 || (s.held != nil && !rep.HeldChecked) {
		s.t.Errorf("the ledger: %v %+v", err, rep)
	}
	s.replay(truth)
}

// check looks at what one request left behind.
func (s *simulation) check(r weir.Request, m *matter) {
	s.t.Helper()
	switch {
	case r.Stage == weir.Delivered || r.Stage == weir.Closed:
		doc, err := s.engine.Certificate(s.t.Context(), r.ID)
		if err != nil {
			s.t.Errorf("certificate of %s: %v", r.ID, err)
			return
		}
		if _, err := s.engine.VerifyCertificate(doc); err != nil {
			s.t.Errorf("certificate of %s: %v", r.ID, err)
		}
		if m.right == weir.Erasure {
			s.gone(m)
		} else if r.Stage == weir.Delivered {
			for file, text := range s.opened(r.ID) {
				if bytes.Contains(text, []byte("evil.test")) {
					s.t.Errorf("%s of %s holds somebody else's address", file, r.ID)
				}
			}
		}
	case m.fate == cancelled || m.fate == dropped:
		if m.done && r.Stage != weir.Cancelled {
			s.t.Errorf("%s was cancelled and is %s", r.ID, r.Stage)
		}
	case m.fate == rejected:
		if m.done && r.Stage != weir.Rejected {
			s.t.Errorf("%s was rejected and is %s", r.ID, r.Stage)
		}
	}
}

// gone checks that the org holds nothing of a subject but what had to be left.
func (s *simulation) gone(m *matter) {
	s.t.Helper()
	if m.kept == "" {
		s.erased(m.who)
		return
	}
	rec, ok := s.org.Record("Case", m.kept)
	if !ok || rec["IsDeleted"] == true {
		s.t.Errorf("the record that a person left in place is gone")
	}
	rest := s.subjects[m.who]
	s.subjects[m.who].Records = map[string][]string{"Case": rest.Records["Case"][1:], "Lead": rest.Records["Lead"]}
	s.erased(m.who)
	s.subjects[m.who] = rest
}
