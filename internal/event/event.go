// Package event tells interested listeners what would otherwise go unseen:
// redeliveries, rejections, doubts, stops, and every loss that no error value
// could carry.
package event

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Kind says what happened.
type Kind string

// The kinds.
const (
	Redelivered Kind = "redelivered" // a value was handed out again
	Returned    Kind = "returned"    // a hold ended without settlement: lapsed, detached or its holder died
	Rejected    Kind = "rejected"    // a receiver refused a value
	Dropped     Kind = "dropped"     // a value left the channel and nobody has it
	DeadLetter  Kind = "dead-letter" // a value went to the dead letter
	Abandoned   Kind = "abandoned"   // a sender gave up while its value was held
	Doubt       Kind = "in-doubt"    // an operation ended with its outcome unknown
	Stopped     Kind = "stopped"     // a receiver asked the senders to end, or the last one left
	Closed      Kind = "closed"      // closed because its last sender left
	Link        Kind = "link"        // a connection broke, was resumed or was given up: see State
)

// State is what a connection has come to. Operations go on while it is broken.
type State string

// The states.
const (
	Broken  State = "broken"  // it broke, and is being resumed
	Resumed State = "resumed" // the session goes on as if nothing had been
	Ended   State = "ended"   // the session has ended, and what needs it ends
)

// Event is one thing that happened to one channel.
type Event struct {
	Kind    Kind
	Channel string
	Op      string
	Reason  string
	Attempt int
	State   State // of Link; else ""
	At      time.Time
}

var listeners struct {
	mu  sync.Mutex                  // guards writing to all
	all atomic.Pointer[[]*listener] // replaced whole, so Emit takes no lock
}

type listener struct{ f func(Event) }

// Listen has f called with every event from now on, on the goroutine that caused
// it and with no lock of a channel held, until stop is called. f must be safe
// for use by several goroutines at once.
func Listen(f func(Event)) (stop func()) {
	l := &listener{f}
	change(func(all []*listener) []*listener { return append(all, l) })
	return sync.OnceFunc(func() {
		change(func(all []*listener) []*listener {
			return slices.DeleteFunc(all, func(x *listener) bool { return x == l })
		})
	})
}

func change(edit func([]*listener) []*listener) {
	listeners.mu.Lock()
	defer listeners.mu.Unlock()
	var all []*listener
	if p := listeners.all.Load(); p != nil {
		all = slices.Clone(*p)
	}
	all = edit(all)
	listeners.all.Store(&all)
}

// Emit tells every listener.
func Emit(e Event) {
	p := listeners.all.Load()
	if p == nil || len(*p) == 0 {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	for _, l := range *p {
		l.f(e)
	}
}

// Heard reports whether anybody listens.
func Heard() bool {
	p := listeners.all.Load()
	return p != nil && len(*p) > 0
}
