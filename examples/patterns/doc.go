// Package patterns has the programs in which a channel is what a function
// returns, counts with, or waits by: the everyday forms.
package patterns
