// Package commit is how a select whose cases lie at several homes takes effect
// exactly once: the decisions of docs/spec/select.md, as functions from a state
// and what happens to the next state and what is to be done. They do no I/O, take
// no lock and keep nothing, so that what a home and a client run is what the test
// of this package explores, in every order of the messages.
//
// The parties are the owner of a select, in whose process its ticket is, and the
// homes of its cases. A home that wants a receive case hands it a value and asks
// whether it is taken (a try). A home that wants a send case claims the ticket
// first, since whoever is to have the value has to be asked as well. Where both
// sides are selects of others it claims the lower ticket and then asks the higher,
// so that whoever waits, waits for a higher ticket, and no cycle can form.
package commit

import (
	"bytes"
	"cmp"
)

// Ticket names one turn of one select among all processes. Their order is all
// that matters about it.
type Ticket struct {
	Node   [16]byte // the incarnation of the owner's process
	Number uint64
}

// Compare orders tickets: -1 if t is the lower one, 0 if it is u.
func (t Ticket) Compare(u Ticket) int {
	if c := bytes.Compare(t.Node[:], u.Node[:]); c != 0 {
		return c
	}
	return cmp.Compare(t.Number, u.Number)
}

// Party is one side of a match, as its home sees it.
type Party struct {
	Ticket  Ticket
	Select  bool // decided elsewhere; else it is firm: whoever has it need not ask
	Granted bool // it has promised to take what this home gives it
}

// Who is one side of a match.
type Who uint8

// The sides.
const (
	Nobody Who = iota
	Sender
	Receiver
)

// First says whom a home asks first, so that s, a select decided elsewhere, can
// meet the receiver r. Nobody: the two are one select, which never meets itself.
func First(s, r Party) Who {
	switch {
	case !r.Select:
		return Sender
	case s.Ticket.Compare(r.Ticket) < 0:
		return Sender
	case s.Ticket.Compare(r.Ticket) > 0:
		return Receiver
	}
	return Nobody
}

// May reports whether s, whose ticket is granted, may be handed to r now: r is to
// be asked last, or has promised.
func May(s, r Party) bool {
	switch First(s, r) {
	case Sender:
		return true
	case Receiver:
		return r.Granted
	}
	return false
}

// Match is what a channel does for one send case: it has asked one side and waits
// for the answer. A channel has one at a time. The zero Match is none.
type Match struct {
	Asked    Who
	Promised bool // the receiver has been asked before, and has promised
}

// Step is what a home does next.
type Step uint8

// The steps.
const (
	AskSender   Step = iota + 1 // claim the sender's ticket
	AskReceiver                 // claim the receiver's ticket
	Meet                        // hand the value over if anybody can have it; then End
	End                         // the match is over: release whoever was granted and got nothing
)

// Begin begins a match: first is what First has said.
func Begin(first Who) (Match, Step) {
	if first == Receiver {
		return Match{Asked: Receiver}, AskReceiver
	}
	return Match{Asked: Sender}, AskSender
}

// Granted is the next step once the side that was asked has granted its ticket.
func (m Match) Granted() (Match, Step) {
	if m.Asked == Receiver {
		return Match{Asked: Sender, Promised: true}, AskSender
	}
	return m, Meet
}

// Gone is the next step once the side that was asked is not to be had any more.
func (m Match) Gone() (Match, Step) { return m, End }

// Answer is what an owner's ticket says to one who wants it.
type Answer uint8

// The answers.
const (
	Won  Answer = iota // it is his
	Busy               // another has claimed it, and may release it
	Gone               // it is over
)

// Word is the ticket of an owner.
type Word interface {
	Claim() Answer // waiting → claimed
	Win() Answer   // waiting → synced
	Confirm()      // claimed → synced
	Release()      // claimed → waiting
	Bind()         // claimed → synced, but the outcome is still to come
}

// Part is what the owner of a select keeps for one home: whether that home has
// its ticket, and what it wants meanwhile. The zero Part is that of a fresh offer.
type Part struct {
	Held   bool   // that home has claimed the ticket
	Bound  bool   // and has let a case take effect, whose outcome is still to come
	Parked Wanted // what waits until another home lets go of it
}

// Wanted is what a home wants of a ticket.
type Wanted uint8

// What can be wanted.
const (
	Nothing Wanted = iota
	Claim
	Try
	Aside // to be told that the ticket is released: the offer stands aside
)

// Reply is what the owner answers.
type Reply uint8

// The replies.
const (
	Later      Reply = iota // nothing yet: parked
	Grant                   // to a claim: the ticket is the home's until it confirms or releases
	Taken                   // to a try: it took effect, and nothing else will
	Refuse                  // it is over: what came with a try goes back
	StandAside              // to a try: not now; what came goes back, and nothing is to come
	StandBack               // until this
	Invalid                 // the home broke the rules
)

// Claimed is what becomes of a claim.
func (p Part) Claimed(w Word) (Part, Reply) {
	if p.Held || p.Parked != Nothing {
		return p, Invalid
	}
	switch w.Claim() {
	case Won:
		return Part{Held: true}, Grant
	case Busy:
		return Part{Parked: Claim}, Later
	}
	return Part{}, Refuse
}

// Tried is what becomes of a try: a case that takes effect if it may. From the
// home that has claimed the ticket it is the confirmation.
func (p Part) Tried(w Word) (Part, Reply) {
	switch {
	case p.Bound:
		return Part{}, Taken
	case p.Held:
		w.Confirm()
		return Part{}, Taken
	}
	switch w.Win() {
	case Won:
		return Part{}, Taken
	case Busy:
		return Part{Parked: Try}, Later // a claim of this home's own that was parked is overtaken
	}
	return Part{}, Refuse
}

// Released is what becomes of a release.
func (p Part) Released(w Word) (Part, Reply) {
	if !p.Held || p.Bound {
		return p, Invalid
	}
	w.Release()
	return Part{}, Later
}

// Binds is what becomes of a bind: a send of that home is chosen, and held.
func (p Part) Binds(w Word) (Part, Reply) {
	if !p.Held || p.Bound {
		return p, Invalid
	}
	w.Bind()
	return Part{Held: true, Bound: true}, Later
}

// Tired is what becomes of a try that has been parked for so long that its value is
// not to be kept from others any more.
func (p Part) Tired() (Part, Reply) {
	if p.Parked != Try {
		return p, Later
	}
	return Part{Parked: Aside}, StandAside
}

// Freed is what becomes of what was parked, now that the ticket was released.
func (p Part) Freed(w Word) (Part, Reply) {
	switch p.Parked {
	case Aside:
		return Part{}, StandBack
	case Claim:
		return Part{}.Claimed(w)
	case Try:
		return Part{}.Tried(w)
	}
	return p, Later
}
