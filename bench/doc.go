// Package bench compares weir with other Go libraries, and with jsforce where
// Node is, and shows it working together with them. It is a module of its own,
// so that no rival and no other Salesforce client ever becomes a dependency of
// weir: whoever imports weir downloads nothing of this.
//
// Start reading at example_test.go: an unmodified go-salesforce, governed in
// five lines.
package bench
