package drivertest

import (
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/handoff-go/handoff/driver"
)

var slotLaws = []Law{
	{
		Name:   "L2/capacity-is-exact",
		Says:   "with n slots and no receiver exactly n sends succeed and the next one waits, for n from 0 to 199; nothing is rounded",
		Source: "L2; research 4; TestChan, pitfall 12",
		Run:    lawExactCapacity,
	}, {
		Name:   "L2/len-and-cap",
		Says:   "Len counts the values in slots, never blocked senders; Cap is what was asked for",
		Source: "research 9; chancap.go",
		Run:    lawLenCap,
	}, {
		Name:   "L2/rendezvous-waits-for-the-receiver",
		Says:   "without slots a send returns only when a receiver has the value, and not one step earlier",
		Source: "L2; research 3; pitfall 8",
		Needs:  []Feature{FeatureRendezvous},
		Run:    lawRendezvous,
	}, {
		Name:   "L2/blocking-table",
		Says:   "receive on empty and send on full wait, their try forms do not; a value or room ends the wait",
		Source: "research 5; TestChan, chan/nonblock.go",
		Run:    lawBlockingTable,
	}, {
		Name:   "L2/a-slot-is-reused-at-once",
		Says:   "the ring of slots may wrap any number of times: order and count stay right",
		Source: "L2; research 2, 4",
		Run:    lawWrap,
	}, {
		Name:   "L2/bad-capacity-panics",
		Says:   "a negative number of slots panics at Make, like make",
		Source: "DESIGN 2; research 10; makechan.go",
		Needs:  []Feature{FeatureSharedHeap},
		Run: func(e *Env) {
			defer func() {
				if recover() == nil {
					e.Fatalf("a channel with -1 slots was made")
				}
			}()
			e.Chan(-1)
		},
	},
}

func lawExactCapacity(e *Env) {
	from := 0
	if !e.H.Has[FeatureRendezvous] {
		from = 1
	}
	apart := 16
	if e.share > 1 {
		apart = 64
	}
	for slots := from; slots < 200; slots++ {
		if !e.bubble && slots > 9 && slots%apart > 1 {
			continue // far subjects take longer to make
		}
		ch := e.Chan(slots)
		e.Empty(ch)
		for i := range slots {
			e.Sends(ch, i)
		}
		e.Full(ch)
		blocked := e.Send(ch, slots)
		blocked.Blocked()
		e.Full(ch)
		if slots == 0 {
			e.Receives(ch, 0)
			blocked.Succeeded()
			e.Empty(ch)
			continue
		}
		e.Receives(ch, 0)
		blocked.Succeeded()
		e.Full(ch) // the sender that waited has the slot
		for i := 1; i <= slots; i++ {
			e.Receives(ch, i)
		}
		e.Empty(ch)
	}
}

func lawLenCap(e *Env) {
	e.each([]int{0, 1, 3, 10}, func(slots int) {
		ch := e.Chan(slots)
		if n := ch.Cap(); n != slots {
			e.Fatalf("Cap = %d, want %d", n, slots)
		}
		for i := range slots {
			e.Len(ch, i)
			e.Sends(ch, i)
		}
		e.Len(ch, slots)
		s := e.Send(ch, slots)
		s.Blocked()
		e.Len(ch, slots)
		for i := range slots + 1 {
			e.Receives(ch, i)
			e.Len(ch, min(slots, slots-i))
		}
		s.Succeeded()
		r := e.Recv(ch)
		e.Len(ch, 0)
		e.Sends(ch, 9)
		r.Got(9)
		e.Len(ch, 0)
		if n := ch.Cap(); n != slots {
			e.Fatalf("Cap changed to %d from %d", n, slots)
		}
	})
}

func lawRendezvous(e *Env) {
	ch := e.Chan(0)
	s := e.Send(ch, 1)
	s.Blocked()
	e.Full(ch) // nobody receives, and the waiting value is not in a slot
	s.Blocked()
	e.Recv(ch).Got(1)
	s.Succeeded()
	r := e.Recv(ch)
	r.Blocked()
	e.Sends(ch, 2)
	r.Got(2)
	e.Full(ch)
	e.Empty(ch)
}

func lawBlockingTable(e *Env) {
	e.each([]int{0, 1, 4}, func(slots int) {
		ch := e.Chan(slots)
		e.Empty(ch)
		r := e.Recv(ch)
		r.Blocked()
		e.Empty(ch)
		s := e.Send(ch, 1)
		s.Succeeded()
		r.Got(1)
		for i := range slots {
			e.Send(ch, i).Succeeded()
		}
		s = e.Send(ch, slots)
		s.Blocked()
		e.Full(ch)
		s.Blocked()
		for i := range slots + 1 {
			e.Recv(ch).Got(i)
		}
		s.Succeeded()
		e.Recv(ch).Blocked()
	})
}

func lawWrap(e *Env) {
	e.each([]int{1, 2, 3, 5, 8}, func(slots int) {
		ch := e.Chan(slots)
		in, out := 0, 0
		for range 40 * slots {
			for n := 1 + e.Rand.IntN(slots); n > 0 && in-out < slots; n-- {
				e.Sends(ch, in)
				in++
			}
			for n := 1 + e.Rand.IntN(slots); n > 0 && in > out; n-- {
				e.Receives(ch, out)
				out++
			}
			e.Len(ch, in-out)
		}
	})
}

// tryLaws: a try that does not succeed has seen a moment at which it could not.
var tryLaws = []Law{
	{
		Name:   "L2/try-is-never-falsely-empty",
		Says:   "a goroutine that has sent a value, among others that each send before they receive, always finds one to receive at once",
		Source: "research 8; crossbeam linearizable; pitfalls 3, 4",
		Storm:  true,
		Run:    lawNoFalseEmpty,
	}, {
		Name:   "L2/try-is-never-falsely-full",
		Says:   "a goroutine that has received a value, among others that each receive before they send, always finds room at once",
		Source: "research 8; pitfalls 3, 4",
		Storm:  true,
		Run:    lawNoFalseFull,
	}, {
		Name:   "L2/a-try-finds-full-or-closed",
		Says:   "a try receive from a channel that holds a value until it is closed never reports not ready",
		Source: "TestNonblockRecvRace",
		Storm:  true,
		Run:    lawTryRecvRace,
	}, {
		Name:   "L2/a-try-finds-who-waits",
		Says:   "a try meets a blocked counterpart: a waiting receiver makes a send ready, a waiting sender a receive",
		Source: "research 8; chan/nonblock.go",
		Run: func(e *Env) {
			e.each([]int{0, 1}, func(slots int) {
				ch := e.Chan(slots)
				for i := range 100 {
					r := e.Recv(ch)
					e.Sends(ch, i)
					r.Got(i)
				}
				for i := range slots {
					e.Sends(ch, i)
				}
				for i := slots; i < 100; i++ {
					s := e.Send(ch, i)
					e.Receives(ch, i-slots)
					s.Succeeded()
				}
			})
		},
	}, {
		Name:   "L2/try-loops-make-progress",
		Says:   "tries in a loop, with no waiting at all, carry every value even when one processor runs both sides",
		Source: "research 5, 36; pitfall 11",
		Storm:  true,
		Run:    lawTryProgress,
	},
}

func lawNoFalseEmpty(e *Env) {
	const workers = 8
	e.each([]int{workers, 3 * workers}, func(slots int) {
		ch := e.Chan(slots)
		turns := e.Scale(20_000)
		e.Together(workers, func(who int) {
			for i := range turns {
				if ok, err := ch.TrySend(i); !ok || err != nil {
					e.Errorf("TrySend = %v, %v with at most %d values in %d slots", ok, err, workers-1, slots)
					return
				}
				if _, ok, err := ch.TryRecv(); !ok || err != nil {
					e.Errorf("TryRecv = %v, %v after a send of one's own", ok, err)
					return
				}
			}
		})
	})
}

func lawNoFalseFull(e *Env) {
	const workers = 8
	for _, slots := range []int{workers, workers + 3} {
		ch := e.Chan(slots)
		for i := range slots {
			e.OK("Send", ch.Send(e.Ctx, i))
		}
		turns := e.Scale(20_000)
		e.Together(workers, func(who int) {
			for i := range turns {
				v, ok, err := ch.TryRecv()
				if !ok || err != nil {
					e.Errorf("turn %d: TryRecv = %v, %v with at least one value there", i, ok, err)
					return
				}
				if ok, err := ch.TrySend(v); !ok || err != nil {
					e.Errorf("turn %d: TrySend = %v, %v after a receive of one's own", i, ok, err)
					return
				}
			}
		})
		e.Len(ch, slots)
	}
}

func lawTryRecvRace(e *Env) {
	for range e.Scale(10_000) {
		ch := e.Chan(1)
		e.OK("Send", ch.Send(e.Ctx, 1))
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			ch.Close()
		}()
		if _, ok, err := ch.TryRecv(); !ok {
			e.Fatalf("TryRecv of a channel that holds a value: not ready, error %v", err)
		}
		<-closed
		if _, ok, err := ch.TryRecv(); ok || !errors.Is(err, driver.ErrClosed) {
			e.Fatalf("TryRecv of a closed channel = %v, %v", ok, err)
		}
	}
}

func lawTryProgress(e *Env) {
	ch := e.Chan(2)
	n := e.Scale(20_000)
	var sum atomic.Int64
	e.Together(2, func(who int) {
		for i := 0; i < n && e.Ctx.Err() == nil; {
			ok := false
			if who == 0 {
				ok, _ = ch.TrySend(i)
			} else {
				var v int
				v, ok, _ = ch.TryRecv()
				sum.Add(int64(v))
			}
			if ok {
				i++
			} else {
				runtime.Gosched()
			}
		}
	})
	if want := int64(n) * int64(n-1) / 2; sum.Load() != want {
		e.Fatalf("sum of values %d, want %d", sum.Load(), want)
	}
}
