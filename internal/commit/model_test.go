package commit

import "fmt"

// This file is the world in which the decisions of this package are explored:
// owners, homes with one channel each, and links between them that keep order. What
// an owner and a home decide they ask rules for, which are those of the package
// unless a test breaks one.

const (
	maxOwners = 4
	maxHomes  = 4
)

// The ones at a channel: owners 0 to maxOwners-1, and
const (
	plain   = maxOwners     // a plain operation, which is firm
	stored  = maxOwners + 1 // the sender of what was in a slot at the beginning
	nobody  = 255
	parties = maxOwners + 1
)

// rules are the decisions.
type rules struct {
	first    func(s, r Party) Who
	may      func(s, r Party) bool
	granted  func(Match) (Match, Step)
	gone     func(Match) (Match, Step)
	claimed  func(Part, Word) (Part, Reply)
	tried    func(Part, Word) (Part, Reply)
	released func(Part, Word) (Part, Reply)
	binds    func(Part, Word) (Part, Reply)
	tired    func(Part) (Part, Reply)
	freed    func(Part, Word) (Part, Reply)
}

func theRules() rules {
	return rules{First, May, Match.Granted, Match.Gone, Part.Claimed, Part.Tried, Part.Released, Part.Binds, Part.Tired, Part.Freed}
}

// kind of a message.
type kind uint8

const (
	offer kind = iota + 1 // owner to home; the role is the scenario's
	claim                 // home to owner, as are the next four
	release
	done   // the send of the owner took effect
	value  // a try with a value
	closed // a try, of a case on a closed channel
	ended  // after cancel: no case took effect
	bind   // the send is chosen, whatever becomes of its value
	grant  // owner to home, as are the next five
	taken
	cancel
	aside // a value goes back, but the offer stays
	back  // and can be met again
	death // of the one at the other end: nothing follows
)

// msg is a message; from says whose value a value is.
type msg struct {
	k    kind
	from uint8
}

// link is one direction between an owner and a home.
type link []msg

// word is an owner's ticket.
type word uint8

const (
	waiting word = iota
	claimedBy
	synced
	aborted
)

// how an owner's select has ended.
type outcome uint8

const (
	open outcome = iota
	sent
	received
	failed   // closed, or its home is dead
	inDoubt  // it was told so
	gaveUp   // cancelled
	byItself // a case of its own process took effect: a channel there, a timer
	deadHere // its process is dead
)

// owner is a process with one select.
type owner struct {
	w       word
	how     outcome
	at      uint8 // the home where it ended
	got     uint8 // whose value it received
	parts   [maxHomes]Part
	parked  [maxHomes]msg
	quits   bool  // it wants to give up
	asked   uint8 // and has told that home, which has claimed it; nobody if none
	offered [maxHomes]bool
}

// home is a channel.
type home struct {
	dead     bool
	closed   bool
	slots    uint8
	used     uint8
	ring     []uint8        // whose values are in slots and ready
	sq, rq   []uint8        // who waits
	state    [parties]uint8 // of an offer: idle, asked, granted
	over     [parties]bool  // of an offer: it has ended here
	bound    [parties]bool  // a send that is chosen, whatever becomes of its value
	aside    [parties]bool  // an offer that stands aside
	leaves   [parties]bool  // a send that was cancelled while its value was on its way
	hand     [parties]uint8 // who has the value of that sender, or nobody
	fromSlot [parties]uint8 // whose value out of a slot that receiver has, or nobody
	m        Match
	s, r     uint8
}

const (
	idle uint8 = iota
	asking
	held
)

// world is one state of everything.
type world struct {
	sc     *scenario
	owners [maxOwners]owner
	homes  [maxHomes]home
	up     [maxOwners][maxHomes]link // owner to home
	down   [maxOwners][maxHomes]link
	plainS [maxHomes]outcome // of the plain send and receive of each home
	plainR [maxHomes]outcome
	plainG [maxHomes]uint8
	deaths uint8
	bad    string
}

// role is what a select does at a home.
type role uint8

const (
	no   role = iota
	snd       // send
	rcv       // receive
	both      // either, on the same channel
)

// scenario is what a world begins with and what may happen in it.
type scenario struct {
	name     string
	owners   [][]role // of each owner, at each home
	slots    []uint8
	full     []uint8 // values in slots at the beginning
	plainS   []bool
	plainR   []bool
	closes   []bool // the channel may be closed at any time
	cancels  bool   // any select may give up at any time, a plain receive before its value comes
	quitters int    // if not 0, only so many of the selects
	local    bool   // a case in the owner's process may take effect at any time
	kills    uint8  // so many owners may die
	falls    bool   // a home may die
	tires    bool   // an owner may send a value back, at any time, that waits for its ticket
	rules    rules

	spare []*world // see clone
	room  []byte   // of key
}

// clone returns a world like w, in the room of one that is not needed any more: a
// million of them are most of the time of an exploration.
func (w *world) clone() *world {
	sc := w.sc
	if len(sc.spare) == 0 {
		sc.spare = append(sc.spare, &world{})
	}
	c := sc.spare[len(sc.spare)-1]
	sc.spare = sc.spare[:len(sc.spare)-1]
	up, down, homes := c.up, c.down, c.homes // for their room
	*c = *w
	for i := range sc.owners {
		for h := range sc.slots {
			c.up[i][h] = append(up[i][h][:0], w.up[i][h]...)
			c.down[i][h] = append(down[i][h][:0], w.down[i][h]...)
		}
	}
	for h := range sc.slots {
		c.homes[h].ring = append(homes[h].ring[:0], w.homes[h].ring...)
		c.homes[h].sq = append(homes[h].sq[:0], w.homes[h].sq...)
		c.homes[h].rq = append(homes[h].rq[:0], w.homes[h].rq...)
	}
	return c
}

// drop gives up w, whose room the next clone takes.
func (w *world) drop() { w.sc.spare = append(w.sc.spare, w) }

// key tells worlds apart. It is good until the next one.
func (w *world) key() []byte {
	b := w.sc.room[:0]
	for i := range w.sc.owners {
		o := &w.owners[i]
		b = append(b, byte(o.w), byte(o.how), o.at, o.got, o.asked, bits(o.quits))
		for h := range w.sc.slots {
			p := o.parts[h]
			b = append(b, bits(p.Held, p.Bound, o.offered[h]), byte(p.Parked), byte(o.parked[h].k), o.parked[h].from)
			b = w.up[i][h].append(b)
			b = w.down[i][h].append(b)
		}
	}
	for h := range w.sc.slots {
		x := &w.homes[h]
		b = append(b, bits(x.dead, x.closed, x.m.Promised), byte(x.m.Asked), x.s, x.r, x.used)
		b = append(b, byte(w.plainS[h]), byte(w.plainR[h]), w.plainG[h])
		for _, list := range [...][]uint8{x.ring, x.sq, x.rq} {
			b = append(append(b, byte(len(list))), list...)
		}
		for i := range parties {
			b = append(b, bits(x.over[i], x.bound[i], x.leaves[i], x.aside[i]), x.state[i], x.hand[i], x.fromSlot[i])
		}
	}
	w.sc.room = append(b, w.deaths)
	return w.sc.room
}

func (l link) append(b []byte) []byte {
	b = append(b, byte(len(l)))
	for _, m := range l {
		b = append(b, byte(m.k), m.from)
	}
	return b
}

func bits(list ...bool) (b byte) {
	for i, is := range list {
		if is {
			b |= 1 << i
		}
	}
	return b
}

func (w *world) unsafe(format string, args ...any) {
	if w.bad == "" {
		w.bad = fmt.Sprintf(format, args...)
	}
}

// begin is the first world of a scenario: every offer is on its way.
func (sc *scenario) begin() *world {
	w := &world{sc: sc}
	for i := range w.owners {
		w.owners[i].got, w.owners[i].at, w.owners[i].asked = nobody, nobody, nobody
	}
	for h := range sc.slots {
		x := &w.homes[h]
		x.slots, x.s, x.r = sc.slots[h], nobody, nobody
		for i := range x.hand {
			x.hand[i], x.fromSlot[i] = nobody, nobody
		}
		w.plainG[h] = nobody
		for range at(sc.full, h) {
			x.ring = append(x.ring, stored)
			x.used++
		}
		if at(sc.plainS, h) {
			x.sq = append(x.sq, plain)
		}
		if at(sc.plainR, h) {
			x.rq = append(x.rq, plain)
		}
		w.settle(h)
	}
	for i, roles := range sc.owners {
		for h, r := range roles {
			if r != no {
				w.up[i][h] = append(w.up[i][h], msg{k: offer})
				w.owners[i].offered[h] = true
			}
		}
	}
	return w
}

func at[T any](list []T, i int) (v T) {
	if i < len(list) {
		v = list[i]
	}
	return v
}

// ticketOf orders owners by their numbers.
func ticketOf(i uint8) Ticket { return Ticket{Number: uint64(i) + 1} }
