//go:build race && !handoff_racecheck

package hb

import (
	"runtime"
	"unsafe"
)

// On says whether edges are declared.
const On = true

// Ignore makes the detector overlook the synchronization of this goroutine
// until Heed.
func Ignore() { runtime.RaceDisable() }

// Heed ends Ignore.
func Heed() { runtime.RaceEnable() }

// Release makes what this goroutine has done so far visible to those that
// Acquire p later.
func Release[T any](p *T) { runtime.RaceReleaseMerge(unsafe.Pointer(p)) }

// Acquire takes over what was released at p.
func Acquire[T any](p *T) { runtime.RaceAcquire(unsafe.Pointer(p)) }

// Pass does both: p is a slot that goes from hand to hand.
func Pass[T any](p *T) {
	runtime.RaceAcquire(unsafe.Pointer(p))
	runtime.RaceRelease(unsafe.Pointer(p))
}
