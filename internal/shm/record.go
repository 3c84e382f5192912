package shm

// A record is a value on its way: from the stack of the member that sends it, into
// the line, to who receives it, and onto that member's stack.
const (
	eState  = iota // what it is, in the line: see below
	ePrev          // in the line
	eNext          // in the line, on a stack, or staged behind another value of its send
	eFrom          // the waiter that sends it, while that waits; of a magazine: how many records it has
	eTries         // how often it was handed out:16 | the high part of eOrder:16
	eExtent        // first page of its memory, if that is not its own
	eChain         // the next that its receiver has got; of a magazine: the next
	// Not of transactions: written by who owns the record alone, before it is in line. With those
	// before it is all that most values need, on one line of the cache.
	eSize  // length of the header:32 | of the value:32
	eHold  // counts the holds
	eOrder // when it was first handed out
	eDue   // end of the hold or the rest, ms: two words, or 0
	eDueHigh
	eLoans // counts how often it was borrowed
)

// The state of a record in the line. Out of it, what stands there means nothing.
const (
	inReady = 1 // nobody has it
	inHeld  = 2 // the member in the high half has it
	inRest  = 3 // it comes back after a while
	inGiven = 4 // out of the line, received by a member that has not fetched it
	inLent  = 5 // borrowed by a member
	inKind  = 7

	withSlot    = 1 << 3
	isUnheard   = 1 << 4 // held for a plain receive that has not heard of it yet
	isOrphan    = 1 << 5 // held, out of the line: its sender has given up
	wasHanded   = 1 << 6 // eOrder says when
	isBurying   = 1 << 7 // held by who puts it into the dead letter
	stateFlags  = 1<<16 - 1
	holderShift = 16
)

// A waiter is an operation that waits.
const (
	wState = iota // kind:8 | phase:8 | member:16
	wPrev         // in the list it waits in
	wNext
	wDone   // the next on the member's list of what has happened
	wRecord // of a send: its value in the line; of a receive: the first it has got; or a reason
	wLast   // of a receive: the last it has got
	wMost   // of a send: how many values have not left; of a receive: how many it takes
	wCount  // of a send: how many have left; of a receive: how many it has got
	wStage  // of a send: its next value, which is not in the line yet
	wResult
	wMore  // of a send: there are more values in its process
	wOffer // of a case of a select: see below; 0 for a plain operation
	wLease // until when it may keep others waiting, ms, low half
	wNode  // whose ticket it is under: the process, and its number there
	wNumber
	wNumberHigh
	wLent // of a send: its value is a block, which goes back to who borrowed it if it does not leave
)

// Kinds of waiters.
const (
	waitRecv = iota + 1
	waitTake
	waitSend
	waitStop
)

// Phases of a waiter.
const (
	phaseFree = iota
	phaseWaiting
	phaseDone // it is on its member's list, with its result
)

// The state of an offer. It is a case of a select that is decided elsewhere, by a ticket
// that only its owner can move.
const (
	isOffer   = 1
	isAsked   = 2   // its owner was asked, and has not answered
	isGranted = 4   // its owner has promised to take it
	isTold    = 8   // it is on its owner's list of what has happened
	isBound   = 32  // it was an offer: its promise was taken up, its value is held, and its owner has not heard of it
	isTry     = 16  // it does not wait longer than for the answers of offers
	isSpent   = 64  // a send that tries: the first receiver it looked at takes to hold, and is there
	wasTry    = 128 // it was isTry until it ended, and is again if that is taken back
)

// result is how an operation ended.
type result uint32

const (
	resOK result = iota
	resClosed
	resRejected // wRecord is the reason
	resDetached
	resNotReady // nothing could be done, or its caller gave up
	resFull
)

func (t *tx) recordAt(e uint32) uint32 {
	if e-1 >= t.s.records {
		t.fail("a record that is none")
		return t.s.geometry.recordAt
	}
	return t.s.geometry.recordAt + e*recordWords
}

func (t *tx) isRecord(e uint32) bool          { return e-1 < t.s.records }
func (t *tx) e(e, field uint32) uint32        { return t.get(t.recordAt(e) + field) }
func (t *tx) setE(e, field, v uint32)         { t.set(t.recordAt(e)+field, v) }
func (t *tx) kind(e uint32) uint32            { return t.e(e, eState) & inKind }
func (t *tx) is(e, flag uint32) bool          { return t.e(e, eState)&flag != 0 }
func (t *tx) holder(e uint32) uint32          { return t.e(e, eState) >> holderShift }
func (t *tx) state(e, kind, flags, by uint32) { t.setE(e, eState, kind|flags|by<<holderShift) }

func (t *tx) waiterAt(w uint32) uint32 {
	if w-1 >= t.s.waiters {
		t.fail("a waiter that is none")
		return t.s.geometry.waiterAt
	}
	return t.s.geometry.waiterAt + w*waiterWords
}

func (t *tx) w(w, field uint32) uint32 { return t.get(t.waiterAt(w) + field) }
func (t *tx) setW(w, field, v uint32)  { t.set(t.waiterAt(w)+field, v) }
func (t *tx) wKind(w uint32) uint32    { return t.w(w, wState) & 0xff }
func (t *tx) phase(w uint32) uint32    { return t.w(w, wState) >> 8 & 0xff }
func (t *tx) wMember(w uint32) uint32  { return t.w(w, wState) >> 16 }

func waiterState(kind, phase, member uint32) uint32 { return kind | phase<<8 | member<<16 }

func (t *tx) memberAt(m uint32) uint32 {
	if m >= t.s.members {
		t.fail("a member that is none")
		return t.s.geometry.memberAt
	}
	return t.s.geometry.memberAt + m*memberWords
}

func (t *tx) me(field uint32) uint32 { return t.s.memberWord(t.m.index) + field }

// list is a list of waiters: the words with its first and its last.
type list struct{ first, last uint32 }

var (
	takers  = list{gTakers, gTakersTail}
	watches = list{gWatch, gWatchTail}
)

// enlist appends w to l.
func (t *tx) enlist(l list, w uint32) {
	last := t.get(l.last)
	t.setW(w, wPrev, last)
	t.setW(w, wNext, 0)
	if last == 0 {
		t.set(l.first, w)
	} else {
		t.setW(last, wNext, w)
	}
	t.set(l.last, w)
}

// enlistFirst puts w at the beginning of l.
func (t *tx) enlistFirst(l list, w uint32) {
	first := t.get(l.first)
	t.setW(w, wPrev, 0)
	t.setW(w, wNext, first)
	if first == 0 {
		t.set(l.last, w)
	} else {
		t.setW(first, wPrev, w)
	}
	t.set(l.first, w)
}

// delist takes w out of l.
func (t *tx) delist(l list, w uint32) {
	prev, next := t.w(w, wPrev), t.w(w, wNext)
	if prev == 0 {
		t.set(l.first, next)
	} else {
		t.setW(prev, wNext, next)
	}
	if next == 0 {
		t.set(l.last, prev)
	} else {
		t.setW(next, wPrev, prev)
	}
}

// newWaiter returns a waiter of this member, 0 if there is none.
func (t *tx) newWaiter(kind uint32) uint32 {
	w := t.get(gNoWaiter)
	if w == 0 {
		return 0
	}
	t.set(gNoWaiter, t.w(w, wNext))
	t.setW(w, wState, waiterState(kind, phaseWaiting, t.m.index))
	for _, f := range [...]uint32{wRecord, wLast, wMost, wCount, wStage, wResult, wMore, wOffer, wLent} {
		t.setW(w, f, 0)
	}
	return w
}

// haveWaiters reports whether n waiters are free.
func (t *tx) haveWaiters(n int) bool {
	w := t.get(gNoWaiter)
	for ; n > 0 && w != 0; n-- {
		w = t.w(w, wNext)
	}
	return n == 0
}

// dropWaiter gives w back.
func (t *tx) dropWaiter(w uint32) {
	t.setW(w, wState, 0)
	t.setW(w, wNext, t.get(gNoWaiter))
	t.set(gNoWaiter, w)
}

// done puts w on its member's list of what has happened, and has the member woken.
func (t *tx) done(w uint32) {
	member := t.wMember(w)
	t.setW(w, wState, waiterState(t.wKind(w), phaseDone, member))
	if t.w(w, wOffer)&isTold == 0 {
		t.notice(w, member)
	}
	t.wake(member)
}

func (t *tx) notice(w, member uint32) {
	at := t.memberAt(member)
	t.setW(w, wDone, 0)
	if last := t.get(at + mDoneTail); last == 0 {
		t.set(at+mDone, w)
	} else {
		t.setW(last, wDone, w)
	}
	t.set(at+mDoneTail, w)
	t.wake(member)
}

// unnotice takes w, which comes behind before, from the list of what has happened.
func (t *tx) unnotice(w, before, member uint32) {
	at, next := t.memberAt(member), t.w(w, wDone)
	if before == 0 {
		t.set(at+mDone, next)
	} else {
		t.setW(before, wDone, next)
	}
	if next == 0 {
		t.set(at+mDoneTail, before)
	}
}

func (t *tx) wake(member uint32) {
	for _, m := range t.woken {
		if m == member {
			return
		}
	}
	t.woken = append(t.woken, member)
}
