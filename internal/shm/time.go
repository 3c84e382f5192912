package shm

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// A hold or a rest has an end, in ms of the clock that all processes share. The process
// of its member sees to it, with one timer; if that is stopped, others do, a second late.

// now is the time in ms, rounded up, so that nothing ends early.
func (s *Segment) now() int64 { return (s.Clock() + 1e6 - 1) / 1e6 }

// dueIn has the hold or rest of e end after d.
func (t *tx) dueIn(e uint32, d time.Duration) {
	due := t.s.now() + int64((d+time.Millisecond-1)/time.Millisecond)
	if t.e(e, eDue)|t.e(e, eDueHigh) == 0 {
		t.add(gTimed, 1)
	}
	t.setE(e, eDue, uint32(due))
	t.setE(e, eDueHigh, uint32(due>>32))
	if t.due == 0 || due < t.due {
		t.due = due
	}
}

// limit bounds the hold of e, if holds are bounded.
func (t *tx) limit(e uint32, member uint32) {
	if t.s.maxHold > 0 && !t.is(e, isUnheard) {
		t.dueIn(e, t.s.maxHold)
	}
}

// extend has the hold of e end after d. A hold without an end has none.
func (t *tx) extend(e uint32, d time.Duration) {
	if t.s.maxHold > 0 {
		t.dueIn(e, max(d, 0))
	}
}

// rest has e, which was held, come back after d.
func (t *tx) rest(e uint32, d time.Duration) {
	t.state(e, inRest, t.e(e, eState)&(withSlot|wasHanded), t.m.index)
	t.dueIn(e, d)
}

// dueOf is when the hold or rest of e ends, 0 for never.
func (s *Segment) dueOf(e uint32) int64 {
	at := s.geometry.recordAt + e*recordWords
	return int64(uint64(uint32(s.load(at+eDueHigh)))<<32 | uint64(uint32(s.load(at+eDue))))
}

// lapse ends the hold or the rest of e if its time is over.
func (t *tx) lapse(e uint32, now int64) {
	due := int64(uint64(t.e(e, eDueHigh))<<32 | uint64(t.e(e, eDue)))
	if due == 0 || due > now {
		return
	}
	switch t.kind(e) {
	case inRest:
		t.putBack(e)
	case inHeld:
		if t.is(e, isBurying) { // its receiver is done with it
			return
		}
		t.lost(e, "expire", "its hold has lasted too long")
	default:
		return
	}
	t.move()
}

// lost ends the hold of e without a settlement. A value that nobody waits for and that has no
// attempts left goes to the dead letter, or back if that has no room.
func (t *tx) lost(e uint32, op, why string) {
	orphan := t.is(e, isOrphan)
	switch {
	case t.is(e, isBurying) && t.m.about.Grave != nil: // a reaper has none, and all it ends is lost
		t.bury(burial{e: e, op: op, why: why, reason: why, heir: true})
	case orphan && t.mayBury(e):
		t.bury(burial{e: e, op: op, why: why, reason: why})
	case !orphan && t.isExhausted(e) && t.mayBury(e):
		t.bury(burial{e: e, op: op, why: why, reason: exhausted})
	case !orphan && t.isExhausted(e):
		t.reject(e, exhaustedReason, exhausted)
	default:
		t.back(e, op, why)
	}
}

// back ends the hold of e without a settlement, and has it in its place again. One whose sender
// has given up has none.
func (t *tx) back(e uint32, op, why string) {
	if t.is(e, isOrphan) {
		t.unhold(e)
		t.free(e)
		t.tell(driver.EventDropped, op, "its sender is gone, and "+why, t.tries(e))
		return
	}
	t.tell(driver.EventReturned, op, why, t.tries(e))
	t.putBack(e)
}

// othersLate is how long after its end another process ends a hold.
const othersLate = 1000

// expire ends the holds and rests whose time is over, and returns when the next one's
// is, 0 for never.
func (m *Member) expire(o *outcome) (next int64) {
	s := m.s
	if uint32(s.load(gTimed)) == 0 {
		return 0
	}
	now := s.now()
	for e := uint32(1); e <= s.records; e++ {
		state := uint32(s.load(s.geometry.recordAt + e*recordWords + eState))
		if k := state & inKind; k != inHeld && k != inRest {
			continue
		}
		due := s.dueOf(e)
		if due == 0 {
			continue
		}
		if state>>holderShift != m.index {
			due += othersLate
		}
		if due <= now {
			if m.do(o, func(t *tx) { t.lapse(e, now) }) != nil {
				return 0
			}
			m.dig(o)
			continue
		}
		if next == 0 || due < next {
			next = due
		}
	}
	return next
}

// alarm sets the timer so that it is there at due.
func (m *Member) alarm(due int64) {
	if due == 0 || m.detached || m.alarmAt != 0 && m.alarmAt <= due {
		return
	}
	m.alarmAt = due
	wait := time.Duration(due)*time.Millisecond - time.Duration(m.s.Clock())
	if m.timer == nil {
		m.timer = time.AfterFunc(wait, m.onAlarm)
		return
	}
	m.timer.Reset(wait)
}

func (m *Member) onAlarm() {
	var o outcome
	m.mu.Lock()
	m.alarmAt = 0
	if !m.detached {
		m.do(&o, func(t *tx) { t.move() })
		m.look(&o)
		m.promises(&o)
		m.alarm(m.expire(&o))
	}
	m.leave(&o)
}
