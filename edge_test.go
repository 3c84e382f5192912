package handoff_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff"
)

// TestDeadLetterLeak: a dead letter is let go with the last Open of its channel.
func TestDeadLetterLeak(t *testing.T) {
	ch, err := handoff.Open[int](nil, "mem:work?deadletter=mem:dead%3Fslots=4")
	if err != nil {
		t.Fatal(err)
	}
	ch.Detach()
	if _, err := handoff.Open[handoff.Dead[int]](nil, "mem:dead?create=no"); !errors.Is(err, handoff.ErrNotFound) {
		t.Fatal("the dead letter outlives the last Open of it:", err)
	}
}

// TestSelectorDrop: a Selector that was used inside a bubble, when no wake channel
// from outside was left, keeps none of the bubble's.
func TestSelectorDrop(t *testing.T) {
	ch := handoff.Make[int](0)
	var wg sync.WaitGroup
	s := handoff.NewSelector(ch.OnRecv(nil))
	synctest.Test(t, func(t *testing.T) {
		for range 64 { // as many as the stock of outside wake channels holds
			wg.Go(func() { ch.Recv(nil) })
		}
		for ch.Stats().ReceiversWaiting < 64 {
			runtime.Gosched()
		}
		var in sync.WaitGroup
		in.Go(func() { s.Select(nil) })
		for ch.Stats().ReceiversWaiting < 65 {
			runtime.Gosched()
		}
		for range 65 {
			ch.Send(nil, 1)
		}
		in.Wait()
		wg.Wait()
	})
	go ch.Send(nil, 1)
	s.Select(nil)
}

// TestSelectorTwoAfter: of several timers due together any may be chosen.
func TestSelectorTwoAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n [2]int
		for range 200 {
			i, _ := handoff.Select(nil, handoff.After(time.Second, nil), handoff.After(time.Second, nil))
			n[i]++
		}
		if n[1] == 0 {
			t.Fatal(n)
		}
	})
}

// Go's make(chan struct{}, 1<<32) has that capacity; ours must have it too, or
// refuse it.
func TestHugeCapacityIsExactOrRefused(t *testing.T) {
	defer func() { recover() }()
	big := int64(1<<32 + 3)
	n := int(big)
	if int64(n) != big {
		t.Skip("an int has 32 bits here, so no such capacity can be asked for")
	}
	if got := handoff.Make[struct{}](n).Cap(); got != n {
		t.Fatalf("Make(%d).Cap() = %d", n, got)
	}
}

// TestDeadLetterOpenedLate: what was buried before anybody opened the dead letter
// waits in its slots; who left before that is no sender of it any more.
func TestDeadLetterOpenedLate(t *testing.T) {
	const url = "mem:late?slots=1&autoclose=true"
	a, b := handoff.Make[int](2, handoff.DeadLetter(url)), handoff.Make[int](2, handoff.DeadLetter(url))
	take := func(ch handoff.Chan[int], v int) handoff.Delivery[int] {
		ch.Send(nil, v)
		d, err := ch.Take(nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if err := take(a, 1).Reject("odd"); err != nil {
		t.Fatal(err)
	}
	d := take(a, 2)
	if err := d.Reject("even"); !errors.Is(err, handoff.ErrFull) {
		t.Fatal("a dead letter of one slot took two values:", err)
	}
	b.Detach()
	dead, err := handoff.OpenReceiver[handoff.Dead[int]](nil, "mem:late")
	if err != nil {
		t.Fatal(err)
	}
	if n := dead.Stats().Senders; n != 1 {
		t.Errorf("%d senders, one left and one did not", n)
	}
	defer dead.Detach()
	if v, err := dead.Recv(nil); err != nil || v.Value != 1 || v.Reason != "odd" || v.Attempts != 1 {
		t.Fatal(v, err)
	}
	if err := d.Reject("even"); err != nil {
		t.Fatal(err)
	}
	dead.Recv(nil)
	a.Detach()
	if _, err := dead.Recv(nil); !errors.Is(err, handoff.ErrClosed) {
		t.Fatal("the last one who could bury is gone:", err)
	}
}

// TestBuryingAfterLeaving: nothing is accepted for a dead letter that was let go.
func TestBuryingAfterLeaving(t *testing.T) {
	for range 200 {
		var mu sync.Mutex
		buried, dropped := 0, 0
		stop := handoff.Events(func(e handoff.Event) {
			mu.Lock()
			defer mu.Unlock()
			switch e.Kind {
			case handoff.EventDeadLetter:
				buried++
			case handoff.EventDropped:
				dropped++
			}
		})
		ch := handoff.Make[int](1, handoff.DeadLetter("mem:grave?slots=1"))
		ch.Send(nil, 1)
		d, err := ch.Take(nil)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { d.Reject("no") })
		wg.Go(func() { ch.Detach() })
		wg.Wait()
		stop()
		if buried > dropped {
			t.Fatalf("%d values went to a dead letter nobody ever opened, %d are told as dropped", buried, dropped)
		}
	}
}
