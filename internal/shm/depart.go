package shm

import (
	"context"

	"github.com/handoff-go/handoff/driver"
)

// Detach implements driver.Channel.
func (m *Member) Detach(context.Context) error {
	var o outcome
	m.mu.Lock()
	if m.detached {
		m.leave(&o)
		return driver.ErrDetached
	}
	m.look(&o)
	for i := 0; i < len(m.calls); i++ {
		if c := m.calls[i]; c != nil {
			m.cancel(&o, c, driver.ErrDetached)
		}
	}
	m.stats(&o)
	m.tidy()
	m.detached = true
	if m.timer != nil {
		m.timer.Stop()
	}
	m.point(PointLeaving)
	m.depart(&o, m.index, "detach", "its holder detached")
	m.s.local[m.index].Store(nil)
	m.mu.Unlock()
	m.after(&o)
	if m.about.Over != nil {
		m.about.Over(uint32(m.s.load(gDead)) != 0)
	}
	return nil
}

// depart ends the membership of who: this member's own, or that of one that is dead. It is
// cut into small transactions, each of which any number of members may do, or find done.
func (m *Member) depart(o *outcome, who uint32, op, why string) error {
	at := m.s.memberWord(who)
	err := m.do(o, func(t *tx) {
		if state := t.get(at + mState); state != 0 {
			t.set(at+mState, state|memberLeaving)
		}
	})
	for over := false; !over && err == nil; {
		for _, step := range []func(*outcome, uint32, string, string) (bool, error){
			m.departDone, m.departWaiters, m.departRecords, m.departLast, m.departStack,
		} {
			for more := true; more && err == nil; {
				more, err = step(o, who, op, why)
			}
		}
		if err == nil {
			err = m.do(o, func(t *tx) { over = t.departed(who) })
		}
	}
	return err
}

const lastGone = "the last receiver is gone"

// departDone drops what has happened to who: nobody will fetch it.
func (m *Member) departDone(o *outcome, who uint32, _, _ string) (more bool, err error) {
	err = m.do(o, func(t *tx) {
		w := t.get(t.memberAt(who) + mDone)
		if more = w != 0; more {
			t.departWaiter(w)
			t.move()
		}
	})
	return more, err
}

// departWaiters ends what who waits for.
func (m *Member) departWaiters(o *outcome, who uint32, _, _ string) (more bool, err error) {
	s := m.s
	for w := uint32(1); w <= s.waiters && err == nil; w++ {
		state := uint32(s.load(s.geometry.waiterAt + w*waiterWords + wState))
		if state>>16 != who || state>>8&0xff != phaseWaiting {
			continue
		}
		err = m.do(o, func(t *tx) {
			if t.wMember(w) == who && t.phase(w) == phaseWaiting {
				t.giveUp(w)
				t.move()
			}
		})
	}
	return false, err
}

// departWaiter drops w, the first that something has happened to. Of many values that
// it has got it drops a few.
func (t *tx) departWaiter(w uint32) {
	switch e := t.w(w, wRecord); {
	case t.wKind(w) == waitSend && t.w(w, wResult) == uint32(resRejected) && e != 0:
		t.free(e)
	case t.wKind(w) == waitRecv:
		for e != 0 && t.room(2*stepWrites) {
			next := t.e(e, eChain)
			if t.kind(e) == inGiven {
				t.free(e)
			}
			e = next
		}
		if e != 0 {
			t.setW(w, wRecord, e)
			return
		}
	}
	t.unnotice(w, 0, t.wMember(w))
	t.dropWaiter(w)
}

// departRecords gives back what who holds.
func (m *Member) departRecords(o *outcome, who uint32, op, why string) (more bool, err error) {
	s := m.s
	for e := uint32(1); e <= s.records && err == nil; e++ {
		state := uint32(s.load(s.geometry.recordAt + e*recordWords + eState))
		if k := state & inKind; state>>holderShift != who || k != inHeld && k != inLent {
			continue
		}
		more = true
		err = m.do(o, func(t *tx) {
			if t.holder(e) != who {
				return
			}
			switch t.kind(e) {
			case inHeld:
				t.lost(e, op, why)
				t.move()
			case inLent:
				t.state(e, 0, 0, 0)
				t.free(e)
			}
		})
	}
	return more, err
}

// departStack gives back the free records of who.
func (m *Member) departStack(o *outcome, who uint32, _, _ string) (more bool, err error) {
	at := m.s.memberWord(who)
	err = m.do(o, func(t *tx) {
		first := t.get(at + mStack)
		if more = first != 0; !more {
			return
		}
		n, last := uint32(1), first
		for t.freePages(last); n < keepRecords && t.room(stepWrites); n++ {
			next := t.e(last, eNext)
			if next == 0 {
				break
			}
			last = next
			t.freePages(last)
		}
		t.set(at+mStack, t.e(last, eNext))
		t.setE(last, eNext, 0)
		t.setE(first, eFrom, n)
		t.setE(first, eChain, t.get(gFree))
		t.set(gFree, first)
	})
	if who == m.index {
		m.free = 0
	}
	return more, err
}

// departLast does what the end of the last sender, or receiver, means.
func (m *Member) departLast(o *outcome, who uint32, _, _ string) (more bool, err error) {
	return false, m.do(o, func(t *tx) {
		state := t.get(t.memberAt(who) + mState)
		senders, receivers := t.rights()
		if state&memberSends != 0 && senders == 0 && t.s.auto && t.get(gClosed) == 0 {
			t.tell(driver.EventClosed, "detach", "the last sender is gone", 0)
			t.close()
		}
		if state&memberTakes != 0 && receivers == 0 && t.get(gClosed) == 0 {
			t.stop(reasonGone, lastGone)
		}
	})
}

// departed ends the membership of who, if nothing is left of it.
func (t *tx) departed(who uint32) bool {
	at := t.memberAt(who)
	if t.get(at+mState) == 0 {
		return true
	}
	if t.get(at+mDone)|t.get(at+mStack) != 0 {
		return false
	}
	t.set(at+mState, 0)
	if t.add(gJoined, ^uint32(0)) == 0 {
		t.set(gDead, 1)
	}
	return true
}
