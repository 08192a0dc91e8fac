package governor

import "time"

// Notice tells an org that has a hidden rate from one that now and then refuses
// a call by chance. The calls that are under way when one is refused say which:
// an empty bucket refuses most of those that were sent after it, chance hardly
// any. Without that nothing is learnt from refusals: where calls are seldom, each
// would mean a slow pace (decision 25). Once noticed, a rate is learnt until the
// org has refused nothing for a day.
type Notice struct {
	From  int64 `json:"from,omitempty"`  // when the call was sent whose refusal began the newest event
	Score int   `json:"score,omitempty"` // refusals of calls that were under way then, twice, less those that were taken
	On    bool  `json:"on,omitempty"`
	At    int64 `json:"at,omitempty"` // the newest refusal
}

// Parameters of the notice, chosen on the tuning seeds of bench/judge.
const (
	noticeUp   = 2 // more than a third of the calls under way is refused
	noticeOn   = 4 // at least two of them
	noticeSeen = int64(24 * time.Hour)
)

// learns says whether refusals are taken for a hidden rate.
func (s *State) learns(p Policy) bool { return p.LearnRate || p.NoticeRate && s.Notice.On }

// refused learns from a call that the org refused, the newest event of which
// began with the gate that closed at cut.
func (n *Notice) refused(x event, cut int64) {
	n.At = x.now
	switch {
	case x.sent > cut:
		n.From = x.sent
	case x.sent >= n.From:
		n.add(noticeUp)
	}
}

// taken learns from one that was under way then, and taken.
func (n *Notice) taken(x event, cut int64) {
	if n.From > 0 && x.sent >= n.From && x.sent <= cut {
		n.add(-1)
	}
}

func (n *Notice) add(by int) {
	n.Score = min(max(n.Score+by, 0), noticeOn)
	n.On = n.On || n.Score >= noticeOn
}

// unnoticed counts the calls since the last refusal, in case that the next one
// shows a rate.
func (s *State) unnoticed(now int64) {
	if s.Rate.CutAt < s.Gate.CutAt {
		s.Rate = Rate{EmptyAt: s.Notice.From, CutAt: s.Gate.CutAt}
	}
	s.Rate = s.Rate.admitted(now)
}

// forgetRate lets what was noticed go when the org has refused nothing for a day.
func (s *State) forgetRate(p Policy, now int64) {
	if s.Notice.On && now-s.Notice.At >= noticeSeen {
		s.Notice = Notice{}
		if !p.LearnRate {
			s.Rate = Rate{}
		}
	}
}
