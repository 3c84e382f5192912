package shm

import "fmt"

// Audit compares all that hangs together in the segment, in one state.
func Audit(m *Member) error {
	var bad error
	complain := func(format string, args ...any) {
		if bad == nil {
			bad = fmt.Errorf(format, args...)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var o outcome
	m.do(&o, func(t *tx) {
		bad = nil
		where := map[uint32]string{} // of each record
		put := func(e uint32, place string) {
			if was, ok := where[e]; ok {
				complain("record %d is %s and %s", e, was, place)
			}
			where[e] = place
		}
		slots, held, heldSlots := uint32(0), uint32(0), uint32(0)
		ready, noSlot, next := uint32(0), uint32(0), uint32(0)
		for e := t.get(gTail); e != 0; next, e = e, t.e(e, ePrev) {
			put(e, "in line")
			if t.e(e, eNext) != next {
				complain("record %d is followed by %d, not %d", e, t.e(e, eNext), next)
			}
			if t.is(e, withSlot) {
				slots++
			} else {
				noSlot = e
			}
			switch t.kind(e) {
			case inReady:
				ready = e
			case inHeld, inRest:
				held++
				if t.is(e, withSlot) {
					heldSlots++
				}
			default:
				complain("record %d in line is of kind %d", e, t.kind(e))
			}
		}
		for name, pair := range map[string][2]uint32{"slots": {slots, t.used()}, "ready": {ready, t.get(gReady)}, "without slot": {noSlot, t.get(gNoSlot)},
			"held slots": {heldSlots, t.get(gHeldSlots)}} {
			if pair[0] != pair[1] {
				complain("%s: the line says %d, the channel %d", name, pair[0], pair[1])
			}
		}
		if slots > t.s.slots {
			complain("%d of %d slots", slots, t.s.slots)
		}
		for e := uint32(1); e <= t.s.records; e++ {
			if t.kind(e) == inHeld && t.is(e, isOrphan) {
				put(e, "orphaned")
				held++
			}
			if t.kind(e) == inLent {
				put(e, fmt.Sprint("lent to ", t.holder(e)))
			}
		}
		if held != t.get(gHeld) {
			complain("held: %d, the channel says %d", held, t.get(gHeld))
		}
		auditFree(t, put, complain)
		auditWaiters(t, put, complain)
		for e := uint32(1); e <= t.s.records; e++ {
			if where[e] == "" && t.get(gStopped) != e {
				complain("record %d is nowhere", e)
			}
		}
		auditPages(t, complain)
	})
	return bad
}

func auditFree(t *tx, put func(uint32, string), complain func(string, ...any)) {
	for head := t.get(gFree); head != 0; head = t.e(head, eChain) {
		n := t.e(head, eFrom)
		e := head
		for i := uint32(0); i < n; i++ {
			put(e, "in a magazine")
			e = t.e(e, eNext)
		}
		if e != 0 {
			complain("the magazine %d of %d goes on", head, n)
		}
	}
	for i := range t.s.members {
		at := t.s.memberWord(i)
		if t.get(at+mState) == 0 {
			continue
		}
		for e := t.get(at + mStack); e != 0; e = t.e(e, eNext) {
			put(e, fmt.Sprint("on the stack of ", i))
		}
	}
}

func auditWaiters(t *tx, put func(uint32, string), complain func(string, ...any)) {
	free := 0
	for w := t.get(gNoWaiter); w != 0; w = t.w(w, wNext) {
		free++
	}
	used := 0
	for w := uint32(1); w <= t.s.waiters; w++ {
		if t.phase(w) == phaseFree {
			continue
		}
		used++
		switch t.wKind(w) {
		case waitSend:
			for e := t.w(w, wStage); e != 0; e = t.e(e, eNext) {
				put(e, fmt.Sprint("staged by ", w))
			}
			if t.phase(w) == phaseDone && t.w(w, wRecord) != 0 {
				put(t.w(w, wRecord), "a reason")
			}
		case waitRecv:
			for e := t.w(w, wRecord); e != 0 && t.phase(w) == phaseDone; e = t.e(e, eChain) {
				if t.kind(e) == inGiven {
					put(e, fmt.Sprint("given to ", w))
				}
			}
		}
	}
	auditLines(t, complain)
	if free+used != int(t.s.waiters) {
		complain("%d waiters are free and %d in use, of %d", free, used, t.s.waiters)
	}
}

func auditPages(t *tx, complain func(string, ...any)) {
	free := uint32(0)
	for p := t.get(gPages); p != 0; p = t.page(p, pNext) {
		free += t.runLength(p)
	}
	used := uint32(0)
	for e := uint32(1); e <= t.s.records; e++ {
		if p := t.e(e, eExtent); p != 0 {
			used += t.runLength(p)
		}
	}
	if free+used != t.s.pages {
		complain("%d pages are free and %d in use, of %d", free, used, t.s.pages)
	}
}

// auditLines compares the lists of those who wait with how many do.
func auditLines(t *tx, complain func(string, ...any)) {
	standing := map[uint32]bool{}
	for _, l := range []list{takers, watches} {
		prev := uint32(0)
		for w := t.get(l.first); w != 0; prev, w = w, t.w(w, wNext) {
			if standing[w] || t.w(w, wPrev) != prev {
				complain("waiter %d stands behind %d, and says %d", w, prev, t.w(w, wPrev))
				return
			}
			standing[w] = true
		}
	}
	takes, sends := uint32(0), uint32(0)
	for w := uint32(1); w <= t.s.waiters; w++ {
		kind, waits := t.wKind(w), t.phase(w) == phaseWaiting
		if kind == waitSend && waits {
			sends++
		} else if kind == waitSend {
			waits = false
		} else if waits && kind != waitStop {
			takes++
		}
		if kind != waitSend && standing[w] != waits {
			complain("waiter %d waits: %v, stands in a line: %v", w, waits, standing[w])
		}
	}
	if sends != t.get(gSenders) || takes != t.get(gReceivers) {
		complain("%d senders and %d receivers wait, the channel says %d and %d", sends, takes, t.get(gSenders), t.get(gReceivers))
	}
}
