//go:build !race

package shm

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// This file has somebody scribble over a segment while others are at work in it. Payload is plain memory,
// so the race detector would be right to complain: it is left out there.

// scribble changes a word of what s has, by atomic stores, as hostile contents are made.
func scribble(rnd *rand.Rand, s *Segment) {
	areas := []uint32{headAt, firstWord, gEnd, s.memberAt, s.describeAt, s.buryAt, s.geometry.waiterAt, s.geometry.recordAt, s.geometry.pageAt, s.poolAt}
	i := rnd.IntN(len(areas) - 1)
	words := s.words
	at := areas[i] + rnd.Uint32N(areas[i+1]-areas[i])
	switch rnd.IntN(4) {
	case 0:
		atomic.StoreUint64(&words[at], rnd.Uint64())
	case 1:
		atomic.StoreUint64(&words[at], uint64(rnd.IntN(64)))
	case 2:
		atomic.AddUint64(&words[at], 1)
	default:
		atomic.StoreUint64(&words[at], atomic.LoadUint64(&words[at])^1<<rnd.IntN(64))
	}
}

// busy does random things with m until it is told to end, and ends all it has begun.
func busy(m *Member, rnd *rand.Rand, turns *atomic.Int64, over *atomic.Bool) {
	var begun []*try
	start := func(op driver.Op) *try {
		x := begin(m, op)
		begun = append(begun, x)
		return x
	}
	recv := func() *driver.Op { return &driver.Op{Kind: driver.OpRecv, Max: 1} }
	for ; !over.Load(); turns.Add(1) {
		switch rnd.IntN(12) {
		case 0:
			start(sends("a", "b", "c"))
		case 1:
			start(sends(string(make([]byte, 5000))))
		case 2:
			start(*recv())
		case 3:
			start(receives(3))
		case 4, 5, 6:
			take := start(driver.Op{Kind: driver.OpTake, Max: 2, Try: true, InPlace: rnd.IntN(2) == 0})
			for i := 0; take.over() && i < len(take.Got); i++ {
				how := []driver.Kind{driver.OpDone, driver.OpReturn, driver.OpReject}[rnd.IntN(3)]
				hold := take.Got[i].Hold
				for _, b := range m.Held(hold) {
					_ = b
				}
				start(driver.Op{Kind: how, Hold: hold, InPlace: take.InPlace, Reason: "no"})
			}
		case 7:
			v := sends("s")
			start(driver.Op{Kind: driver.OpSelect, Try: rnd.IntN(2) == 0, Cases: []driver.Case{{Channel: m, Op: &v}, {Channel: m, Op: recv()}}})
		case 8:
			if loan, err := m.Borrow(1 + rnd.IntN(5000)); err == nil {
				clear(m.Memory(loan))
				start(driver.Op{Kind: driver.OpSend, Loan: loan, Try: true})
				m.Repay(loan)
			}
		case 9:
			m.Stats()
			m.s.Peek()
		case 10:
			m.Collect()
		case 11:
			start(driver.Op{Kind: driver.OpAwaitStop})
		}
		if len(begun) > 8 {
			m.Cancel(begun[0].Op, errors.New("given up"))
			begun = begun[1:]
		}
	}
	m.Detach(context.Background())
	for _, x := range begun {
		<-x.ended
	}
}

// TestScribbled has words of a segment changed while three members of two processes are at work in it: none
// may panic, or go on for ever.
func TestScribbled(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-shm.seed=%d", *seed)
	rnd := rand.New(rand.NewPCG(*seed, 1))
	damaged, rounds := 0, 0
	for begun := time.Now(); time.Since(begun) < 3*time.Second; rounds++ { // in some a list has no end, which takes its time
		done := make(chan bool)
		go func() { done <- scribbled(t, rnd) }()
		select {
		case was := <-done:
			if was {
				damaged++
			}
		case <-time.After(20 * time.Second):
			debug.SetTraceback("all")
			panic("it does not end")
		}
	}
	t.Logf("in %d of %d rounds somebody found the segment damaged", damaged, rounds)
	if damaged == 0 {
		t.Error("nobody ever found the segment damaged")
	}
}

func scribbled(t *testing.T, rnd *rand.Rand) (damaged bool) {
	about := About{Name: "scribbled", Send: true, Receive: true, Select: driver.SelectClaims}
	p := Params{Slots: 3, Waiters: 32, Members: 4, Pool: 16 * pageBytes, Founder: Founder{ID: [16]byte{1}, About: about}}
	words := memory(t, p)
	var members [3]*Member
	for i, at := range []int{0, 0, 1} {
		id := [16]byte{byte(i + 1)}
		var s *Segment
		if at == 0 && i > 0 {
			s = members[0].s
		} else {
			var err error
			if s, err = Load(words); err != nil {
				t.Fatal(err)
			}
			s.Ring = func(who Name) {
				if k := int(who.ID[0]) - 1; k >= 0 && k < len(members) {
					go members[k].Collect()
				}
			}
		}
		var err error
		if i == 0 {
			members[i] = s.Founded(id, about)
		} else if members[i], err = s.Join(id, i, false, about); err != nil {
			t.Fatal(err)
		}
	}
	var turns atomic.Int64
	var over atomic.Bool
	var wg sync.WaitGroup
	for i, m := range members {
		own := rand.New(rand.NewPCG(rnd.Uint64(), uint64(i)))
		wg.Go(func() { busy(m, own, &turns, &over) })
	}
	for range 1 + rnd.IntN(30) {
		for until := turns.Load() + rnd.Int64N(60); turns.Load() < until; {
			runtime.Gosched() // those at work have their turns
		}
		scribble(rnd, members[0].s)
	}
	over.Store(true)
	wg.Wait()
	return members[0].s.damaged() != nil || members[2].s.damaged() != nil
}

// TestDamageEndsWhatWaits: once the segment is known to be damaged all that waits ends, and says so; what
// became of a send nobody can say.
func TestDamageEndsWhatWaits(t *testing.T) {
	a, b, _ := twoProcesses(t, Params{})
	send, stop := begin(a, sends("v")), begin(a, driver.Op{Kind: driver.OpAwaitStop})
	v := sends("s")
	choice := begin(a, driver.Op{Kind: driver.OpSelect, Cases: []driver.Case{{Channel: a, Op: &v}}})
	b.s.words[gTail] = 1<<32 - 1
	if x := begin(a, sends("w")); !errors.Is(x.Err, driver.ErrUnreachable) {
		t.Fatalf("a send into a damaged segment: %v", x.Err)
	}
	for name, x := range map[string]*try{"send": send, "wait for a stop": stop, "select": choice} {
		if !x.over() || !errors.Is(x.Err, driver.ErrUnreachable) || errors.Is(x.Err, driver.ErrInDoubt) != (x == send) {
			t.Errorf("%s: over %v, %v", name, x.over(), x.Err)
		}
	}
}
