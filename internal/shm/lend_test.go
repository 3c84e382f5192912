package shm

import (
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// TestEveryStepOfABlock stops a process before every step of what it does with blocks, and has it be dead
// or go on: its memory is free in the end, and a value that it has sent or taken is received once at most, or comes back.
func TestEveryStepOfABlock(t *testing.T) {
	const size = 3 * pageBytes
	lent := func(m *Member) driver.Loan {
		loan, _ := m.Borrow(size) // who is dead gets none
		return loan
	}
	scenes := map[string]struct {
		slots int
		value bool // one is there before
		does  func(m *Member)
	}{
		"borrow and give back": {2, false, func(m *Member) { m.Repay(lent(m)) }},
		"send into a slot":     {2, false, func(m *Member) { begin(m, driver.Op{Kind: driver.OpSend, Loan: lent(m)}) }},
		"send that waits":      {0, false, func(m *Member) { begin(m, driver.Op{Kind: driver.OpSend, Loan: lent(m)}) }},
		"send that is cancelled": {0, false, func(m *Member) {
			loan := lent(m)
			x := begin(m, driver.Op{Kind: driver.OpSend, Loan: loan})
			m.Cancel(x.Op, driver.ErrTimeout)
			m.Repay(loan)
		}},
		"take and release": {2, true, func(m *Member) {
			if x := begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true, InPlace: true}); len(x.Got) == 1 {
				begin(m, driver.Op{Kind: driver.OpDone, Hold: x.Got[0].Hold, InPlace: true})
			}
		}},
	}
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			total := 0
			for _, dies := range []bool{true, false} {
				for k, reached := 0, true; reached; k++ {
					if reached = blockStop(t, s.slots, s.value, k, dies, s.does); t.Failed() {
						t.Fatalf("stopped before step %d, dies %v", k, dies)
					}
					total++
				}
			}
			t.Log(total, "stops")
		})
	}
}

func blockStop(t *testing.T, slots int, value bool, k int, dies bool, does func(*Member)) (reached bool) {
	w := newWorld(t, slots)
	if value {
		loan, err := w.others[0].Borrow(3 * pageBytes)
		if err != nil {
			t.Fatal(err)
		}
		begin(w.others[0], driver.Op{Kind: driver.OpSend, Loan: loan})
	}
	w.left = k
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		does(w.victim)
	}()
	select {
	case <-w.stopped:
		reached = true
	case <-finished:
	}
	w.left = -1
	w.check()
	got := w.takeAll()
	if reached && !dies {
		close(w.goOn)
		<-finished
		got += w.takeAll()
	}
	if err := w.others[0].Clear(Name{w.victim.index, w.victim.id}); err != nil {
		t.Fatal(err)
	}
	w.turn()
	if got += w.takeAll(); got > 1 {
		t.Errorf("%d values came of one", got)
	}
	w.atRest()
	for range w.victim.s.pages * pageBytes / uint32(w.victim.s.maxValue) {
		if _, err := w.others[1].Borrow(w.victim.s.maxValue); err != nil {
			t.Fatalf("memory is not free again: %v", err)
		}
	}
	if reached && dies {
		w.victim.s.damage("it is dead") // what it still does, it does to itself
		w.victim.s.words = make([]uint64, len(w.words))
		close(w.goOn)
		<-finished
	}
	return reached
}

// takeAll receives all there is, and reports how many.
func (w *world) takeAll() (n int) {
	for {
		x := begin(w.others[0], receives(1))
		w.turn()
		if !x.over() || x.NotReady || x.Err != nil {
			return n
		}
		n++
	}
}
