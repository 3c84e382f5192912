package shm

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Segment is a segment as one process sees it. Its sizes were read once, and
// checked: nothing that is written into the segment later can lead outside it.
type Segment struct {
	geometry
	words       []uint64
	pool        []byte // the pages
	budget      int    // how many words a transaction may read
	typ         string
	dead        string // where the dead letter is
	maxAttempts int
	maxHold     time.Duration
	auto        bool
	born        [16]byte
	node        uint32 // names this process in tickets

	broken atomic.Pointer[string] // what is damaged, once it was seen

	// Ring wakes a member of another process.
	Ring func(Name)
	// Seat takes a free seat for who is about to sit down on it, until leave: see Join. It is
	// not ok if somebody else has taken it. Nil where all members are of this process.
	Seat func(i uint32) (leave func(), ok bool, err error)
	// Clock is the time that all processes share, in ns.
	Clock func() int64

	step func(*Member) // for tests: comes before each swap of a shared word

	local []atomic.Pointer[Member] // by number: the members of this process
	ours  atomic.Int32             // how many they are
	lent  atomic.Int64             // blocks and values that this process may look at in place
}

// processNode names this process in the tickets of its selects: with their numbers, which
// are its own, they have an order that all processes agree on.
var processNode = rand.Uint32()

// maxBudget is how many words a transaction reads at most: some seconds, of a segment that is damaged.
const maxBudget = 1 << 28

// Load looks at words, which may hold anything, and returns the segment they are.
func Load(words []uint64) (*Segment, error) {
	if len(words) < globalsEnd || words[hdMagic] != magic {
		return nil, driver.Because(driver.ErrConflict, "no segment of handoff")
	}
	if form := words[hdVersion]; form != formOf() {
		return nil, driver.Because(driver.ErrConflict, "a segment of version, byte order, word size and page size %#x; this program has %#x", form, formOf())
	}
	g, ok := place(words[hdSlots], words[hdRecords], words[hdWaiters], words[hdMembers], words[hdPages])
	switch {
	case !ok, uint64(g.words) != words[hdWords]:
		return nil, driver.Because(driver.ErrConflict, "a segment whose sizes contradict each other")
	case len(words) < int(g.words):
		return nil, driver.Because(driver.ErrConflict, "a segment that is cut off: %d words of %d", len(words), g.words)
	case words[hdTypeLen] > maxTypeLen:
		return nil, driver.Because(driver.ErrConflict, "a segment with a type of %d bytes", words[hdTypeLen])
	case words[hdDeadLen] > 8*hdDeadWords:
		return nil, driver.Because(driver.ErrConflict, "a segment with a dead letter whose name has %d bytes", words[hdDeadLen])
	case words[hdMaxValue] > uint64(max(inlineWords*8, int(g.pages)*pageBytes)):
		return nil, driver.Because(driver.ErrConflict, "a segment with maxvalue=%d and a pool of %d bytes", words[hdMaxValue], g.pages*pageBytes)
	}
	g.maxValue = int(words[hdMaxValue])
	s := &Segment{geometry: g, words: words[:g.words], local: make([]atomic.Pointer[Member], g.members)}
	s.pool = bytesOf(s.words[g.poolAt:])
	// Lists are walked once, but that those who wait and may not meet are compared with each other.
	s.budget = int(min(8*(uint64(g.records)+uint64(g.waiters)+uint64(g.members)+uint64(g.pages))+4*uint64(g.waiters)*uint64(g.waiters)+4096, maxBudget))
	s.typ = string(bytesOf(words[hdType:hdAttempts])[:words[hdTypeLen]])
	s.dead = string(bytesOf(words[hdDead:hdPlace])[:words[hdDeadLen]])
	s.maxAttempts = int(min(words[hdAttempts], 1<<16-1)) // more are not counted
	s.maxHold = time.Duration(words[hdMaxHold])
	s.auto = words[hdFlags]&flagAutoClose != 0
	binary.LittleEndian.PutUint64(s.born[:8], words[hdBorn])
	binary.LittleEndian.PutUint64(s.born[8:], words[hdBorn+1])
	s.node = processNode
	start := time.Now()
	s.Clock = func() int64 { return int64(time.Since(start)) }
	return s, nil
}

// Params is what the segment was made for.
func (s *Segment) Params() Params {
	return Params{Slots: int(s.slots), MaxValue: s.maxValue, Waiters: int(s.waiters), Members: int(s.members), Pool: int(s.pages) * pageBytes,
		Type: s.typ, MaxHold: s.maxHold, Attempts: s.maxAttempts, Dead: s.dead, AutoClose: s.auto, Born: s.born, Place: [2]uint64{s.words[hdPlace], s.words[hdPlace+1]}}
}

func (s *Segment) damage(what string) { s.broken.CompareAndSwap(nil, &what) }

// damaged is the error of every operation once the segment was found damaged.
func (s *Segment) damaged() error {
	if what := s.broken.Load(); what != nil {
		return driver.Because(driver.ErrUnreachable, "the segment is damaged: %s", *what)
	}
	return nil
}

func (s *Segment) descriptor(member uint32) uint32 { return s.describeAt + member*descriptorWords }
func (s *Segment) memberWord(member uint32) uint32 { return s.memberAt + member*memberWords }

// isHere reports whether the member is of this process.
func (s *Segment) isHere(member uint32) bool {
	return member < s.members && s.local[member].Load() != nil
}

// member returns a member of this process, or nil.
func (s *Segment) member(i uint32) *Member {
	if i >= s.members {
		return nil
	}
	return s.local[i].Load()
}

// Anybody returns a member of this process, or nil if there is none.
func (s *Segment) Anybody() *Member {
	for i := range s.local {
		if m := s.local[i].Load(); m != nil {
			return m
		}
	}
	return nil
}

// InUse reports whether somebody of this process may still look at memory of the segment: a block was
// not given back, or a value that was taken in place not settled.
func (s *Segment) InUse() bool { return s.lent.Load() > 0 }

func (s *Segment) waiterWord(w uint32) uint32 { return s.geometry.waiterAt + w*waiterWords }
