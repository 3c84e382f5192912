//go:build !linux

package park

// Nap does nothing where the standard library has no way to let a thread sleep
// for a moment: losers keep their core busy there.
func Nap() {}
