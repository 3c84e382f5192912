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
//
// It has a type parameter only to be inlined wherever the engine is compiled: in
// the packages of its users, where the bodies of other functions are not known.
type Slot[T any] struct{ place place }

// place is what a Slot is, for the functions that need not be inlined.
type place struct {
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

// Frees says which lock Park frees, a word that is free when it is zero. Once
// for all parks.
func (s *Slot[T]) Frees(lock *atomic.Uint32) { s.place.lock = lock }

// Park parks the calling goroutine, which holds the lock, and then frees it.
// Whoever finds the slot under the same lock may Ready it.
func (s *Slot[T]) Park() { gopark(parked, unsafe.Pointer(&s.place), 0, 0, 1) }

// parked runs on the scheduler's stack once the goroutine is parked.
func parked(gp, at unsafe.Pointer) bool {
	s := (*place)(at)
	s.g = uintptr(gp)
	Store(s.lock, 0)
	return true
}

// Door is a bell with one slot that one goroutine waits on: ringing it never
// blocks, and a ring that nobody waits for is kept. Unlike a Slot it needs no
// lock, so it serves who waits on several channels at once. The zero Door is
// quiet.
type Door struct{ word atomic.Uintptr } // quiet, rung, or the g that waits; see Slot.g

const (
	quiet uintptr = 0
	rung  uintptr = 1
)

// Wait waits for a ring and leaves it. Who wants to wait again must Hush, and look
// at what the ring may have been for, in this order.
func (d *Door) Wait() {
	if d.word.Load() == quiet {
		gopark(atDoor, unsafe.Pointer(d), 0, 0, 1)
	}
}

// atDoor runs on the scheduler's stack once the goroutine is parked. False sends
// it on at once: the bell has rung in the meantime.
func atDoor(gp, door unsafe.Pointer) bool {
	return (*Door)(door).word.CompareAndSwap(quiet, uintptr(gp))
}

// Ring rings. Whoever is woken sees what was written before.
func (d *Door) Ring() {
	if g := d.word.Swap(rung); g > rung {
		goready(*(*unsafe.Pointer)(unsafe.Pointer(&g)), 1)
	}
}

// Calm is Hush for who does not wait for any ring that may come meanwhile: those
// of a wait that is over may get lost.
func (d *Door) Calm() { storeWord(&d.word, quiet) }

// Hush takes a ring, if there is one.
func (d *Door) Hush() {
	if d.word.Load() != quiet {
		d.word.Store(quiet)
	}
}

// Ready wakes the goroutine parked in s and reports whether there was one.
func (s *Slot[T]) Ready() bool {
	g := s.place.g
	if g == 0 {
		return false
	}
	s.place.g = 0
	goready(*(*unsafe.Pointer)(unsafe.Pointer(&g)), 1)
	return true
}
