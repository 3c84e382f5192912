package handoff

import "github.com/handoff-go/handoff/internal/event"

// Event is something that happened to a channel and that no return value tells:
// a redelivery, a rejection, a hold that lapsed, a value dropped for want of a
// dead letter, a doubt, a stop, a change of a connection.
type Event = event.Event

// EventKind says what happened.
type EventKind = event.Kind

// The kinds of events.
const (
	EventRedelivered = event.Redelivered // a value was handed out again
	EventReturned    = event.Returned    // a hold ended without settlement
	EventRejected    = event.Rejected    // a receiver refused a value
	EventDropped     = event.Dropped     // a value is gone, and nobody has it
	EventDeadLetter  = event.DeadLetter  // a value went to the dead letter
	EventAbandoned   = event.Abandoned   // a sender gave up while its value was held
	EventDoubt       = event.Doubt       // an operation ended with its outcome unknown
	EventStopped     = event.Stopped     // the senders were asked to end
	EventClosed      = event.Closed      // closed because the last sender is gone
	EventLink        = event.Link        // a connection broke, was resumed or was given up: see State
)

// LinkState is what a connection has come to, in an event of kind EventLink. The
// Channel of such an event is the home, or the client, at the other end.
type LinkState = event.State

// The states of a connection.
const (
	LinkBroken  = event.Broken  // it broke and is being resumed; operations wait
	LinkResumed = event.Resumed // the session goes on as if nothing had been
	LinkEnded   = event.Ended   // the session has ended, and what needs it ends
)

// Events has listen called with every event of this process from now on, until
// stop is called. It runs on the goroutine that caused the event, possibly on
// several at once, with no lock of a channel held; it should be quick.
func Events(listen func(Event)) (stop func()) { return event.Listen(listen) }
