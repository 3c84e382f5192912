package shm

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// To be woken takes the system tens of microseconds, and what is waited for comes most often
// sooner, where both sides run. So an operation that would have to wait looks at memory for
// about as long as it would take to wake the other side and to be woken by it, if that has paid
// lately. It looks before it is entered as a waiter, if it can: what it waits for is
// then an operation like any other for the side that does it, and not one that has to serve
// a waiter.

const (
	spinMost  = 100 * time.Microsecond
	spinLeast = time.Microsecond
	wakeGuess = 20 * time.Microsecond // what a wake takes, until one was seen

	looksPerTime = 32 // looks between two at the clock
)

// patience is for how long it pays to look. It is twice as long after it has paid, or would have,
// half as long after it was in vain, and at most three times what a wake takes: the other one
// may have to be woken first, and this is measured to where its bell is heard, not to where its
// caller goes on.
type patience struct {
	ns   atomic.Int64
	wake atomic.Int64 // what a wake takes, ns, of the last ones
}

func (p *patience) init() {
	p.wake.Store(int64(wakeGuess))
	p.ns.Store(p.most())
}

func (p *patience) most() int64 {
	return min(3*p.wake.Load(), int64(spinMost))
}

func (p *patience) get() time.Duration { return time.Duration(p.ns.Load()) }
func (p *patience) pays()              { p.ns.Store(min(2*p.ns.Load(), p.most())) }
func (p *patience) inVain()            { p.ns.Store(max(p.ns.Load()/2, int64(spinLeast))) }

// woken takes what a wake took. One that came late, because the process was stopped or the
// machine busy, says nothing.
func (p *patience) woken(ns int64) {
	if old := p.wake.Load(); ns > 0 && ns < int64(spinMost)*10 {
		p.wake.Store(old + (min(ns, int64(spinMost))-old)/8)
	}
}

// waited takes for how long something was waited for until somebody rang; less than 0 if nobody did.
func (p *patience) waited(ns int64) {
	if ns >= 0 && ns <= p.most() {
		p.pays()
	}
}

// spinners counts who looks in this process: one core stays free for those who work.
var spinners atomic.Int32

// looks calls found until it says yes, for as long as that has paid lately, and not where nobody
// could do anything in the meantime. Others see that it looks if it is seen.
func (m *Member) looks(seen bool, found func() bool) bool {
	if m.s.Ring == nil || runtime.GOMAXPROCS(0) == 1 {
		return false
	}
	m.spins.RLock()
	defer m.spins.RUnlock()
	if m.leaving.Load() || uint32(m.s.load(gJoined)) <= uint32(m.s.ours.Load()) {
		return false
	}
	defer spinners.Add(-1)
	if spinners.Add(1) >= int32(max(2, runtime.GOMAXPROCS(0))) {
		return false
	}
	if !seen {
		return m.keepsLooking(found)
	}
	at := m.s.memberWord(m.index)
	atomic.AddUint64(&m.s.words[at+mLooking], 1)
	yes := m.keepsLooking(found)
	atomic.AddUint64(&m.s.words[at+mLooking], ^uint64(0))
	return yes || found() // it came before others could see that nobody looks
}

// keepsLooking is looks while the segment is sure to be there.
func (m *Member) keepsLooking(found func() bool) bool {
	limit := m.paid.get()
	for begin := time.Now(); ; {
		for range looksPerTime {
			if found() {
				m.paid.pays()
				return true
			}
		}
		if m.leaving.Load() || time.Since(begin) > limit {
			m.paid.inVain()
			return false
		}
	}
}

// expects reports whether op would have to wait, and may look before it does.
func (m *Member) expects(op *driver.Op) bool {
	if op.Try || m.detached || m.s.Ring == nil {
		return false
	}
	switch op.Kind {
	case driver.OpSend:
		return m.s.slots > 0 && !m.s.mayEnter(len(op.Items))
	case driver.OpRecv, driver.OpTake:
		return !m.s.mayGo()
	}
	return false
}

// mayEnter reports whether n values that are sent may have slots, or a receiver.
func (s *Segment) mayEnter(n int) bool {
	used := uint32(s.load(gSent)) - uint32(s.load(gReceived)) - uint32(s.load(gBuried))
	return used+min(uint32(n), (s.slots+1)/2) <= s.slots || uint32(s.load(gTakers)) != 0 || uint32(s.load(gClosed)) != 0
}

// mayGo reports whether there may be a value.
func (s *Segment) mayGo() bool {
	return uint32(s.load(gReady)) != 0 || uint32(s.load(gClosed)) != 0
}

// lookOut looks whether op can be done without a wait.
func (m *Member) lookOut(op *driver.Op) {
	if op.Kind == driver.OpSend {
		m.looks(false, func() bool { return m.s.mayEnter(len(op.Items)) })
	} else {
		m.looks(false, m.s.mayGo)
	}
}

// spin looks whether something happens to this member, which waits, so that nobody has to ring.
func (m *Member) spin() {
	if m.looks(true, func() bool { return uint32(m.s.load(m.s.memberWord(m.index)+mDone)) != 0 }) {
		m.collect()
	}
}

// noteRing notes when member i is rung.
func (s *Segment) noteRing(i uint32) {
	atomic.StoreUint64(&s.words[s.memberWord(i)+mRungAt], uint64(s.Clock()))
}

// rungAt is when this member was last rung.
func (m *Member) rungAt() int64 { return int64(m.s.load(m.s.memberWord(m.index) + mRungAt)) }
