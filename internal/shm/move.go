package shm

import "github.com/handoff-go/handoff/driver"

// stepWrites is more than one step of move changes; a step that may not fit waits
// for the next transaction.
const stepWrites = 64

// move does all that can be done now, so that a waiter is completed by the operation
// that unblocks it. Every transaction that changes the line ends with it. What does
// not fit is left for the next one, which begins with it, whoever makes it.
func (t *tx) move() {
	if t.quiet() {
		return
	}
	for t.fits() && (t.sweep() || t.tellWatch() || t.fillSlots() || t.handOut() || t.endTry()) {
	}
	t.topUp()
	for t.fits() && t.closeTaker() {
	}
}

// quiet reports that nobody waits for anything.
func (t *tx) quiet() bool {
	return len(t.turned) == 0 && t.get(gNoSlot)|t.get(gTakers)|t.get(gWatch)|t.get(gSweep)|t.get(gDirty) == 0
}

// fits reports whether one more step fits, and notes if not that there may be one.
func (t *tx) fits() bool {
	if t.bad != "" || t.full {
		return false
	}
	if t.room(stepWrites + 10*len(t.served) + 6*len(t.turned)) {
		t.set(gDirty, 0)
		return true
	}
	t.full = true
	t.set(gDirty, 1)
	return false
}

// sweep sends the first value home that has no slot and is not held, once the channel
// is closed.
func (t *tx) sweep() bool {
	if t.get(gSweep) == 0 {
		return false
	}
	for e := t.get(gNoSlot); e != 0; e = t.e(e, eNext) {
		switch {
		case t.kind(e) == inHeld:
		case !t.awake(t.e(e, eFrom)):
			t.ask(t.e(e, eFrom))
		default:
			t.goHome(e, resClosed)
			return true
		}
		if !t.fits() {
			return false
		}
	}
	t.set(gSweep, 0)
	return false
}

// goHome ends the send of e, which has no slot and is not held.
func (t *tx) goHome(e uint32, r result) {
	if t.kind(e) == inRest {
		t.unhold(e)
	}
	w := t.e(e, eFrom)
	t.unlink(e)
	t.restore(e, w)
	t.finishSend(w, r)
}

// tellWatch ends the first of those who wait for a stop, once there was one.
func (t *tx) tellWatch() bool {
	if t.get(gWatch) == 0 || t.get(gStopped) == 0 {
		return false
	}
	return t.endEach(watches, func(w uint32) {
		t.delist(watches, w)
		t.end(w, resOK)
	})
}

// closeTaker ends the first receiver, if it waits for nothing any more.
func (t *tx) closeTaker() bool {
	if t.get(gTakers) == 0 || t.get(gClosed) == 0 || t.used() != 0 || t.get(gSweep) != 0 {
		return false
	}
	return t.endEach(takers, func(w uint32) { t.finishTaker(w, resClosed) })
}

// endEach ends the first waiter of l that can be ended, and asks the offers before it.
func (t *tx) endEach(l list, end func(w uint32)) bool {
	for w := t.get(l.first); w != 0 && t.fits(); w = t.w(w, wNext) {
		if t.awake(w) {
			end(w)
			return true
		}
		t.ask(w)
	}
	return false
}

// fillSlots gives the free slots to the oldest values without one, whose senders go on.
func (t *tx) fillSlots() (done bool) {
	for t.get(gNoSlot) != 0 && t.used() < t.s.slots && t.fits() {
		e := t.firstNoSlot()
		if e == 0 {
			break
		}
		if w := t.e(e, eFrom); !t.awake(w) {
			t.ask(w)
			break
		}
		st := t.e(e, eState)
		t.setE(e, eState, st|withSlot)
		if t.get(gNoSlot) == e {
			t.set(gNoSlot, t.noSlotAfter(e))
		}
		if st&inKind == inHeld || st&inKind == inRest {
			t.add(gHeldSlots, 1)
		}
		t.count(gSent, gSentHigh, 1)
		t.left(e)
		done = true
	}
	if done {
		t.queueAgain()
	}
	return done
}

// queueAgain ends the turn of the batches that have passed values: what they have left
// waits behind all others, unless somebody has it.
func (t *tx) queueAgain() {
	for _, w := range t.turned {
		if e := t.w(w, wRecord); t.wKind(w) == waitSend && t.phase(w) == phaseWaiting && e != 0 && !t.is(e, wasHanded) {
			t.toEnd(e)
		}
	}
	t.turned = t.turned[:0]
}

// left notes that e has left the custody of its sender, if that still waits. A batch
// offers its next value in the place of e, for what fits in its turn.
func (t *tx) left(e uint32) {
	w := t.e(e, eFrom)
	if w == 0 {
		return
	}
	t.setE(e, eFrom, 0)
	t.add(t.waiterAt(w)+wCount, 1)
	rest := t.add(t.waiterAt(w)+wMost, ^uint32(0))
	switch {
	case rest == 0:
		t.finishSend(w, resOK)
		return
	case t.get(gClosed) != 0: // e was held then
		t.finishSend(w, resClosed)
		return
	}
	next := t.w(w, wStage)
	t.setW(w, wStage, t.e(next, eNext))
	t.setW(w, wRecord, next)
	if t.is(e, wasHanded) {
		t.offer(next, w, 0) // its place among those that were handed out is no place for a new one
		return
	}
	t.offer(next, w, e)
	t.turned = append(t.turned, w)
}

// finishSend ends the send w; its value is out of the line, or left. What it had staged
// besides is freed.
func (t *tx) finishSend(w uint32, r result) {
	for e := t.w(w, wStage); e != 0 && t.bad == ""; {
		next := t.e(e, eNext)
		t.free(e)
		e = next
	}
	t.setW(w, wStage, 0)
	t.endTrying(w)
	if r != resRejected {
		t.setW(w, wRecord, 0)
	}
	t.add(gSenders, ^uint32(0))
	t.end(w, r)
}

// end ends the waiter w, which is in no list: its process is told.
func (t *tx) end(w uint32, r result) {
	if w == t.own {
		t.endOwn(w, r)
		return
	}
	t.setW(w, wResult, uint32(r))
	t.done(w)
}

// endOwn ends the waiter of the operation that is being done.
func (t *tx) endOwn(w uint32, r result) {
	t.ended, t.result, t.n, t.reason = true, r, int(t.w(w, wCount)), t.w(w, wRecord)
	if k := t.wKind(w); r == resOK && (k == waitRecv || k == waitTake) {
		for e := t.w(w, wRecord); e != 0; {
			next := t.e(e, eChain)
			if k == waitRecv {
				t.push(e)
			}
			t.taken = append(t.taken, e)
			e = next
		}
	}
	t.untell(w)
	t.dropWaiter(w)
}

// finishTaker ends a receiver that waits.
func (t *tx) finishTaker(w uint32, r result) {
	t.endTrying(w)
	t.delist(takers, w)
	t.add(gReceivers, ^uint32(0))
	t.end(w, r)
}

// handOut gives the first receiver the first value that is ready, if they are there. One
// that takes more has the rest when everybody has had one.
func (t *tx) handOut() bool {
	w, e := t.pair()
	if w == 0 {
		return false
	}
	s := t.e(e, eFrom)
	if !t.mayTry(s, w) {
		if !t.awake(w) && t.w(s, wOffer)&isSpent == 0 {
			t.ask(w) // or it has gone, and another is the first
		}
		return false
	}
	switch taker, sender := t.awake(w), t.awake(s); {
	case taker && sender:
		t.endTrying(w)
		t.delist(takers, w)
		t.add(gReceivers, ^uint32(0))
		t.give(w, e)
		t.served = append(t.served, w)
		return true
	case sender, !taker && t.lower(w, s):
		t.ask(w)
	default:
		t.ask(s)
	}
	return false
}

// pair returns the first receiver and the first value that may meet.
func (t *tx) pair() (w, e uint32) {
	ready := t.get(gReady)
	if ready == 0 {
		return 0, 0
	}
	var holders [2]uint32 // the first receivers that take to hold, of different tickets: one may be the sender's own
	for w = t.get(gTakers); w != 0; w = t.w(w, wNext) {
		if t.passedOver(w) {
			continue
		}
		for e = ready; e != 0; e = t.readyAfter(e) {
			if s := t.e(e, eFrom); !t.passedOver(s) && !t.sameTicket(w, s) && !t.hasLooked(s, w, holders) {
				return w, e
			}
		}
		switch {
		case t.wKind(w) == waitRecv || holders[1] != 0:
		case holders[0] == 0:
			holders[0] = w
		case !t.sameTicket(holders[0], w):
			holders[1] = w
		}
	}
	return 0, 0
}

// hasLooked reports whether the send s tries, and has found that the first receiver takes to hold: it meets
// neither that one nor w behind it. To one that is asleep it is said when that is asked.
func (t *tx) hasLooked(s, w uint32, holders [2]uint32) bool {
	if !t.isTrying(s) {
		return false
	}
	for _, h := range holders {
		if h != 0 && !t.sameTicket(h, s) {
			return true
		}
	}
	return t.w(s, wOffer)&isSpent != 0 || t.wKind(w) != waitRecv && t.awake(w)
}

// topUp gives those who were served as much more as they take of what is there and nobody
// waits for.
func (t *tx) topUp() {
	for len(t.served) > 0 {
		w := t.served[0]
		for e := t.readyNow(); e != 0 && t.firstTaker() == 0 && t.w(w, wCount) < t.w(w, wMost) && t.fits(); e = t.readyNow() {
			t.give(w, e)
			t.fillSlots()
		}
		t.served = t.served[1:]
		t.end(w, resOK)
	}
	t.queueAgain()
}

// give hands e to the receiver w, which is out of its list. A plain receiver of this process has
// it for good, as the process cannot die without both knowing it. One elsewhere holds it
// until it has heard of it.
func (t *tx) give(w, e uint32) {
	member := t.wMember(w)
	final := t.wKind(w) == waitRecv && t.s.isHere(member)
	if final {
		t.raise(e)
		t.redelivered(e)
		t.confirm(e)
		t.state(e, inGiven, 0, member)
	} else {
		var flags uint32
		if t.wKind(w) == waitRecv {
			flags = isUnheard
		}
		t.hold(e, member, flags)
		t.redelivered(e)
		t.limit(e, member)
	}
	t.setE(e, eChain, 0)
	if last := t.w(w, wLast); last == 0 {
		t.setW(w, wRecord, e)
	} else {
		t.setE(last, eChain, e)
	}
	t.setW(w, wLast, e)
	t.add(t.waiterAt(w)+wCount, 1)
}

// redelivered counts and tells that e, which was just handed out, was so before.
func (t *tx) redelivered(e uint32) {
	if n := t.tries(e); n > 1 {
		t.add(gRedelivered, 1)
		t.tell(driver.EventRedelivered, "recv", "", n)
	}
}

// confirm ends e: it has arrived. It leaves the line, and is the caller's. Its slot is
// free; a sender without one goes on, and its next value comes in the place of e.
func (t *tx) confirm(e uint32) {
	t.count(gReceived, gReceivedHigh, 1)
	if !t.is(e, withSlot) {
		t.count(gSent, gSentHigh, 1)
		t.left(e)
	}
	t.unlink(e)
}
