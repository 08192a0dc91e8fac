//go:build !race

package salesforce_test

const memoryFactor = 1
