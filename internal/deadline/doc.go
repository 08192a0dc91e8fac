// Package deadline turns the day on which a subject asked into the dates that
// the law sets: when to acknowledge, when to answer, by when an extension must
// be announced. The laws are data, each clock with a version, so that a
// request keeps the clock under which it was received.
//
// The invariant it protects: no date is later than the law allows. Where
// counting can be read in two ways, the earlier date is taken: a period ends
// at the time of day at which it began, not at midnight after it, and neither
// weekends nor holidays move the end of a period of days or months.
//
// Start reading at clock.go (the laws), then due.go (the arithmetic).
package deadline
