package shm

import (
	"context"
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
	size, _, _ := p.Size()
	words := make([]uint64, size/8)
	if err := Make(words, p); err != nil {
		t.Fatal(err)
	}
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
	m, err := s.Join([16]byte{2}, 2, false, About{Name: "hostile", Send: true, Receive: true})
	if err != nil {
		return
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
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	f.Fuzz(func(t *testing.T, edits []byte) {
		words := append([]uint64(nil), clean...)
		for ; len(edits) >= 4; edits = edits[4:] {
			at := (int(edits[0])<<8 | int(edits[1])) * 7 % len(words)
			words[at] = words[at]&^0xffff | uint64(edits[2])<<8 | uint64(edits[3])
		}
		doAll(words)
	})
}
