// Package leaks has the programs that would leave goroutines waiting for ever,
// each with its cure.
package leaks
