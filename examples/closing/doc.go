// Package closing has the programs that show what a close does, and to whom the
// right to close belongs.
package closing
