package engine

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/park"
	"github.com/handoff-go/handoff/internal/ticket"
)

// Case is one case of a select: immutable, and usable in several selects at
// once. A nil Case is one that can never be chosen.
type Case interface {
	// arm makes the record of this case in one select.
	arm(s *Select, i int) armed
}

// armed is a case in one select.
type armed interface {
	// try commits the case if it is ready now. All locks are held and the
	// ticket is not yet shown to anybody.
	try(s *Select) verdict
	// begin makes the case ready for a turn: operands are read here.
	begin(s *Select, h Header)
	// finish ends the turn for the chosen case, with no lock held, and runs its
	// callback unless it failed.
	finish() error
}

// verdict of a try.
type verdict uint8

const (
	unready   verdict = iota
	committed         // it took effect
	pending           // it is chosen, and waits for a settlement
)

// lockable is an armed case on a channel of this engine.
type lockable interface {
	armed
	order() uint64 // ascending lock order; the same for the same channel
	lock()
	unlock()
	flush() // do what was collected under the lock
	enqueue()
	dequeue()
	clear() // forget operand and result
	inside() bool
	index() int
	// retry completes the case if it is ready, while it stands in its queue.
	// The lock is held.
	retry()
	// held reports whether the case was chosen and waits for a settlement, and
	// then ends that wait for cause. The lock is held.
	held(cause error) bool

	// For AsyncSelect.
	setAgain()
	stamp()
	failure() error
	leaving(cause error) bool
}

// Foreign is a case that lives on another medium. It takes part only in selects
// that wait; it may win or claim the ticket at any time between Offer and the
// return of Withdraw.
type Foreign interface {
	Offer(tk *ticket.Ticket, i int)
	Withdraw(tk *ticket.Ticket)
	// Finish is called when the case has won, and runs its callback.
	Finish() error
}

// Select is a set of cases to choose from, again and again. It must be used by
// one goroutine at a time.
type Select struct {
	cases    []armed // nil: never ready
	chans    []lockable
	locks    []lockable // one for each channel, ascending
	natives  []native
	foreigns []*foreignCase
	timers   []*timerCase
	fallback *defaultCase
	off      []bool
	order    []int32

	tk      ticket.Ticket
	door    park.Door
	atDoor  bool   // this turn waits at the door, not at the bell
	dice    uint64 // state of the random numbers
	bell    chan struct{}
	hand    chan struct{}
	fates   [2]park.Fate // of hand and bell, by park.Kind
	timer   *time.Timer
	offered bool // the foreign cases know the ticket
}

// NewSelect arms cases.
//
//go:norace
func NewSelect(cases []Case) *Select {
	s := &Select{}
	s.Init(cases)
	return s
}

// Init makes the zero Select one of cases.
//
//go:norace
func (s *Select) Init(cases []Case) {
	s.cases = make([]armed, len(cases))
	s.off = make([]bool, len(cases))
	s.order = make([]int32, 0, len(cases))
	for i, c := range cases {
		if c == nil {
			continue
		}
		s.add(c.arm(s, i), i)
	}
	slices.SortStableFunc(s.locks, func(a, b lockable) int {
		switch {
		case a.order() < b.order():
			return -1
		case a.order() > b.order():
			return 1
		}
		return 0
	})
	s.locks = slices.CompactFunc(s.locks, func(a, b lockable) bool { return a.order() == b.order() })
}

//go:norace
func (s *Select) add(a armed, i int) {
	s.cases[i] = a
	switch a := a.(type) {
	case lockable:
		s.chans = append(s.chans, a)
		s.locks = append(s.locks, a)
	case native:
		s.natives = append(s.natives, a)
	case *foreignCase:
		s.foreigns = append(s.foreigns, a)
	case *timerCase:
		s.timers = append(s.timers, a)
	case *defaultCase:
		if s.fallback == nil {
			s.fallback = a
		}
	}
}

// Enable switches case i on or off, as setting a channel variable to nil does in
// a native select.
//
//go:norace
func (s *Select) Enable(i int, on bool) { s.off[i] = !on }

// Do chooses one ready case, waits if there is none, and runs it. With first,
// the first ready case in order is chosen, else any with equal chance.
//
//go:norace
func (s *Select) Do(ctx context.Context, h Header, first bool) (int, error) {
	if err := Ended(ctx); err != nil {
		return -1, err
	}
	for _, a := range s.cases {
		if a != nil {
			a.begin(s, h)
		}
	}
	i, err := s.choose(ctx, first)
	if i >= 0 {
		if e := s.cases[i].finish(); e != nil {
			err = e
		}
	}
	return i, err
}

//go:norace
func (s *Select) choose(ctx context.Context, first bool) (int, error) {
	s.arrange(first)
	s.lockAll()
	i, v := s.look()
	if v == unready && s.hasDefault() {
		if i, v = s.lookNative(); v == unready {
			i, v = s.fallback.i, committed
		}
	}
	if v == committed {
		s.unlockAll()
		s.clear(i)
		return i, nil
	}
	s.prepareWait(ctx)
	if v == unready {
		s.enqueue()
	}
	s.unlockAll()
	i, err := s.wait(ctx, v == pending)
	s.leave(i)
	s.clear(i)
	return i, err
}

// arrange fixes the order in which the cases are looked at.
//
//go:norace
func (s *Select) arrange(first bool) {
	s.order = s.order[:0]
	for i, a := range s.cases {
		if a == nil || s.off[i] || isDefault(a) {
			continue
		}
		s.order = append(s.order, int32(i))
		if !first {
			last := len(s.order) - 1
			j := s.roll(last + 1)
			s.order[last], s.order[j] = s.order[j], s.order[last]
		}
	}
}

// roll returns a random number below n, from an xorshift generator: any of the
// shared ones costs more than a whole case.
//
//go:norace
func (s *Select) roll(n int) int {
	x := s.dice
	if x == 0 {
		x = rand.Uint64() | 1
	}
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	s.dice = x
	return int(x >> 32 * uint64(n) >> 32)
}

//go:norace
func isDefault(a armed) bool {
	_, ok := a.(*defaultCase)
	return ok
}

// look tries each case once. All channels are locked, so what it sees of them is
// one moment.
//
//go:norace
func (s *Select) look() (int, verdict) {
	s.tk.Reset()
	for _, i := range s.order {
		if v := s.cases[i].try(s); v != unready {
			return int(i), v
		}
	}
	return -1, unready
}

//go:norace
func (s *Select) lockAll() {
	for _, l := range s.locks {
		l.lock()
	}
}

//go:norace
func (s *Select) unlockAll() {
	for _, l := range s.locks {
		l.unlock()
	}
	for _, l := range s.chans {
		l.flush()
	}
}

//go:norace
func (s *Select) enqueue() {
	if len(s.locks) == len(s.chans) {
		for _, l := range s.chans {
			l.enqueue()
		}
		return
	}
	s.inOrder(lockable.enqueue)
}

// inOrder calls do for the cases on channels in the order in which they were
// looked at: of several on one channel any may stand first in its queue.
//
//go:norace
func (s *Select) inOrder(do func(lockable)) {
	for _, i := range s.order {
		if l, ok := s.cases[i].(lockable); ok {
			do(l)
		}
	}
}

// clear forgets what the losing cases offered.
//
//go:norace
func (s *Select) clear(chosen int) {
	for _, l := range s.chans {
		if l.index() != chosen {
			l.clear()
		}
	}
}

// prepareWait gives the ticket what it needs to wait. All channels are locked.
// Without a channel of ours and without another medium nobody can ring.
//
//go:norace
func (s *Select) prepareWait(ctx context.Context) {
	s.atDoor = false
	if len(s.locks) == 0 && len(s.foreigns) == 0 {
		return
	}
	home, inside := true, false
	for _, l := range s.locks {
		home = home && l.inside()
		inside = inside || l.inside()
	}
	if park.Fast && !inside && len(s.locks) > 0 && len(s.natives) == 0 && len(s.timers) == 0 && ctx.Done() == nil {
		s.atDoor = true
		s.tk.SetDoor(&s.door)
		return
	}
	if s.bell == nil {
		s.bell, s.fates[park.Bell] = s.wakeChannel(park.Bell, home)
	}
	s.tk.SetBell(s.bell)
	if s.watchesNative() {
		if s.hand == nil {
			s.hand, s.fates[park.Hand] = s.wakeChannel(park.Hand, home)
		}
		s.tk.SetHand(s.hand)
	}
}

// wakeChannel is park.New. Where no channel of ours says on which side of a
// bubble this select lives, it lives where it is used, for this turn.
//
//go:norace
func (s *Select) wakeChannel(kind park.Kind, home bool) (chan struct{}, park.Fate) {
	c, fate := park.New(kind, home)
	if len(s.locks) == 0 {
		fate = park.Drop
	}
	return c, fate
}

//go:norace
func (s *Select) watchesNative() bool {
	for _, n := range s.natives {
		if !s.off[n.index()] {
			return true
		}
	}
	return false
}

// leave ends the turn: nothing of it stays behind in any queue. Whoever completed
// the chosen case took it out of its own.
//
//go:norace
func (s *Select) leave(chosen int) {
	for _, l := range s.chans {
		if l.index() != chosen {
			l.lock()
			l.dequeue()
			l.unlock()
		}
	}
	s.withdraw()
	if s.atDoor {
		s.door.Hush()
		return
	}
	select { // a release may have rung for a turn that ended otherwise
	case <-s.bell:
	default:
	}
	s.bell = s.keep(park.Bell, s.bell)
	s.hand = s.keep(park.Hand, s.hand)
}

// keep returns c if the next turn may use it.
//
//go:norace
func (s *Select) keep(kind park.Kind, c chan struct{}) chan struct{} {
	fate := s.fates[kind]
	if c == nil || fate == park.Keep {
		return c
	}
	if fate == park.Lent && !s.tk.Released() {
		park.Return(kind, c) // after a release a late ring may still come to it
	}
	s.fates[kind] = park.Keep
	return nil
}

// offer shows the ticket to the media of the foreign cases, withdraw takes it
// back.
//
//go:norace
func (s *Select) offer() {
	for _, f := range s.foreigns {
		if !s.off[f.i] {
			f.foreign.Offer(&s.tk, f.i)
			s.offered = true
		}
	}
}

//go:norace
func (s *Select) withdraw() {
	if !s.offered {
		return
	}
	s.offered = false
	for _, f := range s.foreigns {
		if !s.off[f.i] {
			f.foreign.Withdraw(&s.tk)
		}
	}
}

// giveUp leaves the case that won the ticket, for cause, without waiting for a
// settlement, and returns its index. A case that was completed meanwhile ends as
// it did. Cases of this process are won under the lock of their channel, so
// with every lock held they can be looked at; if it is none of them, another
// medium has the ticket and will ring.
//
//go:norace
func (s *Select) giveUp(cause error) int {
	s.lockAll()
	for _, l := range s.chans {
		if l.held(cause) {
			s.unlockAll()
			return l.index()
		}
	}
	s.unlockAll()
	for !s.tk.Over() {
		<-s.tk.Bell()
	}
	return s.tk.Winner()
}

// reconsider looks at every case again after a claim was released: what passed
// this select over in the meantime may be waiting for it.
//
//go:norace
func (s *Select) reconsider() {
	for _, k := range rand.Perm(len(s.chans)) {
		l := s.chans[k]
		l.lock()
		l.retry()
		l.unlock()
		l.flush()
	}
}

// cancelled returns the outcome of a select whose context ended first.
//
//go:norace
func cancelled(ctx context.Context) (int, error) { return -1, fault.Cancelled(ctx) }
