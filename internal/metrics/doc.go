// Package metrics shows the store and the governor to Prometheus.
//
// The invariant it protects: a figure is read when it is asked for, in one
// snapshot, so that figures of one scrape fit together; and no label can hold
// a value of a subject, because labels are the configured orgs and the closed
// lists of states and stages. When the snapshot fails, weir_snapshot_success
// is 0 and the other figures are absent: an old figure would look healthy.
//
// Start reading at Snapshot, then family.go, the table of all metrics.
package metrics
