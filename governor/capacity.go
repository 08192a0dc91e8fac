package governor

import "time"

// Capacity forecasts how many calls the org will take from us in each of the
// coming hours when we use all that is ours: not more than our share of any 24
// hours, never the floor nor what the neighbours may come to need, with
// neighbours who go on for a day as they did, and from then on as on the mean of
// the last days, and no faster than calls have taken of late. An hour in the
// middle of which it is quiet has the share of quiet hours; nil is never. It
// reserves nothing; Admit decides about each call when it comes.
func Capacity(p Policy, s State, now time.Time, hours int, quiet func(time.Time) bool) []int64 {
	n := max(nanos(now), 1)
	s.tick(p, n)
	own := make([]int64, dayHours, dayHours+max(hours, 0)) // by hour, oldest first
	m := minuteOf(n)
	for i := range own {
		from := m - int64(dayHours-i)*60 + 1
		own[i] = s.Own.between(from, from+60)
	}
	byDay, inQuiet := s.room(p, n), s.room(p.During(true), n)
	closed := max(s.Gate.Until, s.probesAt(n))
	out := make([]int64, 0, max(hours, 0))
	for h := range int64(max(hours, 0)) {
		window := int64(0)
		for _, calls := range own[len(own)-dayHours+1:] {
			window += calls
		}
		from := n + h*int64(time.Hour)
		if h == dayHours { // by then what the org counts now has left its window
			byDay, inQuiet = s.usualRoom(p, n), s.usualRoom(p.During(true), n)
		}
		room := byDay
		if quiet != nil && quiet(moment(from+int64(time.Hour)/2)) {
			room = inQuiet
		}
		calls := min(s.hourly(p), max(room-window, 0))
		if shut := min(max(closed-from, 0), int64(time.Hour)); shut > 0 {
			calls = calls * ((int64(time.Hour) - shut) / int64(time.Second)) / 3600
		}
		own, out = append(own, calls), append(out, calls)
	}
	return out
}

const dayHours = 24

// usualRoom is the mean of what the neighbours would have left us on each of the
// days that we remember. One on which they used up everything is one of them,
// and not what every day to come is like.
func (s *State) usualRoom(p Policy, now int64) int64 {
	sum, days := int64(0), int64(len(s.Neighbours.Highs))
	if days == 0 {
		return s.room(p, now)
	}
	for _, d := range s.Neighbours.Highs {
		day := *s
		day.Daily.At = 0 // no reading of today counts
		day.Neighbours.Level, day.Neighbours.Rate = d.Calls, d.Calls*perMille/dayHours
		sum += day.room(p, now)
	}
	return sum / days
}

// room is how many calls of any 24 hours are ours: what the share, the floor,
// the neighbours and the app's own quota leave.
func (s *State) room(p Policy, now int64) int64 {
	room := maxCount
	if limit := s.Daily.Limit; limit > 0 {
		others := s.Neighbours.perHour() * dayHours
		if !s.Daily.expired(now) {
			others = max(others, s.estimate(p, now)-s.Own.window(now))
		}
		room = min(p.share(limit), limit-p.floor(limit)-others, limit-s.Neighbours.peak(p, now))
	}
	if s.App.Limit > 0 {
		room = min(room, s.App.Limit)
	}
	return max(room, 0)
}

// probesAt is when an org that refuses our credentials is tried next; 0 when
// it does not.
func (s *State) probesAt(now int64) int64 {
	until, closed := s.Auth.closed(now)
	if !closed {
		return 0
	}
	return until
}

// hourly is how many calls fit an hour at the width and the pace of late.
func (s *State) hourly(p Policy) int64 {
	took := int64(time.Second / time.Millisecond)
	if s.Took > 0 {
		took = s.Took
	}
	width := int64(max(p.Slots, 1))
	if s.Cap > 0 {
		width = min(width, int64(s.Cap))
	}
	return max(width*int64(time.Hour/time.Millisecond)/took, 1)
}

// took learns how long a call takes, in ms: a moving mean over about sixteen.
func (s *State) took(x event) {
	if x.cost <= 0 || x.now <= x.sent {
		return
	}
	ms := max((x.now-x.sent)/int64(time.Millisecond), 1)
	if s.Took == 0 {
		s.Took = ms
		return
	}
	s.Took = max((s.Took*15+ms)/16, 1)
}
