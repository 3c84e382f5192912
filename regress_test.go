package handoff_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff"
)

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

func TestSelectorDrop(t *testing.T) {
	ch := handoff.Make[int](0)
	var wg sync.WaitGroup
	s := handoff.NewSelector(ch.OnRecv(nil))
	synctest.Test(t, func(t *testing.T) {
		other := handoff.Make[int](0)
		for range 64 {
			wg.Go(func() { ch2 := ch; ch2.Recv(nil) })
		}
		_ = other
		// 64 waiters have taken the stock; wait in real time
		for ch.Stats().ReceiversWaiting < 64 {
		}
		var in sync.WaitGroup
		in.Go(func() { s.Select(nil) })
		for ch.Stats().ReceiversWaiting < 65 {
		}
		for range 65 {
			ch.Send(nil, 1)
		}
		in.Wait()
		wg.Wait()
	})
	go func() { time.Sleep(10 * time.Millisecond); ch.Send(nil, 1) }()
	s.Select(nil)
}

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
