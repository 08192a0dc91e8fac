package deadletter

import (
	"cmp"
	"math"
	"time"

	"github.com/weirhq/weir"
)

// Order compares two letters in risk order (design section 11): least slack
// first, then erasure and opt-out, then the declared risk, then the older
// letter. It is negative when a comes first.
func Order(a, b weir.Letter, now time.Time) int {
	return cmp.Or(
		cmp.Compare(slack(a, now), slack(b, now)),
		cmp.Compare(rightRank(a.Right), rightRank(b.Right)),
		cmp.Compare(riskRank(a.Risk), riskRank(b.Risk)),
		cmp.Compare(len(a.ID), len(b.ID)), // DL-9 before DL-10
		cmp.Compare(a.ID, b.ID),
	)
}

// slack is the time left; a letter without a due date has all the time there is.
func slack(l weir.Letter, now time.Time) time.Duration {
	if l.DueAt.IsZero() {
		return math.MaxInt64
	}
	return l.DueAt.Sub(now)
}

func rightRank(r weir.Right) int {
	switch r {
	case weir.Erasure, weir.OptOut:
		return 0
	case weir.Access, weir.Rectification, weir.Portability:
		return 1
	}
	return 1
}

func riskRank(r weir.Risk) int {
	switch r {
	case weir.RiskHigh:
		return 0
	case weir.RiskNormal:
		return 1
	}
	return 1
}
