package shm

// The line has every value that was sent and not confirmed, in the order of the
// sends, whatever has become of it. From the front: those that were handed out once
// (held, resting, or back), then those that never were; and likewise first those with
// a slot, then those without.

// used is how many slots have a value: those that left custody and have not ended.
func (t *tx) used() uint32 { return t.get(gSent) - t.get(gReceived) - t.get(gBuried) }

// count adds n to a counter of two words.
func (t *tx) count(low, high, n uint32) {
	if t.add(low, n) < n {
		t.add(high, 1)
	}
}

// link appends e to the line.
func (t *tx) link(e uint32) {
	last := t.get(gTail)
	t.setE(e, ePrev, last)
	t.setE(e, eNext, 0)
	if last != 0 {
		t.setE(last, eNext, e)
	}
	t.set(gTail, e)
}

// linkAfter puts e behind p in the line.
func (t *tx) linkAfter(e, p uint32) {
	next := t.e(p, eNext)
	t.setE(e, ePrev, p)
	t.setE(e, eNext, next)
	t.setE(p, eNext, e)
	if next == 0 {
		t.set(gTail, e)
	} else {
		t.setE(next, ePrev, e)
	}
}

// unlink takes e out of the line.
func (t *tx) unlink(e uint32) {
	if t.get(gReady) == e {
		t.set(gReady, t.readyAfter(e))
	}
	prev, next := t.e(e, ePrev), t.e(e, eNext)
	if t.get(gNoSlot) == e {
		t.set(gNoSlot, t.noSlotAfter(e))
	}
	if prev != 0 {
		t.setE(prev, eNext, next)
	}
	if next != 0 {
		t.setE(next, ePrev, prev)
	} else {
		t.set(gTail, prev)
	}
}

// noSlotAfter returns the first record behind e without a slot. That is the next one, but
// where an offer was passed over.
func (t *tx) noSlotAfter(e uint32) uint32 {
	for e = t.e(e, eNext); e != 0 && t.is(e, withSlot); e = t.e(e, eNext) {
	}
	return e
}

// readyNow returns the first value that a plain receiver can have at once.
func (t *tx) readyNow() uint32 {
	for e := t.get(gReady); e != 0; e = t.readyAfter(e) {
		switch w := t.e(e, eFrom); {
		case t.awake(w):
			return e
		case !t.passedOver(w):
			return 0
		}
	}
	return 0
}

// readyAfter returns the first record behind e that nobody holds.
func (t *tx) readyAfter(e uint32) uint32 {
	for e = t.e(e, eNext); e != 0 && t.kind(e) != inReady; e = t.e(e, eNext) {
	}
	return e
}

// offer puts e, which nobody has seen, at the end of the line or behind p, without a slot.
func (t *tx) offer(e, w, p uint32) {
	t.state(e, inReady, 0, 0)
	t.setE(e, eFrom, w)
	t.setE(e, eTries, 0)
	if p == 0 {
		t.link(e)
	} else {
		t.linkAfter(e, p)
	}
	next := t.e(e, eNext)
	if ns := t.get(gNoSlot); ns == 0 || ns == next {
		t.set(gNoSlot, e)
	}
	if r := t.get(gReady); r == 0 || r == next {
		t.set(gReady, e)
	}
	t.add(gQueued, 1)
}

// toEnd moves e, which was never handed out and has no slot, to the end of the line.
func (t *tx) toEnd(e uint32) {
	if t.get(gTail) == e {
		return
	}
	t.unlink(e)
	t.link(e)
	if t.get(gNoSlot) == 0 {
		t.set(gNoSlot, e)
	}
	if t.get(gReady) == 0 && t.kind(e) == inReady {
		t.set(gReady, e)
	}
}

// before reports whether a, which was handed out, stands before b.
func (t *tx) before(a, b uint32) bool {
	if !t.is(b, wasHanded) {
		return true
	}
	return t.order(a) < t.order(b)
}

func (t *tx) order(e uint32) uint64 {
	return uint64(t.e(e, eTries)>>16)<<32 | uint64(t.e(e, eOrder))
}

func (t *tx) tries(e uint32) int { return int(t.e(e, eTries) & 0xffff) }

// hold hands e to a member. An attempt counts up to 65535.
func (t *tx) hold(e, member, flags uint32) {
	st := t.e(e, eState)
	if st&wasHanded == 0 {
		t.count(gOrder, gOrderHigh, 1)
		t.setE(e, eOrder, t.get(gOrder))
		t.setE(e, eTries, t.get(gOrderHigh)<<16|t.e(e, eTries)&0xffff)
		t.toHanded(e)
	}
	if t.get(gReady) == e {
		t.set(gReady, t.readyAfter(e))
	}
	t.raise(e)
	t.state(e, inHeld, st&withSlot|wasHanded|flags, member)
	t.add2(e, eHold)
	t.add(gHeld, 1)
	if st&withSlot != 0 {
		t.add(gHeldSlots, 1)
	}
	t.bind(t.e(e, eFrom))
}

// toHanded moves e, which is about to be handed out for the first time, behind those that were
// before: offers that were passed over stand in between, and putBack could not tell the places of
// what comes back, if those that nobody has had did not stand behind all others.
func (t *tx) toHanded(e uint32) {
	var first uint32 // of those in between
	p, noSlot := t.e(e, ePrev), false
	for ; p != 0 && !t.is(p, wasHanded); p = t.e(p, ePrev) {
		first, noSlot = p, noSlot || t.get(gNoSlot) == p
	}
	if first == 0 {
		return
	}
	prev, next := t.e(e, ePrev), t.e(e, eNext)
	t.setE(prev, eNext, next)
	if next != 0 {
		t.setE(next, ePrev, prev)
	} else {
		t.set(gTail, prev)
	}
	t.setE(e, ePrev, p)
	t.setE(e, eNext, first)
	t.setE(first, ePrev, e)
	if p != 0 {
		t.setE(p, eNext, e)
	}
	if noSlot && !t.is(e, withSlot) {
		t.set(gNoSlot, e)
	}
}

func (t *tx) add2(e, field uint32) { t.setE(e, field, t.e(e, field)+1) }

// raise counts one hand-out of e.
func (t *tx) raise(e uint32) {
	tries := t.e(e, eTries)
	if tries&0xffff != 0xffff {
		t.setE(e, eTries, tries+1)
	}
}

// unhold ends the hold of e, or its rest.
func (t *tx) unhold(e uint32) {
	t.add(gHeld, ^uint32(0))
	if t.is(e, withSlot) {
		t.add(gHeldSlots, ^uint32(0))
	}
	if t.e(e, eDue)|t.e(e, eDueHigh) != 0 {
		t.setE(e, eDue, 0)
		t.setE(e, eDueHigh, 0)
		t.add(gTimed, ^uint32(0))
	}
}

// putBack offers e, which was held and is in the line, again in its place. Without a slot
// and after close it goes home instead.
func (t *tx) putBack(e uint32) {
	t.unhold(e)
	if t.get(gClosed) != 0 && !t.is(e, withSlot) {
		w := t.e(e, eFrom)
		t.unlink(e)
		t.restore(e, w)
		t.finishSend(w, resClosed)
		return
	}
	t.state(e, inReady, t.e(e, eState)&(withSlot|wasHanded), 0)
	if r := t.get(gReady); r == 0 || t.before(e, r) {
		t.set(gReady, e)
	}
	t.add(gQueued, 1)
}
