package commit

import "slices"

// This file is what a home does: the engine's part of it, for one channel, with
// names of senders in the place of values.

func (w *world) say(i uint8, h int, k kind, from uint8) {
	w.down[i][h] = append(w.down[i][h], msg{k, from})
}

func drop(list []uint8, i uint8) []uint8 {
	return slices.DeleteFunc(slices.Clone(list), func(o uint8) bool { return o == i })
}

// leave takes the offer of i out of the line.
func (x *home) leave(i uint8) { x.sq, x.rq = drop(x.sq, i), drop(x.rq, i) }

// asleep reports whether sender i is an offer's: its owner has to be asked.
func (x *home) asleep(i uint8) bool { return i < maxOwners && !x.bound[i] }

func (x *home) party(i uint8) Party {
	if i >= maxOwners {
		return Party{}
	}
	return Party{Ticket: ticketOf(i), Select: true, Granted: x.state[i] == held}
}

// told has home h handle m from owner i.
func (w *world) told(h int, i uint8, m msg) {
	x := &w.homes[h]
	switch {
	case x.dead:
		return
	case m.k == offer:
		w.enter(h, i)
	case m.k == death:
		w.parted(h, i)
	case m.k == grant:
		w.granted(h, i)
	case m.k == taken:
		w.settled(h, i, true)
	case m.k == cancel:
		w.cancelled(h, i)
	case m.k == aside:
		w.settled(h, i, false)
		x.over[i], x.aside[i], x.state[i] = false, true, idle
		w.enter(h, i)
	case m.k == back:
		x.aside[i] = false
	}
	w.settle(h)
}

// enter puts the offer of i into the line.
func (w *world) enter(h int, i uint8) {
	x := &w.homes[h]
	r := w.sc.owners[i][h]
	if r == snd || r == both {
		x.sq = append(slices.Clone(x.sq), i)
	}
	if r == rcv || r == both {
		x.rq = append(slices.Clone(x.rq), i)
	}
}

// granted hears that i has granted its ticket.
func (w *world) granted(h int, i uint8) {
	x := &w.homes[h]
	if x.over[i] {
		return // it crossed the end of the offer
	}
	if x.state[i] != asking {
		w.unsafe("home %d: a grant of %d that nobody asked for", h, i)
		return
	}
	x.state[i] = held
	switch {
	case x.s == nobody || i != x.s && i != x.r:
		w.letGo(h, i)
	case i == x.r && x.m.Asked == Receiver:
		x.m, _ = w.sc.rules.granted(x.m)
		w.ask(h, x.s)
	case i == x.s && x.m.Asked == Sender:
		var step Step
		if x.m, step = w.sc.rules.granted(x.m); step == Meet {
			w.meet(h, i)
		}
	default:
		w.letGo(h, i)
	}
}

func (w *world) ask(h int, i uint8) {
	w.homes[h].state[i] = asking
	w.say(i, h, claim, nobody)
}

func (w *world) letGo(h int, i uint8) {
	w.homes[h].state[i] = idle
	w.say(i, h, release, nobody)
}

// meet has s, whose ticket is granted, meet whoever is there.
func (w *world) meet(h int, s uint8) {
	x := &w.homes[h]
	met := false
	switch {
	case x.closed:
	case x.used < x.slots:
		x.used++
		x.ring = append(x.ring, s)
		w.sent(h, s)
		met = true
	default:
		for _, r := range x.rq {
			if r != s && !x.aside[r] && w.sc.rules.may(x.party(s), x.party(r)) {
				w.handOver(h, s, r)
				met = true
				break
			}
		}
	}
	w.endMatch(h)
	if !met {
		w.letGo(h, s)
	}
}

// endMatch ends the match, and lets a receiver go that has promised in vain.
func (w *world) endMatch(h int) {
	x := &w.homes[h]
	r, promised := x.r, x.m.Promised
	x.m, x.s, x.r = Match{}, nobody, nobody
	if promised && slices.Contains(x.rq, r) {
		w.letGo(h, r)
	}
}

// handOver gives the value of s, which has no slot, to r.
func (w *world) handOver(h int, s, r uint8) {
	x := &w.homes[h]
	x.leave(s)
	x.leave(r)
	x.hand[s] = r
	w.try(h, r, s)
}

// try shows r a value. A plain receiver answers as it likes: see moves.
func (w *world) try(h int, r, from uint8) {
	if r < maxOwners {
		w.say(r, h, value, from)
	}
}

// sent tells s that its value is out of its custody.
func (w *world) sent(h int, s uint8) {
	x := &w.homes[h]
	x.leave(s)
	x.hand[s] = nobody
	switch {
	case s == plain:
		w.plainS[h] = sent
	case s < maxOwners:
		x.over[s] = true
		w.say(s, h, done, nobody)
	}
}

// settled hears what became of the value that r was shown.
func (w *world) settled(h int, r uint8, took bool) {
	x := &w.homes[h]
	if r < maxOwners {
		x.over[r] = true
	}
	if from := x.fromSlot[r]; from != nobody {
		x.fromSlot[r] = nobody
		if took {
			x.used--
		} else {
			x.ring = append([]uint8{from}, x.ring...)
		}
		return
	}
	s := uint8(slices.Index(x.hand[:], r))
	if s >= parties {
		w.unsafe("home %d: %d answers, and was not asked", h, r)
		return
	}
	x.hand[s] = nobody
	switch {
	case took:
		w.sent(h, s)
	case x.leaves[s]:
		w.left(h, s)
	default:
		if x.asleep(s) {
			w.letGo(h, s)
		}
		x.sq = append([]uint8{s}, x.sq...)
		if s < maxOwners && w.sc.owners[s][h] == both && !x.bound[s] {
			x.rq = append([]uint8{s}, x.rq...)
		}
	}
}

// left tells s, which wanted to end, that its value was not taken. One that is bound
// fails: it may have been seen by one that died.
func (w *world) left(h int, s uint8) {
	x := &w.homes[h]
	x.over[s] = true
	if x.bound[s] {
		w.say(s, h, closed, nobody)
	} else {
		w.say(s, h, ended, nobody)
	}
}

// cancelled hears that i wants its offer to end.
func (w *world) cancelled(h int, i uint8) {
	x := &w.homes[h]
	switch {
	case slices.Contains(x.hand[:], i) || x.fromSlot[i] != nobody:
		w.settled(h, i, false)
	case x.over[i]:
	case x.hand[i] != nobody:
		x.leaves[i] = true
	default:
		x.leave(i)
		w.left(h, i)
	}
}

// parted hears that the process of i is dead. It may have seen what it was shown.
func (w *world) parted(h int, i uint8) {
	x := &w.homes[h]
	x.leave(i)
	x.over[i] = true
	if from := x.fromSlot[i]; from != nobody {
		x.fromSlot[i] = nobody
		x.ring = append([]uint8{from}, x.ring...)
	}
	if s := slices.Index(x.hand[:], i); s >= 0 {
		x.hand[s] = nobody
		switch {
		case x.leaves[s]:
			x.bound[s] = true
			w.left(h, uint8(s))
		case s < maxOwners && x.over[s]:
		default:
			x.bound[s] = true
			x.sq = append([]uint8{uint8(s)}, x.sq...)
			if s < maxOwners {
				w.say(uint8(s), h, bind, nobody)
			}
		}
	}
}

// settle brings together what waits, as far as nobody has to be asked, and then asks.
func (w *world) settle(h int) {
	x := &w.homes[h]
	for w.serve(h) {
	}
	if x.s != nobody {
		waits := func(q []uint8, i uint8) bool { return slices.Contains(q, i) }
		if waits(x.sq, x.s) && (x.m.Asked == Sender || waits(x.rq, x.r)) {
			return
		}
		x.m, _ = w.sc.rules.gone(x.m)
		w.endMatch(h)
	}
	for _, s := range x.sq {
		if !x.asleep(s) || x.state[s] != idle || x.aside[s] {
			continue
		}
		if first, r := w.partner(h, s); first != Nobody {
			m, step := Begin(first)
			x.m, x.s, x.r = m, s, r
			if step == AskReceiver {
				w.ask(h, r)
			} else {
				w.ask(h, s)
			}
			return
		}
	}
}

func (w *world) partner(h int, s uint8) (Who, uint8) {
	x := &w.homes[h]
	if x.closed {
		return Nobody, nobody
	}
	if x.used < x.slots {
		return Sender, nobody
	}
	for _, r := range x.rq {
		if r == s || x.aside[r] {
			continue
		}
		who := w.sc.rules.first(x.party(s), x.party(r))
		if who == Receiver && x.state[r] != idle {
			continue
		}
		if who != Nobody {
			return who, r
		}
	}
	return Nobody, nobody
}

// serve does one step among the firm, and reports whether it did.
func (w *world) serve(h int) bool {
	x := &w.homes[h]
	firm := len(x.sq) > 0 && !x.asleep(x.sq[0])
	switch {
	case x.closed && len(x.sq) > 0:
		s := x.sq[0]
		x.leave(s)
		if s == plain {
			w.plainS[h] = failed
		} else {
			x.over[s] = true
			w.say(s, h, closed, nobody)
		}
		return true
	case firm && x.used < x.slots:
		s := x.sq[0]
		x.used++
		x.ring = append(x.ring, s)
		w.sent(h, s)
		return true
	}
	first := slices.IndexFunc(x.rq, func(r uint8) bool { return !x.aside[r] })
	if first < 0 {
		return false
	}
	r := x.rq[first]
	switch {
	case len(x.ring) > 0:
		x.leave(r)
		x.fromSlot[r] = x.ring[0]
		x.ring = slices.Clone(x.ring[1:])
		w.try(h, r, x.fromSlot[r])
		return true
	case x.closed && x.used == 0:
		x.leave(r)
		if r == plain {
			w.plainR[h] = failed
		} else {
			x.over[r] = true
			w.say(r, h, closed, nobody)
		}
		return true
	case firm:
		w.handOver(h, x.sq[0], r)
		return true
	}
	return false
}
