package shm

import (
	"sync/atomic"

	"github.com/handoff-go/handoff/driver"
)

// What a process does beside the operations of its members: it looks at what others have
// done to them, when it is rung, or while it expects it, and clears away the dead.

// Collect ends the operations of this member that something has happened to. Whoever hears
// its bell calls it.
func (m *Member) Collect() {
	m.mu.Lock()
	if m.detached {
		m.mu.Unlock()
		return
	}
	rung := m.rungAt() // before another one may ring
	m.mayBeRung()
	m.paid.woken(m.s.Clock() - rung)
	var o outcome
	m.look(&o)
	m.leave(&o)
}

// mayBeRung says that this member looks from here on at what happens to it, and is to be rung for what
// comes then. Partner: sleeps.
func (m *Member) mayBeRung() {
	atomic.StoreUint64(&m.s.words[m.s.memberWord(m.index)+mRung], 0)
}

// check is Collect for once in a while: it finds, too, what has lasted too long elsewhere.
func (m *Member) check() {
	var o outcome
	m.mu.Lock()
	if m.checking = !m.detached && m.waits > 0; !m.checking {
		slow.remove(m)
		m.mu.Unlock()
		return
	}
	m.mayBeRung()
	m.do(&o, func(t *tx) { t.move() })
	m.look(&o)
	m.promises(&o)
	m.alarm(m.expire(&o))
	m.leave(&o)
	if m.about.Checked != nil {
		m.about.Checked(m)
	}
}

// Others returns the members of other processes, and a word that changes with them. Called
// with a word it has returned, it returns nothing if nothing has changed.
func (m *Member) Others(seen uint64) (others []Name, word uint64) {
	var o outcome
	m.mu.Lock()
	defer m.leave(&o)
	s := m.s
	if m.detached || s.load(gJoined) == seen {
		return nil, seen
	}
	// In one state: half of a name would be a member that nobody knows, and its own be missed.
	if m.do(&o, func(t *tx) {
		others, word = others[:0], s.load(gJoined)
		for i := range s.members {
			if t.get(s.memberWord(i)+mState) != 0 && s.local[i].Load() == nil {
				others = append(others, Name{i, s.idOf(i)})
			}
		}
	}) != nil {
		return nil, seen
	}
	return others, word
}

// At is the name of whoever sits at place i, if somebody does.
func (s *Segment) At(i uint32) (n Name, ok bool) {
	if i >= s.members || uint32(s.load(s.memberWord(i)+mState)) == 0 {
		return n, false
	}
	return Name{i, s.idOf(i)}, true
}

// ErrLeft says that the member who was asked to do something for others has left itself.
var ErrLeft = driver.Because(driver.ErrDetached, "it has left")

// Clear ends the membership of one who is dead. Its values and holds go where the laws say.
// ErrLeft if m is not there any more: then it is not among the members of this process either.
func (m *Member) Clear(who Name) error {
	var o outcome
	m.mu.Lock()
	defer m.leave(&o)
	if m.detached {
		return ErrLeft
	}
	m.point(PointCleaning)
	m.mayBeRung() // it may have died between marking somebody as rung and the ring
	defer m.look(&o)
	return m.depart(&o, who, "death", "its holder died")
}

// Alone ends the segment if nobody is left in it but those who have come to end it, and reports
// whether it has ended.
func (m *Member) Alone() (dead bool) {
	var o outcome
	m.mu.Lock()
	defer m.leave(&o)
	m.do(&o, func(t *tx) {
		for i := range t.s.members {
			if state := t.get(t.s.memberWord(i) + mState); state != 0 && state&memberReaps == 0 {
				return
			}
		}
		t.die()
	})
	return uint32(m.s.load(gDead)) != 0
}

// Joined are all members there are, this process's included, before it has joined.
func (s *Segment) Joined() (all []Name, reapers int) {
	for i := range s.members {
		switch state := uint32(s.load(s.memberWord(i) + mState)); {
		case state == 0:
		case state&memberReaps != 0:
			reapers++
		default:
			all = append(all, Name{i, s.idOf(i)})
		}
	}
	return all, reapers
}

// IsHere reports whether the member is of this process.
func (s *Segment) IsHere(n Name) bool {
	m := s.member(n.Index)
	return m != nil && m.id == n.ID
}
