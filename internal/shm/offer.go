package shm

// An offer is a case of a select as it stands in the line, or among the receivers. The select
// has a ticket in its own process, which is the only one that can move it. So an offer
// is never completed by who meets it: its owner is asked, claims the ticket, and has the
// case take effect in a transaction of its own, which is the commit point; or it answers
// that it will not. Until it answers nobody overtakes the offer, for as long as the lease.
//
// Where two offers meet, the one with the lower ticket promises first: its owner claims the
// ticket and writes so, with a lease. Then the other one's owner is asked, and commits both.
// A promise that nobody takes up in time is taken back by its owner. Nothing is ever in
// doubt, as the transaction that commits looks at the promise.

// lease is how long others wait for the answer of an offer, and a promise for the other side.
const lease = 1000

// awake reports whether w can be completed by who meets it: it is no waiter, no offer, or
// one that has promised.
func (t *tx) awake(w uint32) bool {
	return w == 0 || t.w(w, wOffer)&isOffer == 0 || t.w(w, wOffer)&isGranted != 0
}

// passedOver reports whether w is an offer that has not answered in time.
func (t *tx) passedOver(w uint32) bool {
	if w == 0 || t.w(w, wOffer)&(isOffer|isAsked|isGranted) != isOffer|isAsked {
		return false
	}
	return int32(t.w(w, wLease)-uint32(t.s.now())) < 0
}

// sameTicket reports whether both are cases of one select.
func (t *tx) sameTicket(a, b uint32) bool {
	return b != 0 && t.w(a, wOffer)&isOffer != 0 && t.w(b, wOffer)&isOffer != 0 && t.ticketOf(a) == t.ticketOf(b)
}

func (t *tx) ticketOf(w uint32) [3]uint32 {
	return [3]uint32{t.w(w, wNode), t.w(w, wNumberHigh), t.w(w, wNumber)}
}

// lower reports whether the ticket of a comes before that of b.
func (t *tx) lower(a, b uint32) bool {
	x, y := t.ticketOf(a), t.ticketOf(b)
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

// ask asks the owner of the offer w, if that has not been done.
func (t *tx) ask(w uint32) {
	flags := t.w(w, wOffer)
	if flags&isAsked != 0 {
		return
	}
	now := t.s.now()
	if t.due == 0 {
		t.due = now + lease + 1
	}
	t.setW(w, wLease, uint32(now+lease))
	t.setW(w, wOffer, flags|isAsked|isTold)
	if flags&isTold == 0 {
		t.notice(w, t.wMember(w))
	}
	t.wake(t.wMember(w))
}

// passOver lets others pass the offer w, whose ticket somebody else has claimed. It keeps its
// place, and is to be answered later. Who has promised to meet it is let go.
func (t *tx) passOver(w uint32) {
	if t.phase(w) != phaseWaiting || t.w(w, wOffer)&isOffer == 0 {
		return
	}
	promised := t.promisedTo(w)
	t.setW(w, wOffer, t.w(w, wOffer)|isAsked)
	t.setW(w, wLease, uint32(t.s.now()-1))
	t.move()
	t.release(promised)
}

// firstTaker returns the first receiver that is not passed over.
func (t *tx) firstTaker() uint32 {
	w := t.get(gTakers)
	for w != 0 && t.passedOver(w) {
		w = t.w(w, wNext)
	}
	return w
}

// untell takes w, which is an offer, from its owner's list of what has happened.
func (t *tx) untell(w uint32) {
	if t.w(w, wOffer)&isTold == 0 {
		return
	}
	t.setW(w, wOffer, t.w(w, wOffer)&^isTold)
	var before uint32
	for x := t.get(t.memberAt(t.wMember(w)) + mDone); x != 0; before, x = x, t.w(x, wDone) {
		if x == w {
			t.unnotice(w, before, t.wMember(w))
			return
		}
	}
}

// promisedTo returns the offer that has promised, and that the offer w, which is to go, may be
// meant to take up.
func (t *tx) promisedTo(w uint32) uint32 {
	if t.w(w, wOffer)&isAsked == 0 || t.wKind(w) == waitStop {
		return 0
	}
	taker, e := t.pair()
	if e == 0 {
		return 0
	}
	s := t.e(e, eFrom)
	switch {
	case taker == w && s != 0 && t.w(s, wOffer)&isGranted != 0:
		return s
	case s == w && t.w(taker, wOffer)&isGranted != 0:
		return taker
	}
	return 0
}

// release has the owner of the offer w, which has promised, look again, if it still waits.
func (t *tx) release(w uint32) {
	if w != 0 && t.phase(w) == phaseWaiting && t.w(w, wOffer)&isGranted != 0 {
		t.remind(w)
	}
}

// endTrying is called for every waiter that ends.
func (t *tx) endTrying(w uint32) {
	if flags := t.w(w, wOffer); flags&isTry != 0 {
		t.setW(w, wOffer, flags&^isTry|wasTry)
		t.add(gTries, ^uint32(0))
	}
}

// trying marks w as an operation that waits for the answers of offers only.
func (t *tx) trying(w uint32, try bool) {
	if try {
		t.setW(w, wOffer, t.w(w, wOffer)|isTry)
		t.add(gTries, 1)
	}
}

// meets reports whether a value that is sent now has a slot or a receiver at once. If try it looks
// at the first receiver only, and one that holds is none.
func (t *tx) meets(try bool) bool {
	if t.used() < t.s.slots {
		return t.firstNoSlot() == 0
	}
	if _, e := t.pair(); e != 0 {
		return false // it would come behind one that is asleep
	}
	w := t.firstTaker()
	return w != 0 && t.awake(w) && (!try || t.wKind(w) == waitRecv)
}

// mayLeave reports whether the value e of a send that tries, or a new one if e is 0, could meet
// a slot or a receiver if all offers before it, on both sides, answered as suits it.
func (t *tx) mayLeave(e uint32) bool {
	if free := t.s.slots - t.used(); free > 0 {
		for x := t.get(gNoSlot); x != 0 && x != e && free > 0; x = t.noSlotAfter(x) {
			if t.isFirm(t.e(x, eFrom)) {
				free--
			}
		}
		if free > 0 {
			return true
		}
	}
	if e != 0 && t.w(t.e(e, eFrom), wOffer)&isSpent != 0 {
		return false
	}
	firm := 0
	for x := t.get(gReady); x != 0 && x != e; x = t.readyAfter(x) {
		if t.isFirm(t.e(x, eFrom)) {
			firm++
		}
	}
	for w := t.get(gTakers); w != 0; w = t.w(w, wNext) {
		switch {
		case t.passedOver(w), e != 0 && t.sameTicket(w, t.e(e, eFrom)):
		case firm > 0:
			if t.awake(w) {
				firm--
			}
		case t.wKind(w) == waitRecv:
			return true
		case t.awake(w):
			return false
		}
	}
	return false
}

// mayGet reports whether the receiver w, which tries, or a new one of this kind if w is 0, could meet a
// value if all offers before it, on both sides, answered as suits it.
func (t *tx) mayGet(w, kind uint32) bool {
	firm := 0
	for x := t.get(gTakers); x != 0 && x != w; x = t.w(x, wNext) {
		if t.isFirm(x) {
			firm++
		}
	}
	for e := t.get(gReady); e != 0; e = t.readyAfter(e) {
		switch s := t.e(e, eFrom); {
		case t.passedOver(s), w != 0 && t.sameTicket(w, s), kind != waitRecv && t.isTrying(s):
		case firm == 0:
			return true
		default:
			firm--
		}
	}
	return false
}

// isFirm reports whether w takes effect with whom it meets, and nobody passes it over.
func (t *tx) isFirm(w uint32) bool { return t.awake(w) && !t.passedOver(w) }

// mayMeet reports whether w, which tries, may take effect yet.
func (t *tx) mayMeet(w uint32) bool {
	switch {
	case t.counterpart(w) != meetsNobody:
		return true
	case t.wKind(w) == waitStop:
		return false
	case t.wKind(w) == waitSend:
		return t.mayLeave(t.w(w, wRecord))
	}
	return t.mayGet(w, t.wKind(w))
}

// endTry ends an operation that waits for the answers of offers only, and for none any more. A
// select of that kind is asked, and ends itself.
func (t *tx) endTry() bool {
	if t.get(gTries) == 0 {
		return false
	}
	for w := t.get(gTakers); w != 0; w = t.w(w, wNext) {
		if t.isVain(w) {
			t.finishTaker(w, resNotReady)
			return true
		}
	}
	for e := t.get(gReady); e != 0; e = t.readyAfter(e) {
		if s := t.e(e, eFrom); s != 0 && t.isVain(s) {
			t.goHome(e, resNotReady)
			return true
		}
	}
	return false
}

// isVain reports whether w is an operation that tries and can meet nobody. It asks the select of
// that kind that w is a case of, if none of its cases can.
func (t *tx) isVain(w uint32) bool {
	switch {
	case !t.isTrying(w) || t.passedOver(w):
		return false
	case t.w(w, wOffer)&isOffer == 0:
		return !t.mayMeet(w)
	case !t.anyMayMeet(w):
		t.ask(w)
	}
	return false
}

// anyMayMeet reports whether any case of the select of w, which tries, may take effect yet. All of
// them are here.
func (t *tx) anyMayMeet(w uint32) bool {
	for x := t.get(gTakers); x != 0; x = t.w(x, wNext) {
		if t.sameTicket(w, x) && t.mayMeet(x) {
			return true
		}
	}
	for e := t.get(gReady); e != 0; e = t.readyAfter(e) {
		if s := t.e(e, eFrom); t.sameTicket(w, s) && t.mayMeet(s) {
			return true
		}
	}
	return false
}

// mayTry reports whether the send s, which does not wait, may meet the receiver w: one
// that holds must not be met.
func (t *tx) mayTry(s, w uint32) bool { return !t.isTrying(s) || t.wKind(w) == waitRecv }

func (t *tx) isTrying(w uint32) bool { return w != 0 && t.w(w, wOffer)&isTry != 0 }

// bind makes the offer w, whose value somebody holds now, a send like any other. Its owner is
// told: it has promised, and must not promise anything else.
func (t *tx) bind(w uint32) {
	if w == 0 || w == t.own || t.w(w, wOffer)&isOffer == 0 {
		return
	}
	t.endTrying(w)
	t.remind(w)
	t.setW(w, wOffer, isBound|isTold)
	t.wake(t.wMember(w))
}

// remind has the owner of the offer w look again.
func (t *tx) remind(w uint32) {
	if flags := t.w(w, wOffer); flags&isTold == 0 {
		t.setW(w, wOffer, flags|isTold)
		t.notice(w, t.wMember(w))
	}
}

// counterpart says with what the offer w would take effect now: something firm, an offer with
// a higher ticket, one with a lower, or nothing.
type counterpart uint8

const (
	meetsNobody counterpart = iota
	meetsLower
	meetsHigher
	meetsFirm
)

func (t *tx) counterpart(w uint32) counterpart {
	switch t.wKind(w) {
	case waitStop:
		if t.get(gStopped) != 0 {
			return meetsFirm
		}
		return meetsNobody
	case waitSend:
		if t.get(gClosed) != 0 {
			return meetsFirm
		}
		e := t.w(w, wRecord)
		if t.used() < t.s.slots && t.firstNoSlot() == e {
			return meetsFirm
		}
		taker, value := t.pair()
		if value != e || !t.mayTry(w, taker) {
			return meetsNobody
		}
		return t.rank(w, taker)
	}
	if t.get(gClosed) != 0 && t.used() == 0 && t.get(gSweep) == 0 {
		return meetsFirm
	}
	taker, value := t.pair()
	if taker != w {
		return meetsNobody
	}
	return t.rank(w, t.e(value, eFrom))
}

func (t *tx) rank(w, other uint32) counterpart {
	switch {
	case t.awake(other):
		return meetsFirm
	case t.lower(w, other):
		return meetsHigher
	}
	return meetsLower
}

// firstNoSlot returns the value that gets the next free slot.
func (t *tx) firstNoSlot() uint32 {
	e := t.get(gNoSlot)
	for e != 0 && (t.is(e, withSlot) || t.passedOver(t.e(e, eFrom))) {
		e = t.e(e, eNext)
	}
	return e
}

// answer is how the owner of an offer answers.
type answer uint8

const (
	answerNo       answer = iota // nothing came of it
	answerPromised               // its ticket stays claimed, until it is told more
	answerBound                  // it is chosen, and waits for a settlement
	answerEnded                  // it is chosen
)

// attempt has the offer w, whose ticket is claimed, take effect, if it can now. If it meets an
// offer with a higher ticket it promises.
func (t *tx) attempt(w uint32) answer {
	if t.phase(w) != phaseWaiting {
		return answerPromised // somebody has taken up the promise, and it is about to be told
	}
	if t.w(w, wOffer)&isBound != 0 {
		t.unbind(w)
		return answerBound
	}
	t.setW(w, wOffer, isOffer|t.w(w, wOffer)&(isTold|isTry|isSpent)) // so it is not passed over
	t.refuseTry(w)
	switch t.counterpart(w) {
	case meetsFirm:
		t.own = w
		t.setW(w, wOffer, t.w(w, wOffer)|isGranted)
		if t.get(gClosed) != 0 && t.wKind(w) == waitSend {
			t.goHome(t.w(w, wRecord), resClosed)
		}
		t.move()
		t.own = 0
		if t.ended {
			return answerEnded
		}
		if t.wKind(w) == waitSend && t.kind(t.w(w, wRecord)) == inHeld {
			t.endTrying(w)
			t.unbind(w)
			return answerBound
		}
	case meetsHigher:
		t.setW(w, wOffer, t.w(w, wOffer)|isGranted)
		t.due = t.s.now() + lease + 1
		t.move()
		return answerPromised
	}
	t.setW(w, wOffer, t.w(w, wOffer)&^isGranted)
	t.move()
	return answerNo
}

// refuseTry tells the send that tries, and looks at w, that this one is there, and takes to hold.
func (t *tx) refuseTry(w uint32) {
	if taker, e := t.pair(); e != 0 && taker == w {
		if s := t.e(e, eFrom); !t.mayTry(s, w) {
			t.setW(s, wOffer, t.w(s, wOffer)|isSpent)
		}
	}
}

// unbind notes that the owner of w has heard that it is bound.
func (t *tx) unbind(w uint32) {
	t.untell(w)
	t.setW(w, wOffer, 0)
}

// offered puts the new offer w in its line: a send with the value on top of the stack.
func (t *tx) offered(w uint32, number uint64) {
	t.setW(w, wOffer, isOffer)
	t.setW(w, wNode, t.s.node)
	t.setW(w, wNumber, uint32(number))
	t.setW(w, wNumberHigh, uint32(number>>32))
	t.setW(w, wMost, 1)
	switch t.wKind(w) {
	case waitStop:
		t.enlist(watches, w)
	case waitSend:
		e := t.pop()
		t.setW(w, wRecord, e)
		t.add(gSenders, 1)
		t.offer(e, w, 0)
		if t.get(gClosed) != 0 {
			t.ask(w)
		}
	default:
		t.stand(w)
	}
}
