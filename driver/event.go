package driver

import "github.com/handoff-go/handoff/internal/event"

// Event is what handoff.Events tells: something that happened to a channel and
// that no return value says.
type Event = event.Event

// EventKind says what happened.
type EventKind = event.Kind

// The kinds of events a medium has to tell, each where it is decided: at the
// home, not at every attachment.
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
	EventLink        = event.Link        // a connection was made, lost or resumed
)

// Emit tells those who listen with handoff.Events. Listeners run on the caller's
// goroutine: call it with no lock held. At may be left zero.
func Emit(e Event) { event.Emit(e) }
