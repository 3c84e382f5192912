//go:build !unix

package netchan_test

import (
	"os"
	"testing"
)

func inherited(t testing.TB, f *os.File) int {
	t.Skip("needs descriptors that are inherited by number")
	return 0
}
