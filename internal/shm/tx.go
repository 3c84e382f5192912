package shm

import (
	"sync/atomic"

	"github.com/handoff-go/handoff/driver"
)

// A transactional word is version:32 | value:32. The version is the low half of
// the number of the transaction that wrote it.
//
// The head is number:48 | member:15 | pending:1: the last transaction, whose it
// is, and whether some of it may still have to be written.
const (
	headPending = 1
	headMembers = 1<<15 - 1
)

func headOf(number uint64, member uint32) uint64 {
	return number<<16 | uint64(member)<<1 | headPending
}

// maxWrites is how many words one transaction changes at most. What needs more is
// cut into several, each of which leaves a valid state.
const maxWrites = 256

// few is how many writes are searched one by one.
const few = 12

// write is one word that a transaction changes.
type write struct {
	off, new uint32
	old      uint64
}

// tx is one transaction of a member while it is built, and what has to follow its
// commit. It is used under the member's lock.
type tx struct {
	s      *Segment
	m      *Member
	head   uint64 // the state it builds on
	writes []write
	index  [512]uint16 // position+1 in writes by a hash of the offset, once there are more than few
	budget int         // reads left: every loop over links ends
	bad    string      // what cannot be so, unless the head has moved

	own    uint32 // the waiter of the operation that is being done
	ended  bool   // it has ended
	result result
	reason uint32 // record with the reason, for a rejection
	n      int    // of a send: how many values have left
	taken  []uint32
	short  bool // there is more to be taken, for which there was no room
	pushed int  // how many records the stack has gained
	lends  bool // what is sent is a block

	due    int64    // the first end of a hold or a rest that this transaction has begun, ms; 0 for none
	turned []uint32 // batches whose turn it is
	full   bool     // a step of move did not fit: gDirty stays
	served []uint32 // receivers that have a value and may take more
	woken  []uint32 // members that something has ended for
	told   []told

	burials []burial // values that this transaction has marked to be buried
}

// begin makes t empty, on the state that is now. What another member has
// committed and not written yet is written first.
func (t *tx) begin() {
	t.writes = t.writes[:0]
	t.bad, t.budget = "", t.s.budget
	t.own, t.ended, t.result, t.reason, t.n, t.pushed = 0, false, resOK, 0, 0, 0
	t.taken, t.woken, t.told = t.taken[:0], t.woken[:0], t.told[:0]
	t.short, t.full, t.lends = false, false, false
	t.burials = t.burials[:0]
	t.turned, t.served, t.due = t.turned[:0], t.served[:0], 0
	for {
		t.head = t.s.load(headAt)
		if t.head&headPending == 0 {
			return
		}
		if t.s.Ring != nil && t.s.settles(t.head) {
			continue
		}
		if !t.s.help(t.m, t.head) {
			t.bad = "a transaction that cannot be written"
			return
		}
	}
}

// Who commits writes what it has committed in a fraction of a microsecond, and does not need help, but
// for the case that its process is dead or stopped. So who finds a transaction pending looks
// a while before it helps: both would move the same lines of the cache to and fro.
const (
	helpAfter = 100  // looks
	stall     = 2000 // turns of an empty loop, some 0.7 µs
)

// settles waits for the end of the transaction of head, for a while.
func (s *Segment) settles(head uint64) bool {
	for range helpAfter {
		if s.load(headAt) != head {
			return true
		}
	}
	return false
}

// find returns the position of off in writes, or -1.
func (t *tx) find(off uint32) int {
	if len(t.writes) <= few {
		for i := range t.writes {
			if t.writes[i].off == off {
				return i
			}
		}
		return -1
	}
	for h := off * 0x9e3779b1 >> 23; ; h = (h + 1) % uint32(len(t.index)) {
		i := int(t.index[h]) - 1
		if i < 0 || t.writes[i].off == off {
			return i
		}
	}
}

// get returns the value of the word at off. Words that the transaction itself has written count
// too: built on a mixture of states, it may have made a list without an end of its own.
func (t *tx) get(off uint32) uint32 {
	if t.budget--; t.budget < 0 || t.bad != "" {
		t.fail("a list without an end")
		return 0
	}
	if i := t.find(off); i >= 0 {
		return t.writes[i].new
	}
	return uint32(t.s.load(off))
}

// set changes the value of the word at off.
func (t *tx) set(off, v uint32) {
	if i := t.find(off); i >= 0 {
		t.writes[i].new = v
		return
	}
	old := t.s.load(off)
	if uint32(old) == v || t.bad != "" {
		return
	}
	if len(t.writes) == maxWrites {
		t.fail("a transaction that is too large")
		return
	}
	t.writes = append(t.writes, write{off, v, old})
	switch n := len(t.writes); {
	case n == few+1:
		clear(t.index[:])
		for i := range t.writes {
			t.hash(i)
		}
	case n > few:
		t.hash(n - 1)
	}
}

func (t *tx) hash(i int) {
	h := t.writes[i].off * 0x9e3779b1 >> 23
	for t.index[h] != 0 {
		h = (h + 1) % uint32(len(t.index))
	}
	t.index[h] = uint16(i + 1)
}

// add adds d to the word at off.
func (t *tx) add(off, d uint32) uint32 {
	v := t.get(off) + d
	t.set(off, v)
	return v
}

// fail notes that what was read cannot be a state of the channel. Either it is a
// mixture of two, and the commit will fail, or the segment is damaged.
func (t *tx) fail(why string) {
	if t.bad == "" {
		t.bad = why
	}
}

// room reports whether n more words fit.
func (t *tx) room(n int) bool { return len(t.writes)+n <= maxWrites }

// commit makes the transaction the next state, if it builds on the one that is now.
// It returns false if not: it has to be built anew.
func (t *tx) commit() bool {
	s := t.s
	if t.bad != "" {
		if s.load(headAt) == t.head {
			s.damage(t.bad)
		}
		return false
	}
	if len(t.writes) == 0 {
		return s.load(headAt) == t.head
	}
	d := s.descriptor(t.m.index)
	for i, w := range t.writes {
		at := d + 1 + uint32(2*i)
		s.note(at, uint64(w.off)<<32|uint64(w.new))
		s.note(at+1, w.old)
	}
	s.note(d, uint64(len(t.writes)))
	number := t.head>>16 + 1
	head := headOf(number, t.m.index)
	t.m.point(PointBuilt)
	if !s.swap(t.m, headAt, t.head, head) {
		return false
	}
	t.m.point(PointCommitted)
	for _, w := range t.writes {
		s.swap(t.m, w.off, w.old, number<<32|uint64(w.new))
	}
	t.m.point(PointApplied)
	s.swap(t.m, headAt, head, head&^headPending)
	return true
}

// help writes what the transaction of head still has to write. It returns false
// if it is none.
//
// A helper may be as late as it likes. It reads an entry, and then sees that the
// transaction is still pending, so it was this one's entry: a descriptor is written
// anew only after its transaction has ended. Its swap names the word it replaces
// with its version, and a word never has an old version again. (It would, if the
// helper stopped between two instructions for exactly a multiple of 2^32
// transactions.)
func (s *Segment) help(by *Member, head uint64) bool {
	member := uint32(head>>1) & headMembers
	if member >= s.members {
		return s.load(headAt) != head
	}
	d := s.descriptor(member)
	n := s.load(d)
	if n > maxWrites {
		return s.load(headAt) != head
	}
	version := head >> 16 << 32
	for i := range uint32(n) {
		what, old := s.load(d+1+2*i), s.load(d+2+2*i)
		off := uint32(what >> 32)
		if off < firstWord || off >= uint32(len(s.words)) {
			return s.load(headAt) != head
		}
		if s.load(off) != old {
			continue // it is written
		}
		if s.load(headAt) != head {
			return true
		}
		s.swap(by, off, old, version|what&0xffffffff)
	}
	s.swap(by, headAt, head, head&^headPending)
	return true
}

func (s *Segment) load(off uint32) uint64 { return atomic.LoadUint64(&s.words[off]) }

// swap is a compare-and-swap of a shared word: one step that another process sees.
func (s *Segment) swap(by *Member, off uint32, old, new uint64) bool {
	if s.step != nil {
		s.step(by)
	}
	return atomic.CompareAndSwapUint64(&s.words[off], old, new)
}

// told is an event of a transaction.
type told struct {
	kind       driver.EventKind
	op, reason string
	attempt    int
}

func (t *tx) tell(kind driver.EventKind, op, reason string, attempt int) {
	t.told = append(t.told, told{kind, op, reason, attempt})
}
