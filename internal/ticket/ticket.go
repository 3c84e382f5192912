// Package ticket is the one word by which every blocked operation waits.
//
// A blocked operation, in any number of channels on any media, is one Ticket.
// Whoever wants to complete it moves its state word; a case becomes the winner
// in no other way. So select, deadlines and cancellation are written once,
// above the media, and a value is never consumed on the chance that somebody
// may want it.
//
//	          Win (a firm counterpart: a slot, a plain operation, close, a timer)
//	   ┌─────────────────────────────────────────────┐
//	   │                                             ▼
//	Waiting ──Claim (a home asks)──▶ Claimed ──Confirm──▶ Synced
//	   │  ▲                             │
//	   │  └────────────Release──────────┘
//	   └──Abort (the owner gives up)──▶ Aborted
//
// Only a home that needs the consent of two parties claims; everyone else is
// firm and goes from Waiting to Synced in one step. A ticket that is Claimed
// may be passed over by others and keeps its place in every queue; its owner is
// woken at the release and looks at its cases once more.
//
// # Native channels
//
// A select that also waits on native channels has a second arbiter, the
// runtime's own select, whose decision cannot be undone. There the runtime's
// decision is the commit: a winner moves the word first, which makes it the
// only one to try, and then must wake the parked select through an unbuffered
// channel with a send that does not block. Either that send is received, and no
// native case can have fired, or a native case has fired, and the winner
// withdraws. See arm and handshake.
package ticket

import (
	"runtime"
	"sync/atomic"

	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/park"
)

// State is what the state word holds.
type State uint32

// The four states.
const (
	Waiting State = iota
	Claimed
	Synced
	Aborted
)

// Answer is what a ticket says to one who wants it.
type Answer uint8

const (
	// Won: the ticket is the caller's, exactly once.
	Won Answer = iota
	// Busy: a home has claimed it; it may come back to Waiting. Pass it over
	// and leave it in its place.
	Busy
	// Gone: it was won by another or its owner gave up. Drop it.
	Gone
)

// The values of armed.
const (
	disarmed uint32 = iota // no native case can fire: the state word alone decides
	armed                  // the owner is in, or on its way into, a native select
	fired                  // a native case was consumed: everybody else has lost
)

// Ticket is one blocked operation. The zero value, after SetBell, is Waiting.
//
// The owner is the goroutine that blocks; all other methods may be called from
// any goroutine.
type Ticket struct {
	state atomic.Uint32 // State; Win, Claim, Confirm, Release and Abort are each other's partners
	arms  atomic.Uint32 // written by the owner in Arm, Disarm, Fire; read in handshake
	looks atomic.Bool   // after a release, until the owner has looked at its cases; keeps claims away
	freed atomic.Bool   // there was a release in this turn
	over  atomic.Uint32 // 1: the outcome is final; stored before the last ring, loaded after a bell
	won   int32         // index of the winning case; written before over, read after it
	bell  chan struct{} // one slot: ring never blocks
	door  *park.Door    // where the owner waits instead of at the bell, else nil
	hand  chan struct{} // no slot: the handshake of a select with native cases, else nil

	// Notify, if set before the ticket is shown to anybody, is called instead
	// of ringing the bell, on the goroutine that completes the operation and
	// with no lock held. It is how an operation waits without a goroutine.
	Notify func()
}

// SetBell gives the ticket the channel its owner waits on. The channel needs
// one slot.
//
//go:norace
func (t *Ticket) SetBell(bell chan struct{}) { t.bell = bell }

// Bell returns the channel the owner waits on.
//
//go:norace
func (t *Ticket) Bell() chan struct{} { return t.bell }

// SetDoor gives the ticket the door its owner waits at instead of the bell, or
// nil. Only before the ticket is shown to anybody.
//
//go:norace
func (t *Ticket) SetDoor(door *park.Door) { t.door = door }

// SetHand gives the ticket the unbuffered channel of the handshake, or nil when
// no native case takes part. Only before the ticket is shown to anybody.
//
//go:norace
func (t *Ticket) SetHand(hand chan struct{}) { t.hand = hand }

// Reset makes the ticket Waiting for a new turn. Only its owner may call it, and
// only when nobody else can hold a reference to the turn before. Whoever sees the
// new turn was shown it under a lock, so plain releases are enough.
//
//go:norace
func (t *Ticket) Reset() {
	t.hand, t.door = nil, nil
	t.won = -1
	park.Store(&t.over, 0)
	park.Store(&t.state, uint32(Waiting))
	if t.freed.Load() {
		t.freed.Store(false)
	}
	if t.looks.Load() {
		t.looks.Store(false)
	}
	if t.arms.Load() != disarmed {
		t.arms.Store(disarmed)
	}
}

// State returns the state at this moment.
//
//go:norace
func (t *Ticket) State() State { return State(t.state.Load()) }

// Over reports whether the turn has ended: a case won, and its outcome is final.
// Only its owner may call it. A bell that rings without Over is a release, or
// the echo of one; the state alone cannot tell, since a winner moves it before
// its operation is complete.
//
//go:norace
func (t *Ticket) Over() bool { return t.over.Load() != 0 }

// Released reports whether the ticket was released in this turn. The bell may
// then ring once more after the turn is over. Only its owner may call it.
//
//go:norace
func (t *Ticket) Released() bool { return t.freed.Load() }

// Winner returns the index of the case that won. Only its owner may call it,
// once the turn is over.
//
//go:norace
func (t *Ticket) Winner() int { return int(t.won) }

// Win takes the ticket for case i on behalf of a firm counterpart: one step,
// no consent of anybody else needed. After Won the caller must complete the
// operation and Ring.
//
//go:norace
func (t *Ticket) Win(i int) Answer {
	if !t.state.CompareAndSwap(uint32(Waiting), uint32(Synced)) {
		return t.refusal()
	}
	if t.hand != nil && !t.handshake() {
		return Gone
	}
	t.won = int32(i)
	return Won
}

// Claim reserves the ticket for a home that must ask another party before it
// can decide. After Won the caller must Confirm or Release.
//
//go:norace
func (t *Ticket) Claim() Answer {
	if t.looks.Load() {
		return Busy
	}
	return t.Reserve()
}

// Reserve is Claim for a counterpart in this process, which decides at once,
// under the lock of the channel where the ticket stands. The owner's own look
// after a release may be what calls it.
//
//go:norace
func (t *Ticket) Reserve() Answer {
	if !t.state.CompareAndSwap(uint32(Waiting), uint32(Claimed)) {
		return t.refusal()
	}
	if t.hand != nil && !t.handshake() {
		return Gone
	}
	return Won
}

// Confirm ends a claim as won by case i. The caller must then complete the
// operation and Ring.
//
//go:norace
func (t *Ticket) Confirm(i int) {
	t.won = int32(i)
	t.state.Store(uint32(Synced))
}

// Bind ends a claim as won by case i, whose outcome is still to come: the owner is
// woken to see that nobody else can have it. Ring ends the turn.
//
//go:norace
func (t *Ticket) Bind(i int) {
	bell, door := t.bell, t.door
	t.won = int32(i)
	t.state.Store(uint32(Synced))
	t.ring(bell, door)
}

// Release ends a claim without effect and wakes the owner, which looks at its
// cases again: what passed it over while it was claimed may be waiting now. Until
// the owner has looked, further claims are answered Busy, or homes that claim in
// turn could keep it from ever being met by anybody else.
//
//go:norace
func (t *Ticket) Release() {
	bell, door := t.bell, t.door
	t.freed.Store(true)
	t.looks.Store(true)
	t.state.Store(uint32(Waiting))
	t.ring(bell, door)
}

// Looked is called by the owner when it has looked at its cases after a release.
//
//go:norace
func (t *Ticket) Looked() { t.looks.Store(false) }

// Abort is the owner giving up. It reports false when the ticket is not Waiting:
// somebody holds it, and the owner must wait for the bell.
//
//go:norace
func (t *Ticket) Abort() bool {
	return t.state.CompareAndSwap(uint32(Waiting), uint32(Aborted))
}

// Ring ends the turn: it wakes the owner for the last time. Whoever won the
// ticket calls it once, when the outcome of the operation is final. It never
// blocks.
//
//go:norace
func (t *Ticket) Ring() {
	bell, door := t.bell, t.door
	if door != nil {
		park.Store(&t.over, 1) // the door's swap is ordered after it
	} else {
		t.over.Store(1) // a bell that has rung already is only looked at
	}
	t.ring(bell, door)
}

// ring rings bell, or at door if there is one, unless it has rung and was not yet
// heard. Both were read before the word that lets the owner go on: an owner that
// was just woken by a release may see that word, and be in its next turn when the
// ring comes. It then finds nothing changed, and waits on.
//
//go:norace
func (t *Ticket) ring(bell chan<- struct{}, door *park.Door) {
	if t.Notify != nil {
		t.Notify()
		return
	}
	if door != nil {
		door.Ring()
		return
	}
	hb.Ignore() // waking is no edge: what the operation orders is declared where it happens
	select {
	case bell <- struct{}{}:
	default:
	}
	hb.Heed()
}

// Dead reports whether the ticket can never be won any more.
//
//go:norace
func (t *Ticket) Dead() bool { return t.State() >= Synced }

//go:norace
func (t *Ticket) refusal() Answer {
	if t.State() == Claimed {
		return Busy
	}
	// A release may have made it Waiting since the swap failed. To the caller
	// that is a ticket to pass over: the release wakes its owner.
	if t.State() == Waiting {
		return Busy
	}
	return Gone
}

// Hand returns the channel a native select must wait on beside its cases.
//
//go:norace
func (t *Ticket) Hand() <-chan struct{} { return t.hand }

// Arm is called by the owner before it enters a native select. If it reports
// false the ticket is no longer Waiting, the native cases must not be looked at,
// and the owner waits for the bell alone.
//
// It is one half of a store-then-load pair with Win and Claim: the owner stores
// armed and then loads the state, they store the state and then load armed in
// handshake, so at least one of the two sees the other.
//
//go:norace
func (t *Ticket) Arm() bool {
	t.arms.Store(armed)
	if t.State() == Waiting {
		return true
	}
	t.arms.Store(disarmed)
	return false
}

// Disarm is called by the owner when it left the native select without
// consuming a native case.
//
//go:norace
func (t *Ticket) Disarm() { t.arms.Store(disarmed) }

// Fire is called by the owner when the native select consumed native case i:
// that is the commit. Whoever moved the state word in the meantime withdraws.
//
//go:norace
func (t *Ticket) Fire(i int) {
	t.arms.Store(fired)
	t.won = int32(i)
	t.state.Store(uint32(Synced))
}

// handshake wakes the owner out of its native select. It reports false when a
// native case has fired. The caller has moved the state word and is therefore
// alone here. It waits only while the owner is running towards its native
// select or out of it; the owner takes no lock in between.
//
//go:norace
func (t *Ticket) handshake() bool {
	for {
		switch t.arms.Load() {
		case disarmed:
			return true
		case fired:
			return false
		}
		select {
		case t.hand <- struct{}{}:
			return true
		default:
			runtime.Gosched()
		}
	}
}
