//go:build !unix

package cli

import "testing"

// noChildren cannot be asked here.
func noChildren(*testing.T) {}

// denied cannot be arranged here.
func denied(t *testing.T) bool {
	t.Skip("permissions are of another kind here")
	return false
}
