package governor

import "time"

// An org's counter lags: what it shows is what it counted some time ago. Our
// calls since the newest reading we count ourselves, but some that we made before
// it are not in it yet either. How many follows from what is known: the reading
// before, with our own calls since and less those of ours that have left the
// window, is what the counter must come to show at least. What is missing are calls
// of ours that it has not counted yet, which are no older than it lags, or calls of
// neighbours that have left the window. Which of the two is not known, and so the
// careful reading is taken.

// lagMost is how far the counter lags at most: "accurate within five minutes of
// resource consumption" (REST API Developer Guide, Limits).
const lagMost = int64(5 * time.Minute)

// behind is how many of our calls a new sample must still come to show. Of the
// minute that the old one may or may not have counted nothing is taken for gone,
// unless the old one is older than what can be missing.
func (s *State) behind(old, d Sample) int64 {
	if old.expired(d.At) {
		return 0
	}
	from := old.firstCounted()
	if d.At-old.At >= lagMost {
		from--
	}
	known := max(old.Used+old.Behind-s.Own.between(from, minuteOf(d.At)-windowMinutes), 0) + s.since(old)
	recent := s.Own.between(minuteOf(d.At-lagMost), minuteOf(d.At)+1)
	return min(max(known-d.Used, 0), recent)
}

// lag is how many minutes the counter was seen to be late, rounded up. In the first
// minutes after a pause most of our calls are missing where it is; later, calls of
// neighbours that it has come to show stand in for some of ours.
func (s *State) lag(p Policy, old, d Sample) int64 {
	m, most, lag := minuteOf(d.At), lagMost/minute, old.Lag
	if s.Own.between(m-2*most, m-most) > 0 {
		return lag
	}
	if d.At-old.At >= lagMost {
		lag = 0
	}
	if d.Behind <= s.masked(p) || 2*d.Behind < s.Own.between(m-most, m+1) {
		return lag
	}
	late := int64(1)
	for late <= most && s.Own.between(m-late+1, m+1) < d.Behind {
		late++
	}
	return max(lag, late)
}

// unshown is how many calls of ours that came before a sample are not in it.
func (s *State) unshown(d Sample, now int64) int64 {
	if d.Lag == 0 {
		return d.Behind
	}
	return max(d.Behind, s.Own.between(minuteOf(d.At)-d.Lag, minuteOf(now)+1)-s.since(d))
}

// spare is the call that is left free while some are not shown, for counted.
func (s *State) spare(d Sample, now int64) int64 {
	if s.unshown(d, now) == 0 {
		return 0
	}
	return max(s.Widest, 1)
}

// counted ends a lack early that would not be one if the counter showed all our
// calls: when it must do so, one call looks. Who looks sooner learns nothing, and
// where the look told nothing another must wait as long.
func (s *State) counted(d Sample, now, need, over int64, lack shortage) (shortage, bool) {
	spare, unshown := s.spare(d, now), s.unshown(d, now)
	if unshown == 0 || over > unshown+spare || s.BlockedAt > 0 {
		return lack, true
	}
	look := (max(minuteOf(d.At), s.Own.Minute)+1)*minute + lagMost // our calls are known by the minute
	if look <= now && need <= spare {
		return shortage{}, false
	}
	if look = max(look, after(now, time.Minute)); look < lack.until {
		lack.until, lack.sure = look, false
	}
	lack.evidence = append(lack.evidence, number("not-counted-yet", unshown))
	return lack, true
}
