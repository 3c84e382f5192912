package ticket

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func newTicket() *Ticket {
	t := &Ticket{}
	t.Reset()
	t.SetBell(make(chan struct{}, 1))
	return t
}

func TestStates(t *testing.T) {
	tk := newTicket()
	if tk.State() != Waiting || tk.Dead() || tk.Over() {
		t.Fatal("a new ticket is not waiting")
	}
	if tk.Claim() != Won || tk.State() != Claimed {
		t.Fatal("a waiting ticket cannot be claimed")
	}
	if tk.Win(1) != Busy || tk.Claim() != Busy || tk.Reserve() != Busy {
		t.Fatal("a claimed ticket does not answer busy")
	}
	if tk.Abort() {
		t.Fatal("its owner gave up a claimed ticket")
	}
	tk.Release()
	if tk.State() != Waiting || tk.Over() || !tk.Released() {
		t.Fatal("a released ticket is not waiting")
	}
	if tk.Claim() != Busy || tk.Reserve() != Won {
		t.Fatal("until the owner has looked, only this process may have the ticket")
	}
	tk.Release()
	tk.Looked()
	if tk.Win(3) != Won || tk.State() != Synced || tk.Over() {
		t.Fatal("a waiting ticket cannot be won, or is over before the ring")
	}
	<-tk.Bell() // of the release
	tk.Ring()
	<-tk.Bell()
	if !tk.Over() || tk.Winner() != 3 {
		t.Fatal("after the ring the winner is not known")
	}
	if tk.Win(1) != Gone || tk.Claim() != Gone || tk.Abort() {
		t.Fatal("a won ticket was had again")
	}
	tk.Reset()
	if !tk.Abort() || tk.Win(1) != Gone || tk.Claim() != Gone {
		t.Fatal("an abandoned ticket was had")
	}
}

func TestClaimConfirmed(t *testing.T) {
	tk := newTicket()
	tk.Claim()
	tk.Confirm(2)
	tk.Ring()
	<-tk.Bell()
	if !tk.Over() || tk.Winner() != 2 {
		t.Fatal(tk.Over(), tk.Winner())
	}
}

func TestNotify(t *testing.T) {
	tk := newTicket()
	rung := 0
	tk.Notify = func() { rung++ }
	tk.Win(0)
	tk.Ring()
	if rung != 1 {
		t.Fatal(rung)
	}
}

// TestOneOfManyWins lets many want one ticket at once, over and over.
func TestOneOfManyWins(t *testing.T) {
	for range 2000 {
		tk := newTicket()
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				if tk.Win(i) == Won {
					won.Add(1)
				}
			})
		}
		wg.Go(func() {
			if tk.Abort() {
				won.Add(1)
			}
		})
		wg.Go(func() {
			if tk.Claim() == Won {
				runtime.Gosched()
				tk.Confirm(9)
				won.Add(1)
			}
		})
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d had the ticket", won.Load())
		}
	}
}

// TestNativeCommitsOnce forces collisions between the runtime's select and a
// winner, a claimant that releases, and the owner's own way out. A native value
// is consumed or somebody else wins, never both.
func TestNativeCommitsOnce(t *testing.T) {
	turns := 20000
	if testing.Short() {
		turns = 2000
	}
	native := make(chan int, 1)
	fires := 0
	for turn := range turns {
		tk := newTicket()
		tk.SetHand(make(chan struct{}))
		start := make(chan struct{})
		var wins atomic.Int32
		var wg sync.WaitGroup
		wg.Go(func() { <-start; native <- 1 })
		wg.Go(func() {
			<-start
			if turn%3 == 0 && tk.Claim() == Won {
				tk.Release()
			}
			if tk.Win(7) == Won {
				wins.Add(1)
				tk.Ring()
			}
		})
		close(start)
		fired := waitNative(tk, native)
		wg.Wait()
		if fired {
			fires++
		} else {
			<-native // its value is still there
		}
		if fired == (wins.Load() == 1) {
			t.Fatalf("turn %d: native fired %v, others won %d times", turn, fired, wins.Load())
		}
	}
	if fires == 0 || fires == turns {
		t.Logf("one side won all %d turns: nothing collided", turns)
	}
}

// waitNative is what the owner of a select with one native case does.
func waitNative(tk *Ticket, native <-chan int) (fired bool) {
	for {
		if !tk.Arm() {
			<-tk.Bell()
		} else {
			select {
			case <-native:
				tk.Fire(0)
				return true
			case <-tk.Hand():
			case <-tk.Bell():
			}
			tk.Disarm()
		}
		if tk.Over() {
			return false
		}
		tk.Looked()
	}
}
