package engine

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync/atomic"
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
	order() uint64        // ascending lock order; the same for the same channel
	word() *atomic.Uint32 // of the lock
	lock()
	unlock()
	flush() // do what was collected under the lock
	// hints reports whether the case looks ready, without any lock.
	hints() bool
	// probe tries the case while no other channel is locked.
	probe(s *Select) verdict
	enqueue()
	enter() // its queue, and free the lock
	leave() // its queue
	sends() bool
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

	// For an AsyncSelect that is an offer, or meets one.
	join(o *Offer)
	part()
	back()
	granted()
	lingers(a *AsyncSelect) bool
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

// Hurried is a Foreign that can end its claim of the ticket before its time: the
// owner wants to give up because of cause. It is then to release or confirm soon.
type Hurried interface{ Hurry(cause error) }

// Freed is a Foreign that wants to be told that the ticket, which it may have found
// claimed, was released, and that its owner has looked at its own cases.
type Freed interface{ Freed() }

// Select is a set of cases to choose from, again and again. It must be used by
// one goroutine at a time.
type Select struct {
	cases    []armed          // nil: never ready
	ours     []lockable       // those of cases that are on channels of this engine, else nil
	chans    []lockable       // the same without the gaps
	senders  []lockable       // of chans
	locks    []lockable       // one for each channel, ascending
	words    []*atomic.Uint32 // of locks
	lockOf   []int32          // which of locks is the one of each case, or -1
	natives  []native
	foreigns []*foreignCase
	timers   []*timerCase
	fallback *defaultCase
	off      []bool
	home     bool // every channel was made inside a bubble
	inside   bool // some channel was

	order   []int32 // the cases that are on, as they are looked at
	settled bool    // order has the right cases
	natural bool    // order is ascending
	past    uint8   // a bit for each turn, the last one lowest: a channel was ready at once
	guess   [4]int8 // by the last two bits of past: above zero says that this turn will be like that
	mixed   bool    // some cases are on no channel of this engine
	stirred bool    // a case that was not ready has collected something
	beside  bool    // a look that does not wait: see TryNow

	tk      ticket.Ticket
	door    park.Door
	atDoor  bool   // this turn waits at the door, not at the bell
	dice    uint64 // state of the random numbers
	bell    chan struct{}
	hand    chan struct{}
	fates   [2]park.Fate // of hand and bell, by park.Kind
	timer   *time.Timer
	offered bool // the foreign cases know the ticket

	done  <-chan struct{} // of the context of this turn
	watch *selectWatch    // of a context that tells of its end, or nil
	told  bool            // this turn is under that context
	regular
	keen bool // it is time to ask the context
}

// few is how many cases a select has room for in one piece with it: most have no
// more, and a select that is used once is mostly what it allocates.
const few = 4

// room is for the lists of a Select.
type room struct {
	cases                       [few]armed
	ours, chans, senders, locks [few]lockable
	words                       [few]*atomic.Uint32
	order, lockOf               [few]int32
	off                         [few]bool
}

// NewSelect arms cases.
//
//go:norace
func NewSelect(cases []Case) *Select {
	if len(cases) > few {
		s := &Select{}
		s.Init(cases)
		return s
	}
	b := &struct {
		s Select
		r room
	}{}
	s, r, n := &b.s, &b.r, len(cases)
	s.cases, s.ours = r.cases[:n], r.ours[:n]
	s.chans, s.senders, s.locks = r.chans[:0], r.senders[:0], r.locks[:0]
	s.words, s.order, s.lockOf, s.off = r.words[:0], r.order[:0], r.lockOf[:n], r.off[:n]
	s.arm(cases)
	return s
}

// Init makes the zero Select one of cases.
//
//go:norace
func (s *Select) Init(cases []Case) {
	n := len(cases)
	s.cases, s.ours = make([]armed, n), make([]lockable, n)
	s.off = make([]bool, n)
	s.order, s.lockOf = make([]int32, 0, n), make([]int32, n)
	s.arm(cases)
}

// arm fills the lists, for which there is room.
//
//go:norace
func (s *Select) arm(cases []Case) {
	s.dice = rand.Uint64()
	for i, c := range cases {
		if c == nil {
			continue
		}
		s.add(c.arm(s, i), i)
	}
	s.mixed = len(s.natives)+len(s.timers)+len(s.foreigns) > 0
	byOrder := func(a, b lockable) int { return cmp.Compare(a.order(), b.order()) }
	slices.SortStableFunc(s.locks, byOrder)
	s.locks = slices.CompactFunc(s.locks, func(a, b lockable) bool { return a.order() == b.order() })
	s.home = true
	for _, l := range s.locks {
		s.words = append(s.words, l.word())
		s.home = s.home && l.inside()
		s.inside = s.inside || l.inside()
	}
	for i, l := range s.ours {
		s.lockOf[i] = -1
		if l != nil {
			at, _ := slices.BinarySearchFunc(s.locks, l, byOrder)
			s.lockOf[i] = int32(at)
		}
	}
}

//go:norace
func (s *Select) add(a armed, i int) {
	s.cases[i] = a
	switch a := a.(type) {
	case lockable:
		s.ours[i] = a
		s.chans = append(s.chans, a)
		s.locks = append(s.locks, a)
		if a.sends() {
			s.senders = append(s.senders, a)
		}
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
func (s *Select) Enable(i int, on bool) { s.off[i], s.settled = !on, false }

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
	s.hurry(cause)
	for !s.tk.Over() {
		if !s.atDoor {
			<-s.tk.Bell()
			continue
		}
		if s.door.Hush(); !s.tk.Over() {
			s.door.Wait()
		}
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
