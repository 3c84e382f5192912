package shm

import (
	"context"
	"errors"

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
	m.leaving.Store(true) // partner: looks
	m.spins.Lock()
	m.spins.Unlock()
	m.look(&o)
	for i := 0; i < len(m.calls); i++ {
		if c := m.calls[i]; c != nil {
			m.cancelOp(&o, c.op, driver.ErrDetached)
		}
	}
	m.failAll(&o, driver.ErrDetached) // there are none, in a segment that is sound
	m.stats(&o)
	m.tidy()
	m.detached = true
	if m.timer != nil {
		m.timer.Stop()
	}
	slow.remove(m)
	m.point(PointLeaving)
	m.depart(&o, m.name(), "detach", "its holder detached")
	last := uint32(m.s.load(gDead)) != 0
	m.s.local[m.index].Store(nil)
	m.s.ours.Add(-1)
	m.mu.Unlock()
	m.after(&o)
	if m.about.Over != nil {
		m.about.Over(last)
	}
	return nil
}

// depart ends the membership of who: this member's own, or that of one that is dead. It is
// cut into small transactions, each of which any number of members may do, or find done.
func (m *Member) depart(o *outcome, who Name, op, why string) error {
	d := departure{m: m, who: who, op: op, why: why}
	err := m.do(o, func(t *tx) {
		at := t.memberAt(who.Index)
		if state := t.get(at + mState); state&memberJoined != 0 && t.isNamed(who) {
			t.set(at+mState, state|memberLeaving)
		}
	})
	if who == m.name() {
		m.state |= memberLeaving
	}
	for over := false; !over && err == nil; {
		if err = m.do(o, func(t *tx) { over = !t.isLeaving(who) }); over {
			break // somebody else was faster
		}
		for _, step := range []func(*outcome) (bool, error){d.news, d.waiters, d.records, d.last, d.stack} {
			rounds := 0
			for more := true; more && err == nil; rounds++ {
				if more, err = step(o); rounds > maxRounds {
					m.s.damage("a membership without an end")
					err = m.s.damaged()
				}
			}
		}
		if err == nil {
			err = m.do(o, func(t *tx) { over = t.departed(who) })
		}
	}
	if err == errGone {
		return nil
	}
	return err
}

// name is that of m. One who sat in its place before had another.
func (m *Member) name() Name { return Name{m.index, m.id} }

// departure is the end of a membership, as one member does it.
type departure struct {
	m       *Member
	who     Name
	op, why string // for events
}

// do is Member.do, unless who has left meanwhile.
func (d *departure) do(o *outcome, build func(t *tx)) error {
	var gone bool
	err := d.m.do(o, func(t *tx) {
		if gone = !t.isLeaving(d.who); !gone {
			build(t)
		}
	})
	if err == nil && gone {
		return errGone
	}
	return err
}

// errGone says that somebody else has ended the membership.
var errGone = errors.New("it has ended")

// isNamed reports whether who is a member still.
func (t *tx) isNamed(who Name) bool {
	at := t.memberAt(who.Index) + mID
	for k := range uint32(4) {
		if t.get(at+k) != idWord(who.ID, k) {
			return false
		}
	}
	return true
}

func (t *tx) isLeaving(who Name) bool {
	return t.get(t.memberAt(who.Index)+mState)&memberLeaving != 0 && t.isNamed(who)
}

const lastGone = "the last receiver is gone"

// news drops what has happened to who: nobody will fetch it.
func (d *departure) news(o *outcome) (more bool, err error) {
	err = d.do(o, func(t *tx) {
		w := t.get(t.memberAt(d.who.Index) + mDone)
		if more = w != 0; more {
			t.departWaiter(w)
			t.move()
		}
	})
	return more, err
}

// waiters ends what who waits for.
func (d *departure) waiters(o *outcome) (more bool, err error) {
	s, who := d.m.s, d.who.Index
	for w := uint32(1); w <= s.waiters && err == nil; w++ {
		state := uint32(s.load(s.geometry.waiterAt + w*waiterWords + wState))
		if state>>16 != who || state>>8&0xff != phaseWaiting {
			continue
		}
		err = d.do(o, func(t *tx) {
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
	if t.phase(w) == phaseWaiting {
		t.giveUp(w)
		return
	}
	switch e := t.w(w, wRecord); {
	case t.wKind(w) == waitSend && t.w(w, wResult) == uint32(resRejected) && t.isRecord(e):
		t.free(e)
	case t.wKind(w) == waitRecv:
		for e != 0 && t.room(2*stepWrites) {
			next := t.e(e, eChain)
			if t.kind(e) == inGiven && t.holder(e) == t.wMember(w) { // or it has gone back, and to another one
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

// records gives back what who holds.
func (d *departure) records(o *outcome) (more bool, err error) {
	s, who := d.m.s, d.who.Index
	for e := uint32(1); e <= s.records && err == nil; e++ {
		state := uint32(s.load(s.geometry.recordAt + e*recordWords + eState))
		if k := state & inKind; state>>holderShift != who || k != inHeld && k != inLent {
			continue
		}
		more = true
		err = d.do(o, func(t *tx) {
			if t.holder(e) != who {
				return
			}
			switch t.kind(e) {
			case inHeld:
				t.lost(e, d.op, d.why)
				t.move()
			case inLent:
				t.state(e, 0, 0, 0)
				t.free(e)
			}
		})
		d.m.dig(o)
	}
	return more, err
}

// stack gives back the free records of who.
func (d *departure) stack(o *outcome) (more bool, err error) {
	at := d.m.s.memberWord(d.who.Index)
	err = d.do(o, func(t *tx) {
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
	if d.who == d.m.name() {
		d.m.free = 0
	}
	return more, err
}

// last does what the end of the last sender, or receiver, means.
func (d *departure) last(o *outcome) (more bool, err error) {
	return false, d.do(o, func(t *tx) {
		state := t.get(t.memberAt(d.who.Index) + mState)
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
func (t *tx) departed(who Name) bool {
	at := t.memberAt(who.Index)
	if !t.isLeaving(who) {
		return true
	}
	if t.get(at+mDone)|t.get(at+mStack) != 0 {
		return false
	}
	t.set(at+mState, 0)
	if t.add(gJoined, ^uint32(0)) == 0 {
		t.die()
	}
	return true
}

// die ends the segment. What is in it is lost.
func (t *tx) die() {
	if t.get(gDead) != 0 {
		return
	}
	t.set(gDead, 1)
	for e := t.get(gTail); e != 0; e = t.e(e, ePrev) {
		t.tell(driver.EventDropped, "detach", "the last attachment is gone", t.tries(e))
	}
}
