package park

import "syscall"

// Nap gives the core of the calling thread to whatever the operating system
// wants to run, for a moment: some 50 µs where nothing wants to. It is for one
// who waits for a thread that has lost its core. sched_yield would not do: it
// does not bring over a thread that waits for another core. time.Sleep would not
// do either: inside a synctest bubble it waits for the bubble's clock.
func Nap() {
	t := syscall.Timespec{Nsec: 1000}
	_ = syscall.Nanosleep(&t, nil) // one that a signal cut short was long enough
}
