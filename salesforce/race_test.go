//go:build race

package salesforce_test

// memoryFactor is how much more memory the race detector needs.
const memoryFactor = 10
