package shm

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// What each operation does to the channel, as part of a transaction.

// send offers the k records on top of the stack, which are filled. It returns the waiter,
// if it has to wait.
func (t *tx) send(k int, try, more bool) uint32 {
	switch {
	case t.get(gClosed) != 0:
		t.ended, t.result = true, resClosed
		return 0
	case try && !t.takesOne() && t.get(gTakers) == 0 && t.used() == t.s.slots:
		t.ended, t.result = true, resNotReady
		return 0
	}
	if t.get(gNoSlot) == 0 {
		t.n = t.fillFree(k)
		if k -= t.n; k == 0 {
			t.ended = !more
			t.move()
			return 0
		}
	}
	w := t.newWaiter(waitSend)
	if w == 0 {
		t.ended, t.result = true, resFull
		t.move() // those that have slots may be waited for
		return 0
	}
	t.own = w
	if t.lends {
		t.setW(w, wLent, 1)
	}
	first := t.pop()
	t.setW(w, wMost, uint32(k))
	t.setW(w, wCount, uint32(t.n))
	t.setW(w, wRecord, first)
	if k > 1 {
		t.setW(w, wStage, t.popChain(k-1))
	}
	if more {
		t.setW(w, wMore, 1)
	}
	t.trying(w, try)
	t.add(gSenders, 1)
	t.offer(first, w, 0)
	t.move()
	if t.ended {
		return 0
	}
	t.own = 0
	return w
}

// fillFree puts as many of the k records on top of the stack as there are free slots at the
// end of the line. They are linked already, in this order.
func (t *tx) fillFree(k int) int {
	n := min(k, int(t.s.slots-t.used()), maxWrites-stepWrites)
	if n <= 0 {
		return 0
	}
	at := t.me(mStack)
	first, last := t.get(at), t.get(gTail)
	prev, e := last, first
	for i := range n {
		t.ready(e, prev)
		if i < n-1 {
			prev, e = e, t.e(e, eNext)
		}
	}
	t.set(at, t.e(e, eNext))
	t.setE(e, eNext, 0)
	if last != 0 {
		t.setE(last, eNext, first)
	}
	t.set(gTail, e)
	if t.get(gReady) == 0 {
		t.set(gReady, first)
	}
	t.count(gSent, gSentHigh, uint32(n))
	t.pushed -= n
	return n
}

// popChain takes the k records on top of the stack as they are linked.
func (t *tx) popChain(k int) uint32 {
	at := t.me(mStack)
	first := t.get(at)
	last := first
	for i := 1; i < k; i++ {
		last = t.e(last, eNext)
	}
	t.set(at, t.e(last, eNext))
	t.setE(last, eNext, 0)
	t.pushed -= k
	return first
}

// takesOne reports whether a value that is sent now leaves its sender at once:
// there is a slot, or the first receiver is one that does not hold.
func (t *tx) takesOne() bool {
	if t.get(gNoSlot) == 0 && t.used() < t.s.slots {
		return true
	}
	w := t.firstTaker()
	return w != 0 && t.wKind(w) == waitRecv && t.awake(w)
}

// receive takes up to most values, or waits. It returns the waiter.
func (t *tx) receive(kind uint32, most int, try bool) uint32 {
	if t.takesNow() {
		t.takeNow(kind, most)
		t.ended = true
		return 0
	}
	switch {
	case t.get(gClosed) != 0 && t.used() == 0:
		t.ended, t.result = true, resClosed
		return 0
	case try && t.get(gReady) == 0:
		t.ended, t.result = true, resNotReady
		return 0
	}
	w := t.newWaiter(kind)
	if w == 0 {
		t.ended, t.result = true, resFull
		return 0
	}
	t.setW(w, wMost, uint32(most))
	t.trying(w, try)
	t.stand(w)
	if t.get(gReady) != 0 {
		t.own = w
		t.move() // asks an offer
		t.own = 0
		if t.ended {
			return 0
		}
	}
	return w
}

// stand has the receiver w wait behind all others.
func (t *tx) stand(w uint32) {
	t.enlist(takers, w)
	t.add(gReceivers, 1)
	t.add(gRooms, 1)
}

// takesNow reports whether a value is there for a receiver that comes now.
func (t *tx) takesNow() bool {
	return t.get(gReady) != 0 && t.readyNow() != 0 && t.firstTaker() == 0
}

// takeNow takes up to most of the values that are ready.
func (t *tx) takeNow(kind uint32, most int) {
	if kind == waitRecv {
		if t.get(gNoSlot) != 0 {
			t.cut(1) // the slot goes to who waits for it, before the next value is looked at
			t.fillSlots()
		} else {
			t.cut(most)
		}
	}
	for len(t.taken) < most {
		e := t.readyNow()
		if e == 0 {
			break
		}
		if t.short = !t.fits(); t.short {
			break
		}
		if kind == waitRecv {
			t.raise(e)
			t.redelivered(e)
			t.confirm(e)
			t.push(e)
		} else {
			t.hold(e, t.m.index, 0)
			t.redelivered(e)
			t.limit(e, t.m.index)
		}
		t.taken = append(t.taken, e)
		t.fillSlots()
	}
	t.move()
}

// cut receives the first values that are ready as one run, so far as they follow each other,
// have slots, and come for the first time. They are linked already as they are to be on the stack.
func (t *tx) cut(most int) {
	first := t.get(gReady)
	prev := t.e(first, ePrev)
	var last uint32
	for e := first; e != 0 && len(t.taken) < most && t.e(e, eState)&stateFlags == inReady|withSlot; e = t.e(e, eNext) {
		last = e
		t.taken = append(t.taken, e)
	}
	n := uint32(len(t.taken))
	if n == 0 {
		return
	}
	next := t.e(last, eNext)
	if prev != 0 {
		t.setE(prev, eNext, next)
	}
	if next != 0 {
		t.setE(next, ePrev, prev)
	} else {
		t.set(gTail, prev)
	}
	for next != 0 && t.kind(next) != inReady {
		next = t.e(next, eNext)
	}
	t.set(gReady, next)
	at := t.me(mStack)
	t.setE(last, eNext, t.get(at))
	t.set(at, first)
	t.pushed += int(n)
	t.count(gReceived, gReceivedHigh, n)
}

// settle ends the hold of op.
func (t *tx) settle(kind driver.Kind, hold driver.Hold, delay time.Duration, reason uint32, why string) error {
	e := uint32(hold.ID)
	if hold.ID-1 >= uint64(t.s.records) || t.kind(e) != inHeld || t.holder(e) != t.m.index || uint64(t.e(e, eHold)) != hold.Generation ||
		t.is(e, isUnheard|isBurying) {
		return driver.ErrSettled
	}
	orphan := t.is(e, isOrphan)
	switch {
	case kind == driver.OpDone && orphan:
		t.unhold(e)
		t.count(gReceived, gReceivedHigh, 1)
		t.count(gSent, gSentHigh, 1)
		t.free(e)
	case kind == driver.OpDone:
		t.unhold(e)
		t.confirm(e)
		t.free(e)
	case kind == driver.OpExtend:
		t.extend(e, delay)
		return nil
	case orphan && (kind != driver.OpReject || t.m.about.Grave == nil): // there is no sender to give it back to
		return driver.ErrAbandoned
	case kind == driver.OpReject:
		t.reject(e, reason, why)
	case t.isExhausted(e):
		t.reject(e, exhaustedReason, exhausted)
	case delay > 0 && (t.get(gClosed) == 0 || t.is(e, withSlot)):
		t.rest(e, delay)
		return nil
	default:
		t.putBack(e)
	}
	t.move()
	return nil
}

// reject ends e: its receiver refuses it. A sender that waits has it back, and the record
// with the reason. Otherwise it goes to the dead letter, or is dropped if there is none.
func (t *tx) reject(e, reason uint32, why string) {
	if t.mayBury(e) {
		t.bury(burial{e: e, reason: why, settling: true})
		return
	}
	t.add(gRejected, 1)
	t.tell(driver.EventRejected, "reject", why, t.tries(e))
	t.unhold(e)
	w := t.e(e, eFrom)
	t.unlink(e)
	if w == 0 {
		t.add(gBuried, 1)
		t.tell(driver.EventDropped, "reject", why, t.tries(e))
		t.free(e)
	} else {
		if t.isRecord(reason) {
			t.pop()
		}
		t.setW(w, wRecord, reason)
		t.finishSend(w, resRejected)
		t.restore(e, w)
	}
}

// close closes the channel: values of waiting sends go home, but those that are held.
func (t *tx) close() {
	t.set(gClosed, 1)
	t.set(gSweep, 1)
	t.move()
}

// stop asks the senders to end. The first reason stays.
func (t *tx) stop(reason uint32, why string) {
	if t.get(gStopped) != 0 {
		return
	}
	switch reason {
	case 0:
		reason = reasonless
	case reasonGone:
	default:
		t.pop()
	}
	t.set(gStopped, reason)
	t.tell(driver.EventStopped, "stop", why, 0)
	t.move()
}

// giveUp ends w, which waits, without effect. The value of a send that somebody holds
// stays with its holder, and the sender is in doubt.
func (t *tx) giveUp(w uint32) (doubt bool) {
	promised := t.promisedTo(w)
	t.own = w
	switch t.wKind(w) {
	case waitStop:
		t.delist(watches, w)
		t.end(w, resNotReady)
	case waitSend:
		e := t.w(w, wRecord)
		if t.kind(e) == inHeld && t.is(e, isUnheard) {
			t.revoke(e)
		}
		if doubt = t.kind(e) == inHeld; doubt {
			t.tell(driver.EventAbandoned, "send", "its sender gave up while it was held", t.tries(e))
			t.unlink(e)
			t.state(e, inHeld, t.e(e, eState)&stateFlags&^inKind|isOrphan, t.holder(e))
			t.setE(e, eFrom, 0)
			t.finishSend(w, resNotReady)
		} else {
			t.goHome(e, resNotReady)
		}
	default:
		t.finishTaker(w, resNotReady)
	}
	t.own = 0
	t.move()
	t.release(promised)
	return doubt
}

// revoke takes e back from a plain receiver that has not heard of it: the receiver waits
// on, in its old place, unless it has got something else.
func (t *tx) revoke(e uint32) {
	member := t.holder(e)
	var before uint32
	for w := t.get(t.memberAt(member) + mDone); w != 0; before, w = w, t.w(w, wDone) {
		if t.wKind(w) != waitRecv || !t.unget(w, e) {
			continue
		}
		if t.add(t.waiterAt(w)+wCount, ^uint32(0)) == 0 {
			t.unnotice(w, before, member)
			t.waitAgain(w)
		}
		break
	}
	t.unhold(e)
	t.setE(e, eTries, t.e(e, eTries)-1)
	t.state(e, inReady, t.e(e, eState)&(withSlot|wasHanded), 0)
	if r := t.get(gReady); r == 0 || t.before(e, r) {
		t.set(gReady, e)
	}
}

// waitAgain has the receiver w, which has got nothing after all, wait in its old place. The owner of an
// offer is told, as it has promised, and nobody is there to take that up. Nobody waits for who is leaving.
func (t *tx) waitAgain(w uint32) {
	member := t.wMember(w)
	if t.get(t.memberAt(member)+mState)&memberLeaving != 0 {
		t.dropWaiter(w)
		return
	}
	t.setW(w, wState, waiterState(waitRecv, phaseWaiting, member))
	t.enlistFirst(takers, w)
	t.add(gReceivers, 1)
	flags := t.w(w, wOffer)
	t.setW(w, wOffer, flags&^(isTold|wasTry))
	t.trying(w, flags&wasTry != 0)
	if flags&isOffer != 0 {
		t.remind(w)
	}
}

// unget takes e out of what the receiver w has got.
func (t *tx) unget(w, e uint32) bool {
	var before uint32
	for x := t.w(w, wRecord); x != 0; before, x = x, t.e(x, eChain) {
		if x != e {
			continue
		}
		next := t.e(e, eChain)
		if before == 0 {
			t.setW(w, wRecord, next)
		} else {
			t.setE(before, eChain, next)
		}
		if next == 0 {
			t.setW(w, wLast, before)
		}
		return true
	}
	return false
}
