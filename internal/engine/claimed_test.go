package engine

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/ticket"
)

// remote hands its ticket to the test.
type remote struct{ tk chan *ticket.Ticket }

func newRemote() *remote                         { return &remote{make(chan *ticket.Ticket, 1)} }
func (r *remote) Offer(tk *ticket.Ticket, _ int) { r.tk <- tk }
func (r *remote) Withdraw(*ticket.Ticket)        {}
func (r *remote) Finish() error                  { return nil }

// toggler claims and releases as fast as it can until withdrawn.
type toggler struct {
	stop chan struct{}
	wg   sync.WaitGroup
}

func (r *toggler) Offer(tk *ticket.Ticket, _ int) {
	r.stop = make(chan struct{})
	stop := r.stop
	r.wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			switch tk.Claim() {
			case ticket.Won:
				tk.Release()
			case ticket.Gone:
				return
			}
		}
	})
}
func (r *toggler) Withdraw(*ticket.Ticket) { close(r.stop); r.wg.Wait() }
func (r *toggler) Finish() error           { return nil }

func newTest(slots int) (*Chan[int], *Attach) {
	c := New[int](Config{Slots: slots}, nil)
	return c, c.Attach(true, true)
}

// A Stop while the ticket is claimed is lost.
func TestStopWhileClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := newTest(0)
		r := newRemote()
		var got int = -9
		go func() {
			got, _ = NewSelect([]Case{&StopCase[int]{C: c, A: a}, ForeignCase{r}}).Do(context.Background(), nil, false)
		}()
		tk := <-r.tk
		synctest.Wait()
		tk.Claim()
		c.Stop(a, "x")
		tk.Release()
		synctest.Wait()
		if got != 0 {
			tk.Claim()
			tk.Confirm(1)
			tk.Ring()
			synctest.Wait()
			t.Fatal("OnStop never fires after a stop that met a claimed ticket")
		}
	})
}

// A Detach while the ticket is claimed is lost: the select waits on.
func TestDetachWhileClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := newTest(0)
		r := newRemote()
		got := -9
		var err error
		go func() {
			got, err = NewSelect([]Case{&RecvCase[int]{C: c, A: a}, ForeignCase{r}}).Do(context.Background(), nil, false)
		}()
		tk := <-r.tk
		synctest.Wait()
		tk.Claim()
		c.Detach(a, "x")
		tk.Release()
		synctest.Wait()
		if got != 0 {
			tk.Claim()
			tk.Confirm(1)
			tk.Ring()
			synctest.Wait()
			t.Fatal("a select on a detached attachment waits for ever", got, err)
		}
	})
}

// A stale ring of a release makes a held send look settled.
func TestReleaseThenTake(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, func(t *testing.T) {
		c, a := newTest(0)
		r := newRemote()
		got := -9
		v := 1
		go func() {
			got, _ = NewSelect([]Case{&SendCase[int]{C: c, A: a, V: &v}, ForeignCase{r}}).Do(context.Background(), nil, false)
		}()
		tk := <-r.tk
		synctest.Wait()
		tk.Claim()
		tk.Release()
		g := c.Take(context.Background(), a)
		synctest.Wait()
		if got != -9 {
			t.Fatalf("select returned %d while its value is held without a slot", got)
		}
		g.Hold.Done()
		synctest.Wait()
		if got != 0 {
			t.Fatal(got)
		}
	})
}

// A take whose ticket is released between the look at its state and the win gets
// a slot that is not there: TrySend says true on a rendezvous with only a Take.
func TestTryMeetsTakeReleased(t *testing.T) {
	c, a := newTest(0)
	r := &toggler{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			NewSelect([]Case{&TakeCase[int]{C: c, A: a, Do: func(g *Got[int], ok bool) {
				if ok {
					g.Hold.Done()
				}
			}}, ForeignCase{r}}).Do(ctx, nil, false)
		}
	})
	defer wg.Wait()
	defer cancel()
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		if ok, _ := c.TrySend(a, new(1), nil); ok {
			s := c.Stats()
			t.Fatalf("TrySend succeeded into a Take without a slot; %+v", s)
		}
	}
}

// A receiver that was passed over while claimed, and released just then, is
// given a newer value than the one put into a slot meanwhile.
func TestReleasedReceiverSkipsOlder(t *testing.T) {
	c, a := newTest(2)
	r := &toggler{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	bad := make(chan [2]int, 1)
	wg.Go(func() {
		last := 0
		for ctx.Err() == nil {
			NewSelect([]Case{&RecvCase[int]{C: c, A: a, Do: func(g *Got[int], ok bool) {
				if g.Val <= last {
					select {
					case bad <- [2]int{last, g.Val}:
					default:
					}
				}
				last = g.Val
			}}, ForeignCase{r}}).Do(ctx, nil, false)
		}
	})
	defer wg.Wait()
	defer cancel()
	i := 0
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		i += 2
		vs := []int{i, i + 1}
		c.SendAll(ctx, a, vs, nil, 0)
		select {
		case b := <-bad:
			t.Fatalf("received %d and then %d", b[0], b[1])
		default:
		}
	}
}

// The owner of a ticket sees Synced by the ring of an earlier release, before
// the winner wrote which case it was.
func TestWinnerReadTooEarly(t *testing.T) {
	c, a := newTest(0)
	r := &toggler{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			got := 0
			i, err := NewSelect([]Case{&RecvCase[int]{C: c, A: a, Do: func(g *Got[int], ok bool) { got = g.Val }}, ForeignCase{r}}).Do(ctx, nil, false)
			if err == nil && (i != 0 || got != 7) {
				t.Errorf("select returned %d, got %d", i, got)
				return
			}
		}
	})
	defer wg.Wait()
	defer cancel()
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end) && !t.Failed(); {
		c.TrySend(a, new(7), nil)
	}
}

// While a receiver's ticket is claimed elsewhere, the owner of a sender's select
// spins: pair claims the sender, finds the receiver busy, and the release makes
// the sender look again.
func TestPairSpins(t *testing.T) {
	c, a := newTest(0)
	rr, rs := newRemote(), newRemote()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		NewSelect([]Case{&RecvCase[int]{C: c, A: a}, ForeignCase{rr}}).Do(ctx, nil, false)
	})
	tkr := <-rr.tk
	tkr.Claim()
	v := 1
	s := NewSelect([]Case{&SendCase[int]{C: c, A: a, V: &v}, ForeignCase{rs}})
	wg.Go(func() { s.Do(ctx, nil, false) })
	tks := <-rs.tk
	tks.Claim()
	tks.Release()
	n := 0
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
		if tks.State() == ticket.Claimed {
			n++
		}
		runtime.Gosched()
	}
	tkr.Release()
	cancel()
	wg.Wait()
	if n > 3 {
		t.Fatalf("the sender's ticket was seen claimed %d times by nobody but itself", n)
	}
}

// claimedElsewhere begins a select, claims it as another channel would, has f
// happen, and lets the claim go. Its owner has not looked yet when then is called;
// afterwards it does.
func claimedElsewhere(t *testing.T, x *AsyncSelect, f, then func()) {
	t.Helper()
	x.Begin(false)
	if x.s.tk.Reserve() != ticket.Won {
		t.Fatal("it cannot be claimed")
	}
	f()
	x.s.tk.Notify = func() {}
	x.s.tk.Release()
	x.s.tk.Notify = x.ring
	then()
	x.ring()
}

// TestDetachedWhileClaimed: nothing comes into the hands of an attachment that
// ended while its select was claimed elsewhere.
func TestDetachedWhileClaimed(t *testing.T) {
	for _, slots := range []int{0, 1} {
		c, d := New[int](Config{Slots: slots}, nil), New[int](Config{}, nil)
		gone, here, e := c.Attach(false, true), c.Attach(true, true), d.Attach(true, true)
		v := 7
		x := NewAsyncSelect([]Case{&TakeCase[int]{C: c, A: gone, Unheard: true}, &SendCase[int]{C: d, A: e, V: &v}}, func() {})
		claimedElsewhere(t, x, func() { c.Detach(gone, "its session has ended") }, func() {
			if ok, err := c.TrySend(here, new(1), nil); ok != (slots > 0) || err != nil {
				t.Errorf("%d slots: %v, %v", slots, ok, err)
			}
		})
		if i, err := x.Chosen(); i != 0 || !errors.Is(err, fault.ErrDetached) {
			t.Errorf("%d slots: case %d, %v", slots, i, err)
		}
		if s := c.Stats(); s.Held != 0 || s.Len != slots {
			t.Errorf("%d slots: %+v", slots, s)
		}
	}
}

// TestClosedWhileClaimed: a sender that was claimed elsewhere when its channel was
// closed sends no more: a receiver has seen the end.
func TestClosedWhileClaimed(t *testing.T) {
	c, d := New[int](Config{}, nil), New[int](Config{}, nil)
	a, b, e := c.Attach(true, true), c.Attach(true, true), d.Attach(true, true)
	v := 7
	x := NewAsyncSelect([]Case{&SendCase[int]{C: c, A: a, V: &v}, &TakeCase[int]{C: d, A: e}}, func() {})
	end := func() {
		t.Helper()
		var got int
		if ok, err := c.TryRecv(b, &got); ok || !errors.Is(err, fault.ErrClosed) {
			t.Errorf("received %d, %v", got, err)
		}
	}
	claimedElsewhere(t, x, func() { c.Close(b); end() }, end)
	if i, err := x.Chosen(); i != 0 || !errors.Is(err, fault.ErrClosed) {
		t.Errorf("case %d, %v", i, err)
	}
}
