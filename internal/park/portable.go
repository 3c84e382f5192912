//go:build handoff_portable || race || !go1.26 || go1.27 || !(amd64 || arm64)

package park

import "sync/atomic"

// Fast says whether a Slot can be used.
const Fast = false

// Slot is not used in the portable form.
type Slot[T any] struct{}

// Frees is not used in the portable form.
func (*Slot[T]) Frees(*atomic.Uint32) {}

// Park is not used in the portable form.
func (*Slot[T]) Park() {}

// Ready reports that nobody is parked in s.
func (*Slot[T]) Ready() bool { return false }

// Door is not used in the portable form.
type Door struct{}

// Wait is not used in the portable form.
func (*Door) Wait() {}

// Ring is not used in the portable form.
func (*Door) Ring() {}

// Calm is not used in the portable form.
func (*Door) Calm() {}

// Hush is not used in the portable form.
func (*Door) Hush() {}
