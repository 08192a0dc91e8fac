package governor

import "time"

// Notice tells an org that has a hidden rate from one that now and then refuses
// a call by chance. Two things say which. An empty bucket refuses most of the
// calls that are under way together, chance hardly any. And a bucket that was
// filled during a wait takes about as many calls after each, where those between
// two refusals by chance are now few, now many. Without that nothing is learnt from
// refusals: where calls are seldom, each would mean a slow pace (decision 25).
// Once noticed, a rate is learnt until the org has refused nothing for a day.
type Notice struct {
	On    bool  `json:"on,omitempty"`
	Score int   `json:"score,omitempty"` // what speaks for a rate, less what speaks for chance
	At    int64 `json:"at,omitempty"`    // the newest refusal
	From  int64 `json:"from,omitempty"`  // when the call was sent whose refusal began the newest event
	Calls int64 `json:"calls,omitempty"` // taken between the last two events
}

// Parameters of the notice, chosen on the tuning seeds of bench/judge.
const (
	noticeOn     = 6  // two calls under way that are refused and none that is taken, or seven events alike
	noticeUnder  = 3  // a call that was under way and is refused
	noticeTaken  = -2 // one that was and is taken
	noticeAlike  = 1  // an event after about as many calls as the one before,
	noticeUnlike = -2 // or after quite another number
	noticeCalls  = 4  // events after fewer say nothing
	noticeSeen   = int64(24 * time.Hour)
)

// learns says whether refusals are taken for a hidden rate.
func (s *State) learns(p Policy) bool { return p.LearnRate || p.NoticeRate && s.Notice.On }

// refused learns from a call that the org refused, the newest event of which
// began with the gate that closed at cut, and so many calls were taken since.
func (n *Notice) refused(x event, cut, taken int64) {
	n.At = x.now
	switch {
	case x.sent > cut:
		switch few, many := min(taken, n.Calls), max(taken, n.Calls); {
		case few < noticeCalls:
		case 3*many <= 4*few: // of two numbers drawn by chance one in seven is so near the other
			n.add(noticeAlike)
		default:
			n.add(noticeUnlike)
		}
		n.From, n.Calls = x.sent, taken
	case x.sent >= n.From:
		n.add(noticeUnder)
	}
}

// taken learns from one that was under way then, and taken. One that was sent at the
// same moment as the first that was refused came before it.
func (n *Notice) taken(x event, cut int64) {
	if n.From > 0 && x.sent > n.From && x.sent <= cut {
		n.add(noticeTaken)
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
