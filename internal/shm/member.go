package shm

import (
	"errors"
	"fmt"
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
	state uint32 // what its word of the segment says
	about About
	home  string // names this attachment: cases of several are decided by their select

	mu       sync.Mutex // guards the rest, and this member's words of the segment
	t        tx
	free     int      // how many records are on the stack
	untidy   []uint32 // records on the stack whose pages are to be freed
	calls    []*call  // by waiter
	spare    []*call
	shoved   []*call // whose waiter somebody else got: the segment is damaged
	fetched  []fetched
	heard    []uint32 // the records of those in fetched
	header   []byte   // room for one
	waits    int      // how many operations wait
	detached bool
	last     driver.Stats // once detached
	timer    *time.Timer  // for the ends of holds and rests
	alarmAt  int64        // when it comes, ms; 0: it does not
	burials  []burial     // values to be buried, which this member holds
	checking bool         // it is in slow
	slow     slowState

	spins   sync.RWMutex // held for reading by who looks at the segment without mu
	leaving atomic.Bool  // stored before spins is taken for good; loaded by who has it
	paid    patience     // of looking
}

// About is what an attachment is and may do.
type About struct {
	Name     string // for Info
	Title    string // for events
	Send     bool
	Receive  bool
	Grave    *Member // of the dead letter, nil for none: what is buried is sent by it
	Survives driver.Survival
	Select   driver.SelectScope
	Checked  func(*Member)   // called at every slow check, while an operation waits; nil for nothing
	Over     func(last bool) // called once, when it has left; last: it was the last
}

// call is an operation that waits. Op.Note points to it.
type call struct {
	op   *driver.Op
	w    uint32     // its waiter, 0 once it has ended
	base int        // values of a send that had left before this waiter
	sel  *selection // of a select

	since int64 // when it began to wait, ns: see patience
}

// outcome is what has to be done once the lock is free.
type outcome struct {
	first *driver.Op // that has ended; most often there is one
	ended []*driver.Op
	told  []told
	here  []*Member // members of this process that something has happened to
	rung  []Name    // those of others that sleep
	grave *outcome  // what has to be done for the dead letter
}

// Name names a member: its number, which is used again when it is gone, and what it has
// chosen itself.
type Name struct {
	Index uint32
	ID    [16]byte
}

// memberState: in use, and what it may do.
const (
	memberJoined  = 1
	memberLeaving = 2
	memberSends   = 4
	memberTakes   = 8
	memberReaps   = 16 // it has come to end a segment of the dead
)

// stateOf is the state of a new member.
func (a About) state() uint32 {
	state := uint32(memberJoined)
	if a.Send {
		state |= memberSends
	}
	if a.Receive {
		state |= memberTakes
	}
	return state
}

// Founded returns the member whose name was in Params when the segment was made.
func (s *Segment) Founded(id [16]byte, about About) *Member {
	m := s.newMember(id, about)
	s.local[0].Store(m)
	s.ours.Add(1)
	return m
}

func (s *Segment) newMember(id [16]byte, about About) *Member {
	m := &Member{s: s, id: id, about: about, state: about.state()}
	m.t.s, m.t.m = s, m
	m.home = fmt.Sprintf("shm:%x", id)
	m.paid.init()
	return m
}

// Join makes this process one more member of the segment. id names it, for its life lock and
// its bell. A reaper joins a segment whose members are all dead, to end it.
//
// A member's transactions are written into the descriptor of its seat, and so is the one by which
// it joins. So it takes the seat first, by a lock that the system drops if it dies: two who joined
// by the same descriptor would have each other's words written.
func (s *Segment) Join(id [16]byte, pid int, reaper bool, about About) (*Member, error) {
	m := s.newMember(id, about)
	if reaper {
		m.state = memberJoined | memberReaps
	}
	for until := time.Now().Add(seatTime); ; time.Sleep(seatPause) { // all free seats are being taken
		busy, joined, err := m.sitDown(pid)
		switch {
		case err != nil:
			return nil, err
		case joined:
			atomic.StoreUint64(&s.words[s.memberWord(m.index)+mLooking], 0)
			atomic.StoreUint64(&s.words[s.memberWord(m.index)+mRung], 0)
			s.local[m.index].Store(m)
			s.ours.Add(1)
			m.point(PointJoined)
			return m, nil
		case !busy || time.Now().After(until):
			return nil, driver.Because(driver.ErrFull, "all %d attachments of the segment are taken (members=)", s.members)
		}
	}
}

// How long Join tries while somebody else sits down on each free seat.
const (
	seatTime  = 2 * time.Second
	seatPause = time.Millisecond
)

// sitDown joins at a seat that is free and that nobody else takes now. busy says that there were
// free ones.
func (m *Member) sitDown(pid int) (busy, joined bool, err error) {
	s := m.s
	for i := range s.members {
		if uint32(s.load(s.memberWord(i)+mState)) != 0 {
			continue
		}
		busy = true
		leave, ok, err := s.take(i)
		if err != nil || !ok {
			if err != nil {
				return busy, false, err
			}
			continue
		}
		m.index = i
		joined, err = m.sit(pid)
		leave()
		if joined || err != nil {
			return busy, joined, err
		}
	}
	return busy, false, nil
}

// sit joins at the seat that is taken, if it is free still.
func (m *Member) sit(pid int) (joined bool, err error) {
	for s, t := m.s, &m.t; ; {
		t.begin()
		switch {
		case t.get(gDead) != 0:
			return false, ErrEnded
		case t.get(s.memberWord(m.index)+mState) != 0:
			if t.commit() {
				return false, nil
			}
		default:
			t.enter(m.index, m.state, m.id, pid)
			if t.commit() {
				return true, nil
			}
		}
		if err := s.damaged(); err != nil {
			return false, err
		}
	}
}

// sitting is taken by who joins where no Seat is said: in memory of this process.
var sitting sync.Mutex

func (s *Segment) take(i uint32) (leave func(), ok bool, err error) {
	if s.Seat != nil {
		return s.Seat(i)
	}
	sitting.Lock()
	return sitting.Unlock, true, nil
}

// enter writes the record of a new member.
func (t *tx) enter(i, state uint32, id [16]byte, pid int) {
	at := t.s.memberWord(i)
	t.set(at+mState, state)
	for k := range uint32(4) {
		t.set(at+mID+k, idWord(id, k))
	}
	t.set(at+mPid, uint32(pid))
	t.set(at+mBirth, uint32(time.Now().Unix()))
	t.set(at+mStack, 0)
	t.set(at+mDone, 0)
	t.set(at+mDoneTail, 0)
	t.add(gJoined, 1)
}

func idWord(id [16]byte, k uint32) uint32 {
	return uint32(id[4*k]) | uint32(id[4*k+1])<<8 | uint32(id[4*k+2])<<16 | uint32(id[4*k+3])<<24
}

// ErrEnded says that the segment was over when somebody wanted to join.
var ErrEnded = driver.Because(driver.ErrNotFound, "the segment has just ended")

// Ended reports whether err is of a Join that came too late: the segment was over.
func Ended(err error) bool { return errors.Is(err, ErrEnded) }

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
		here := t.get(t.me(mState)) == m.state
		dirty := here && t.get(gDirty) != 0
		switch {
		case dirty:
			t.move()
		case here:
			build(t)
		}
		if !t.commit() {
			if err := m.s.damaged(); err != nil {
				return err
			}
			m.stayAway()
			continue
		}
		if !here {
			return errExpelled
		}
		m.committed(o)
		if !dirty {
			return nil
		}
		ready = prepare == nil
	}
}

// stayAway is called by who has lost against another one, whose cache has all that changes: it
// may go on for a while before everything moves here.
func (m *Member) stayAway() {
	if m.s.Ring != nil {
		for range stall {
		}
	}
}

// errExpelled is the error of every operation of a member that others took for dead.
var errExpelled = driver.Because(driver.ErrDetached, "others took this attachment for dead: was its doorbell removed?")

// committed notes what follows the transaction.
func (m *Member) committed(o *outcome) {
	t := &m.t
	m.free += t.pushed
	o.told = append(o.told, t.told...)
	m.burials = append(m.burials, t.burials...)
	for _, i := range t.woken {
		if other := m.s.local[i].Load(); other != nil {
			o.here = append(o.here, other)
		} else if m.s.sleeps(i) {
			m.s.noteRing(i)
			o.rung = append(o.rung, Name{i, m.s.idOf(i)})
		}
	}
	if t.due != 0 {
		m.alarm(t.due)
	}
}

// Start implements driver.Channel.
func (m *Member) Start(op *driver.Op) {
	var o outcome
	op.Note, op.N, op.Got, op.NotReady, op.Err = nil, 0, op.Got[:0], false, nil
	m.mu.Lock()
	looked := m.expects(op)
	if looked {
		m.mu.Unlock()
		m.lookOut(op)
		m.mu.Lock()
	}
	m.start(&o, op)
	waits := op.Note != nil && !looked
	m.leave(&o)
	if waits {
		m.spin()
	}
}

// leave frees the lock, and then does what must not be done under it.
func (m *Member) leave(o *outcome) {
	m.settleDown(o)
	m.mu.Unlock()
	m.after(o)
}

// settleDown does what is left to be done under the lock.
func (m *Member) settleDown(o *outcome) {
	m.serve(o)
	if m.waits > 0 && m.s.broken.Load() != nil {
		m.failAll(o, m.s.damaged())
	}
	if len(m.untidy) > 0 {
		m.tidy()
	}
	if m.free > 2*keepRecords {
		m.give()
	}
}

// serve does what did not fit into the last transaction: nobody else may come to do it.
func (m *Member) serve(o *outcome) {
	for !m.detached && uint32(m.s.load(gDirty)) != 0 {
		if m.do(o, func(*tx) {}) != nil {
			return
		}
	}
}

// after wakes whom something has happened to, and ends what has ended.
func (m *Member) after(o *outcome) {
	if len(o.rung) > 0 {
		m.point(PointWake)
		for _, name := range o.rung {
			m.s.Ring(name)
		}
		m.point(PointWoken)
	}
	for _, other := range o.here {
		other.collect()
	}
	for _, e := range o.told {
		driver.Emit(driver.Event{Kind: e.kind, Channel: m.about.Title, Op: e.op, Reason: e.reason, Attempt: e.attempt})
	}
	if o.first != nil {
		o.first.Finish()
	}
	for _, op := range o.ended {
		op.Finish()
	}
	if o.grave != nil {
		m.about.Grave.after(o.grave)
	}
}

// sleeps reports whether member i, of another process, has to be rung to look at what has
// happened to it. Partner: Member.looks, which counts up, and then looks at the list that
// was written before.
func (s *Segment) sleeps(i uint32) bool {
	at := s.memberWord(i)
	return s.Ring != nil && s.load(at+mLooking) == 0 && atomic.CompareAndSwapUint64(&s.words[at+mRung], 0, 1)
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
	if op.Loan.ID != 0 && op.N > 0 {
		m.s.lent.Add(-1)
	}
	if o.first == nil {
		o.first = op
		return
	}
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
	*c = call{op: op, w: w, base: base, since: m.s.Clock()}
	op.Note = c
	m.keep(c, w)
}

// keep enters c as the call of the waiter w.
func (m *Member) keep(c *call, w uint32) {
	for uint32(len(m.calls)) <= w {
		m.calls = append(m.calls, nil)
	}
	if other := m.calls[w]; other != nil {
		m.s.damage("a waiter that is given out twice")
		m.shoved = append(m.shoved, other)
	}
	m.calls[w] = c
	if m.waits++; !m.checking && m.s.Ring != nil {
		m.checking = true
		slow.add(m)
	}
}

// forget ends c, whose waiter is gone.
func (m *Member) forget(c *call) {
	m.calls[c.w] = nil
	m.waits--
	*c = call{}
	if len(m.spare) < 64 {
		m.spare = append(m.spare, c)
	}
}

// Cancel implements driver.Channel.
func (m *Member) Cancel(op *driver.Op, why error) {
	var o outcome
	m.mu.Lock()
	m.cancelOp(&o, op, why)
	m.leave(&o)
}

// cancelOp ends op because of why, if it waits. A batch of which a part has just left waits again, with
// the rest: that is cancelled, too.
func (m *Member) cancelOp(o *outcome, op *driver.Op, why error) {
	for !m.detached && m.s.damaged() == nil {
		c, _ := op.Note.(*call)
		if c == nil || c.op != op || c.w == 0 {
			return
		}
		if m.cancel(o, c, why); c.sel != nil {
			return
		}
	}
}

// cancel ends c because of why, if it had no effect.
func (m *Member) cancel(o *outcome, c *call, why error) {
	if c.sel != nil {
		m.withdraw(o, c, why)
		return
	}
	var doubt, waits bool
	err := m.do(o, func(t *tx) {
		if waits = t.phase(c.w) == phaseWaiting; waits {
			doubt = t.giveUp(c.w)
		}
	})
	switch {
	case err != nil:
		why = err
	case !waits:
		m.hear(o, c)
		return
	case doubt:
		why = driver.Doubtful(why)
	}
	op := c.op
	switch {
	case op.Kind == driver.OpSend:
		op.N = c.base + m.t.n
	case len(op.Got) > 0: // it waited for more
		why = nil
	}
	m.forget(c)
	m.end(o, op, why)
}

// Info implements driver.Channel.
func (m *Member) Info() driver.Info {
	return driver.Info{Name: m.about.Name, Slots: int(m.s.slots), Home: m.home, Can: driver.Capabilities{
		Rendezvous: true, Hold: true, Stop: true, DeadLetter: true, Select: m.about.Select, Survives: m.about.Survives}}
}

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
	if m.do(o, func(t *tx) { s = t.figures() }) == nil {
		m.last = s
	}
	m.last.AsOf = time.Now()
}

// rights counts the members that may send, and those that may receive.
func (t *tx) rights() (senders, receivers int) {
	for i := range t.s.members {
		switch state := t.get(t.s.memberWord(i) + mState); {
		case state&memberJoined == 0 || state&(memberLeaving|memberReaps) != 0:
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
