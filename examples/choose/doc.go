// Package choose has the programs that wait on several channels at once.
package choose
