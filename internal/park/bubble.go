// Package park makes the native channels on which blocked operations wait.
//
// Waiting on a native channel is the portable form: testing/synctest, goroutine
// dumps and the goroutine-leak profile understand it. The one difficulty is
// testing/synctest: a native channel made inside a bubble ends the process when
// a goroutine outside touches it. So a wake channel must be born on the right
// side, and that is what this package knows.
package park

import "time"

// InBubble reports whether the calling goroutine runs inside a
// testing/synctest bubble.
//
// Inside a bubble, and nowhere else, time.Now carries no monotonic reading;
// comparing with Round(0), which strips it, tells the two apart. It costs one
// reading of the clock and uses no knowledge of the runtime's insides.
func InBubble() bool { return Bubbled(time.Now()) }

// Bubbled reports whether now, just read by time.Now, was read inside a
// testing/synctest bubble.
func Bubbled(now time.Time) bool { return now == now.Round(0) }
