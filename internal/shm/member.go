package shm

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Member is one attachment: a driver.Channel.
type Member struct {
	s     *Segment
	index uint32
	id    [16]byte
	about About

	mu       sync.Mutex // guards the rest, and this member's words of the segment
	t        tx
	free     int      // how many records are on the stack
	untidy   []uint32 // records on the stack whose pages are to be freed
	calls    []*call  // by waiter
	spare    []*call
	fetched  []fetched
	header   []byte // room for one
	detached bool
	last     driver.Stats // once detached
	timer    *time.Timer  // for the ends of holds and rests
	alarmAt  int64        // when it comes, ms; 0: it does not

}

// About is what an attachment is and may do.
type About struct {
	Name     string // for Info
	Title    string // for events
	Send     bool
	Receive  bool
	Survives driver.Survival
	Over     func(last bool) // called once, when it has left; last: it was the last
}

// call is an operation that waits. Op.Note points to it.
type call struct {
	op   *driver.Op
	w    uint32 // its waiter, 0 once it has ended
	base int    // values of a send that had left before this waiter
}

// outcome is what has to be done once the lock is free.
type outcome struct {
	ended []*driver.Op
	told  []told
	woken []uint32
}

// memberState: in use, and what it may do.
const (
	memberJoined  = 1
	memberLeaving = 2
	memberSends   = 4
	memberTakes   = 8
)

// Join makes this process one more member of the segment. id names it, for its life lock and
// its bell.
func (s *Segment) Join(id [16]byte, pid int, about About) (*Member, error) {
	m := &Member{s: s, id: id, about: about}
	m.t.s, m.t.m = s, m
	state := uint32(memberJoined)
	if about.Send {
		state |= memberSends
	}
	if about.Receive {
		state |= memberTakes
	}
	for {
		t := &m.t
		if i, ok := s.seat(); ok {
			m.index = i
		} else {
			return nil, driver.Because(driver.ErrFull, "all %d attachments of the segment are taken (members=)", s.members)
		}
		t.begin()
		at := s.memberWord(m.index)
		if t.get(gDead) != 0 {
			return nil, errDead
		}
		if t.get(at+mState) == 0 {
			t.set(at+mState, state)
			for i := range uint32(4) {
				t.set(at+mID+i, uint32(id[4*i])|uint32(id[4*i+1])<<8|uint32(id[4*i+2])<<16|uint32(id[4*i+3])<<24)
			}
			t.set(at+mPid, uint32(pid))
			t.set(at+mBirth, uint32(time.Now().Unix()))
			t.set(at+mStack, 0)
			t.set(at+mDone, 0)
			t.set(at+mDoneTail, 0)
			t.add(gJoined, 1)
			if t.commit() {
				break
			}
		}
		if err := s.damaged(); err != nil {
			return nil, err
		}
	}
	atomic.StoreUint64(&s.words[s.memberWord(m.index)+mLooking], 0)
	atomic.StoreUint64(&s.words[s.memberWord(m.index)+mRung], 0)
	s.local[m.index].Store(m)
	m.point(PointJoined)
	return m, nil
}

// errDead says that the segment was over when somebody wanted to join.
var errDead = driver.Because(driver.ErrNotFound, "the segment has just ended")

// Ended reports whether err is of a Join that came too late: the segment was over.
func Ended(err error) bool { return err == errDead }

// seat returns a place for a member that seems free.
func (s *Segment) seat() (uint32, bool) {
	for i := range s.members {
		if uint32(s.load(s.memberWord(i)+mState)) == 0 {
			return i, true
		}
	}
	return 0, false
}

// do has a transaction built, again until it is committed. Before one that changes
// the channel everything is done that did not fit into those before.
func (m *Member) do(o *outcome, build func(t *tx)) error {
	return m.doWith(o, nil, build)
}

// doWith is do where prepare puts on the stack what build takes from there.
func (m *Member) doWith(o *outcome, prepare func() error, build func(t *tx)) error {
	t := &m.t
	for ready := prepare == nil; ; {
		if !ready {
			if err := prepare(); err != nil {
				return err
			}
			ready = true
		}
		t.begin()
		dirty := t.get(gDirty) != 0
		if dirty {
			t.move()
		} else {
			build(t)
		}
		if !t.commit() {
			if err := m.s.damaged(); err != nil {
				return err
			}
			continue
		}
		m.free += t.pushed
		o.woken = append(o.woken, t.woken...)
		o.told = append(o.told, t.told...)
		if t.due != 0 {
			m.alarm(t.due)
		}
		if !dirty {
			return nil
		}
		ready = prepare == nil
	}
}

// Start implements driver.Channel.
func (m *Member) Start(op *driver.Op) {
	var o outcome
	m.mu.Lock()
	op.Note, op.N, op.Got, op.NotReady, op.Err = nil, 0, nil, false, nil
	m.start(&o, op)
	m.leave(&o)
}

// leave frees the lock, and then does what must not be done under it.
func (m *Member) leave(o *outcome) {
	if len(m.untidy) > 0 {
		m.tidy()
	}
	if m.free > 2*keepRecords {
		m.give()
	}
	m.mu.Unlock()
	m.after(o)
}

// after wakes whom something has happened to, and ends what has ended.
func (m *Member) after(o *outcome) {
	if len(o.woken) > 0 {
		m.point(PointWake)
		for _, i := range o.woken {
			m.s.wake(i)
		}
		m.point(PointWoken)
	}
	for _, e := range o.told {
		driver.Emit(driver.Event{Kind: e.kind, Channel: m.about.Title, Op: e.op, Reason: e.reason, Attempt: e.attempt})
	}
	for _, op := range o.ended {
		op.Finish()
	}
}

// wake has member i look at what has happened to it.
func (s *Segment) wake(i uint32) {
	if m := s.local[i].Load(); m != nil {
		m.collect()
		return
	}
	if s.Ring == nil {
		return
	}
	at := s.memberWord(i)
	// Partner: look, which counts up, and then looks at the list that this follows.
	if s.load(at+mLooking) == 0 && atomic.CompareAndSwapUint64(&s.words[at+mRung], 0, 1) {
		s.Ring(s.idOf(i))
	}
}

// idOf is the name of member i.
func (s *Segment) idOf(i uint32) (id [16]byte) {
	at := s.memberWord(i) + mID
	for k := range uint32(4) {
		v := uint32(s.load(at + k))
		id[4*k], id[4*k+1], id[4*k+2], id[4*k+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	}
	return id
}

func (m *Member) end(o *outcome, op *driver.Op, err error) {
	op.Err = err
	o.ended = append(o.ended, op)
}

// wait keeps op until its waiter has ended.
func (m *Member) wait(op *driver.Op, w uint32, base int) {
	var c *call
	if n := len(m.spare); n > 0 {
		c, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		c = new(call)
	}
	*c = call{op, w, base}
	op.Note = c
	for uint32(len(m.calls)) <= w {
		m.calls = append(m.calls, nil)
	}
	m.calls[w] = c
}

// forget ends c, whose waiter is gone.
func (m *Member) forget(c *call) {
	m.calls[c.w] = nil
	*c = call{}
	if len(m.spare) < 64 {
		m.spare = append(m.spare, c)
	}
}

// Cancel implements driver.Channel.
func (m *Member) Cancel(op *driver.Op, why error) {
	var o outcome
	m.mu.Lock()
	if c, _ := op.Note.(*call); c != nil && c.op == op && c.w != 0 {
		m.cancel(&o, c, why)
	}
	m.leave(&o)
}

// cancel ends c because of why, if it had no effect.
func (m *Member) cancel(o *outcome, c *call, why error) {
	var doubt, waits bool
	err := m.do(o, func(t *tx) {
		if waits = t.phase(c.w) == phaseWaiting; waits {
			doubt = t.giveUp(c.w)
		}
	})
	switch {
	case err != nil:
		why = err
	case !waits: // it has ended, and is about to be told
		m.look(o)
		return
	case doubt:
		why = driver.Doubtful(why)
	}
	op := c.op
	if op.Kind == driver.OpSend {
		op.N = c.base + m.t.n
	}
	m.forget(c)
	m.end(o, op, why)
}

// Info implements driver.Channel.
func (m *Member) Info() driver.Info {
	return driver.Info{Name: m.about.Name, Slots: int(m.s.slots), Home: m.s.Home(), Can: driver.Capabilities{
		Rendezvous: true, Hold: true, Stop: true, Survives: m.about.Survives}}
}

// Home names the segment: no other has the name.
func (s *Segment) Home() string { return "" }

// Stats implements driver.Channel.
func (m *Member) Stats() driver.Stats {
	var o outcome
	m.mu.Lock()
	if !m.detached {
		m.stats(&o)
	}
	s := m.last
	m.leave(&o)
	return s
}

func (m *Member) stats(o *outcome) {
	var s driver.Stats
	wide := func(t *tx, low, high uint32) uint64 { return uint64(t.get(high))<<32 | uint64(t.get(low)) }
	if m.do(o, func(t *tx) {
		used, held := t.used(), t.get(gHeldSlots)
		s = driver.Stats{
			Slots: int(m.s.slots), Len: int(used - held), Held: int(t.get(gHeld)),
			SendersWaiting: int(t.get(gSenders)), ReceiversWaiting: int(t.get(gReceivers)),
			Sent: wide(t, gSent, gSentHigh), Received: wide(t, gReceived, gReceivedHigh),
			Redelivered: uint64(t.get(gRedelivered)), Rejected: uint64(t.get(gRejected)),
			Closed: t.get(gClosed) != 0, Stopped: t.get(gStopped) != 0,
		}
		s.Senders, s.Receivers = t.rights()
	}) == nil {
		m.last = s
	}
	m.last.AsOf = time.Now()
}

// rights counts the members that may send, and those that may receive.
func (t *tx) rights() (senders, receivers int) {
	for i := range t.s.members {
		switch state := t.get(t.s.memberWord(i) + mState); {
		case state&memberJoined == 0 || state&memberLeaving != 0:
		default:
			if state&memberSends != 0 {
				senders++
			}
			if state&memberTakes != 0 {
				receivers++
			}
		}
	}
	return senders, receivers
}
