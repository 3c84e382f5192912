//go:build !handoff_portable && !race && go1.26 && !go1.27 && (amd64 || arm64)

package park

import (
	"sync/atomic"
	"unsafe"
)

// Fast says whether a Slot can be used.
const Fast = true

// Slot is where one goroutine parks with the runtime's own park. It saves the
// second native channel, and the window between freeing the lock and waiting.
//
// The two runtime functions are reached through linkname. The runtime offers
// them to packages outside for this use, and names those that rely on it, but
// promises nothing: so this file is built only for the versions of Go it was
// tested with, and everything else uses the portable form.
type Slot struct {
	// g is the parked goroutine. It is a number and not a pointer because it is
	// stored on the scheduler's stack, where no write barrier may run; the
	// runtime keeps every g alive for ever.
	g    uintptr
	lock *atomic.Uint32
}

//go:linkname gopark runtime.gopark
func gopark(unlockf func(gp, slot unsafe.Pointer) bool, slot unsafe.Pointer, reason, trace uint8, skip int)

//go:linkname goready runtime.goready
func goready(gp unsafe.Pointer, skip int)

// Park parks the calling goroutine and then frees lock, a word that is free when
// it is zero. Whoever finds the slot under the same lock may Ready it.
func (s *Slot) Park(lock *atomic.Uint32) {
	s.lock = lock
	gopark(parked, unsafe.Pointer(s), 0, 0, 1)
}

// parked runs on the scheduler's stack once the goroutine is parked.
func parked(gp, slot unsafe.Pointer) bool {
	s := (*Slot)(slot)
	s.g = uintptr(gp)
	s.lock.Store(0)
	return true
}

// Ready wakes the goroutine parked in s and reports whether there was one.
func (s *Slot) Ready() bool {
	g := s.g
	if g == 0 {
		return false
	}
	s.g = 0
	goready(*(*unsafe.Pointer)(unsafe.Pointer(&g)), 1)
	return true
}
