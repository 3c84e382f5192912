//go:build !race || handoff_racecheck

package hb

// On says whether edges are declared.
const On = false

// Ignore does nothing without the race detector.
func Ignore() {}

// Heed does nothing without the race detector.
func Heed() {}

// Release does nothing without the race detector.
func Release[T any](*T) {}

// Acquire does nothing without the race detector.
func Acquire[T any](*T) {}

// Pass does nothing without the race detector.
func Pass[T any](*T) {}
