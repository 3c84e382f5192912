// Package data has the programs that pass data: as a copy, as custody of memory,
// as a function, one at a time or many at once.
package data
