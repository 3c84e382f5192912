package shm

import (
	"context"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"runtime/debug"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
)

var seed = flag.Uint64("shm.seed", 0, "seed of the random tests, 0 for a new one")

// used returns a segment in which something of everything has happened.
func used(t testing.TB) []uint64 {
	about := About{Name: "used", Send: true, Receive: true}
	p := Params{Slots: 4, Waiters: 16, Members: 4, Pool: 16 * pageBytes, Founder: Founder{ID: [16]byte{1}, About: about}}
	words := memory(t, p)
	s, err := Load(words)
	if err != nil {
		t.Fatal(err)
	}
	a := s.Founded([16]byte{1}, about)
	begin(a, sends("a", "b", "c", string(make([]byte, 5000)), "d", "e"))
	begin(a, driver.Op{Kind: driver.OpTake, Max: 2})
	begin(a, driver.Op{Kind: driver.OpAwaitStop})
	return words
}

// doAll does a bit of everything with what words are, which may be anything.
func doAll(words []uint64) {
	s, err := Load(words)
	if err != nil {
		return
	}
	s.Ring = func(Name) {}
	s.Peek()
	sound := attachSound(nil)
	m, err := s.Join([16]byte{2}, 2, false, About{Name: "hostile", Send: true, Receive: true, Grave: sound})
	if err != nil {
		return
	}
	// Values go to their dead letter from here, and come here as dead letters.
	begin(m, sends("dead"))
	if x := begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true}); len(x.Got) == 1 {
		begin(m, driver.Op{Kind: driver.OpReject, Hold: x.Got[0].Hold, Reason: "no"})
	}
	source := attachSound(m)
	begin(source, sends("dead"))
	if x := begin(source, driver.Op{Kind: driver.OpTake, Max: 1, Try: true}); len(x.Got) == 1 {
		begin(source, driver.Op{Kind: driver.OpReject, Hold: x.Got[0].Hold, Reason: "no"})
	}
	begin(m, sends("x", "y"))
	begin(m, receives(3))
	if x := begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true}); len(x.Got) == 1 {
		begin(m, driver.Op{Kind: driver.OpReturn, Hold: x.Got[0].Hold})
	}
	x := begin(m, sends(string(make([]byte, 5000))))
	m.Cancel(x.Op, context.Canceled)
	for _, n := range []int{8, 5000} {
		loan, _ := m.Borrow(n)
		for i := range m.Memory(loan) {
			m.Memory(loan)[i] = 1
		}
		y := begin(m, driver.Op{Kind: driver.OpSend, Loan: loan, Try: true})
		m.Cancel(y.Op, context.Canceled)
		m.Repay(loan)
	}
	if x := begin(m, driver.Op{Kind: driver.OpTake, Max: 2, Try: true, InPlace: true}); len(x.Got) > 0 {
		for i := range m.Held(x.Got[0].Hold) {
			_ = m.Held(x.Got[0].Hold)[i]
		}
		begin(m, driver.Op{Kind: driver.OpReject, Hold: x.Got[0].Hold, InPlace: true})
	}
	m.Collect()
	m.Stats()
	all, _ := s.Joined()
	for _, who := range all {
		if who.ID != m.id {
			m.Clear(who)
		}
	}
	begin(m, driver.Op{Kind: driver.OpClose})
	m.Detach(context.Background())
}

// attachSound returns a member of a new segment, with the dead letter grave.
func attachSound(grave *Member) *Member {
	about := About{Name: "sound", Send: true, Receive: true, Grave: grave}
	p := Params{Slots: 2, Waiters: 4, Members: 2, Pool: pageBytes, Founder: Founder{ID: [16]byte{3}, About: about}}
	size, _ := p.Size()
	words := make([]uint64, size/8)
	if err := Make(words, p); err != nil {
		panic(err)
	}
	s, err := Load(words)
	if err != nil {
		panic(err)
	}
	return s.Founded([16]byte{3}, about)
}

// TestHostile writes anything anywhere: nothing may panic, or go on for ever.
func TestHostile(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-shm.seed=%d", *seed)
	rnd := rand.New(rand.NewPCG(*seed, 0))
	clean := used(t)
	for range 3000 {
		words := append([]uint64(nil), clean...)
		for range 1 + rnd.IntN(12) {
			at := rnd.IntN(len(words))
			if rnd.IntN(4) > 0 { // where it matters most
				at = firstWord - 20 + rnd.IntN(len(words)/4)
			}
			switch rnd.IntN(3) {
			case 0:
				words[at] = rnd.Uint64()
			case 1:
				words[at] = uint64(rnd.IntN(64))
			default:
				words[at] ^= 1 << rnd.IntN(64)
			}
		}
		done := make(chan struct{})
		go func() { defer close(done); doAll(words) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			debug.SetTraceback("all")
			panic("it does not end")
		}
	}
}

// FuzzContents is TestHostile with what a fuzzer thinks of.
func FuzzContents(f *testing.F) {
	clean := used(f)
	g, err := Params{Slots: 4, Waiters: 16, Members: 4, Pool: 16 * pageBytes}.geometry()
	if err != nil {
		f.Fatal(err)
	}
	// The first word of everything that leads somewhere, and what it may lead to: nothing, itself, the last, one more.
	for _, at := range []uint32{hdWords, hdSlots, hdRecords, hdTypeLen, hdDeadLen, hdAttempts, headAt, gTail, gReady, gNoSlot, gTakers, gFree,
		gNoWaiter, gPages, gStopped, g.memberAt + mStack, g.memberAt + mDone, g.describeAt, g.describeAt + 1, g.buryAt + buryTurn,
		g.waiterAt + waiterWords + wState, g.waiterAt + waiterWords + wNext, g.recordAt + recordWords + eState,
		g.recordAt + recordWords + eNext, g.recordAt + recordWords + ePrev, g.recordAt + recordWords + eExtent, g.recordAt + recordWords + eSize,
		g.recordAt + 4*recordWords + eExtent, g.recordAt + 4*recordWords + eSize, g.pageAt + pageWords + pTag, g.pageAt + pageWords + pNext} {
		for _, v := range []uint16{0, 1, uint16(g.records), uint16(g.records + 1), 0xffff} {
			f.Add(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{4, byte(at >> 16)}, uint16(at)), v))
		}
	}
	f.Fuzz(func(t *testing.T, edits []byte) {
		words := append([]uint64(nil), clean...)
		for ; len(edits) >= 6; edits = edits[6:] {
			// Which of the four parts of the word, or all of them; where; what.
			at := (int(edits[1])<<16 | int(edits[2])<<8 | int(edits[3])) % len(words)
			v := uint64(edits[4])<<8 | uint64(edits[5])
			if part := edits[0] % 5; part < 4 {
				words[at] = words[at]&^(0xffff<<(16*part)) | v<<(16*part)
			} else {
				words[at] = v
			}
		}
		done := make(chan struct{})
		go func() { defer close(done); doAll(words) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			debug.SetTraceback("all")
			panic("it does not end")
		}
	})
}
