package shm

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Behind doorbells and notices of death, whoever waits looks by itself: what has lasted too long elsewhere, and
// who is not there any more. It looks at a segment in which something has happened after a second, and
// then, as long as nothing does, after twice as long each time. One timer does so for all that wait in
// this process, and to see whether something has happened it reads two words of each.

const (
	// slowCheck is how soon a member that waits looks by itself.
	slowCheck = time.Second
	// slowMost is how many times slowCheck are between two looks at most, slowSeen until it is seen that
	// something has happened.
	slowMost = 120
	slowSeen = 8
)

// slowList are the members of this process that wait.
type slowList struct {
	mu      sync.Mutex // guards the rest, and slowState of the members; taken under Member.mu
	members map[*Member]struct{}
	timer   *time.Timer
}

// slowState is what a member's looks depend on.
type slowState struct {
	seen        uint64 // the head at the last look
	past, every int    // ticks since then, and from then until the next
	looks       bool   // it does now
}

var slow slowList

// add has m look, as long as it is there.
func (l *slowList) add(m *Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.members == nil {
		l.members = map[*Member]struct{}{}
	}
	l.members[m] = struct{}{}
	m.slow = slowState{every: 1, looks: m.slow.looks}
	switch {
	case len(l.members) > 1:
	case l.timer == nil:
		l.timer = time.AfterFunc(slowCheck, l.tick)
	default:
		l.timer.Reset(slowCheck)
	}
}

// remove ends that. From then on nobody looks at its memory for it, but a check that has begun.
func (l *slowList) remove(m *Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.members, m)
}

// tick has those look whose turn it is. A look may last, as listeners of events are called in it, and
// nobody waits for another one's.
func (l *slowList) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for m := range l.members {
		if !m.slow.looks && m.isDue() {
			m.slow.looks = true
			go l.look(m)
		}
	}
	if len(l.members) > 0 {
		l.timer.Reset(slowCheck)
	}
}

// look is one look of m. It ends by itself, and nobody waits for it: m knows whether it is there still.
func (l *slowList) look(m *Member) {
	m.check()
	l.mu.Lock()
	defer l.mu.Unlock()
	m.slow.looks = false
}

// isDue reports whether m is to look in this tick. Those that have waited for long without anything are not
// all due in the same one.
func (m *Member) isDue() bool {
	k := &m.slow
	if k.past++; k.past%min(k.every, slowSeen) != 0 {
		return false
	}
	head := m.s.load(headAt)
	if head != k.seen || uint32(m.s.load(gTimed)) != 0 || m.s.broken.Load() != nil {
		k.seen, k.past, k.every = head, 0, 1
		return true
	}
	if k.past < k.every {
		return false
	}
	k.every = min(2*k.every, slowMost)
	k.past = rand.IntN(k.every/2+1) / slowSeen * slowSeen
	return true
}
