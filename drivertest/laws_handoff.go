package drivertest

import "runtime"

var handoffLaws = []Law{
	{
		Name:   "L4/the-unblocker-completes-the-send",
		Says:   "a receive that makes room puts the waiting sender's value there itself: before that sender has run, the slot is taken",
		Source: "L4; research 7",
		Run:    lawUnblockSend,
	}, {
		Name:   "L4/the-unblocker-completes-the-receive",
		Says:   "a send that meets a waiting receiver gives it the value itself: before that receiver has run, the value is gone",
		Source: "L4; research 7",
		Run:    lawUnblockRecv,
	}, {
		Name:   "L4/a-woken-waiter-never-waits-again",
		Says:   "k sends complete k of the waiting receivers, whatever other receivers do meanwhile",
		Source: "L4; research 7, 31; pitfall 1",
		Storm:  true,
		Run:    lawWokenNeverRetries,
	}, {
		Name:   "L4/no-wake-is-lost",
		Says:   "a pair that hands a token back and forth never stops, however short the moment between looking and waiting",
		Source: "L4; research 31; pitfall 1; BenchmarkChanSync",
		Storm:  true,
		Run:    lawNoLostWake,
	}, {
		Name:   "L4/waiters-cost-linear-work",
		Says:   "n waiters in the lines of one channel cost work in proportion to n: leaving a line does not walk it",
		Source: "research 29; chanlinear.go",
		Needs:  []Feature{FeatureSelect, FeatureSharedHeap},
		Storm:  true,
		Run:    lawLinear,
	},
}

func lawUnblockSend(e *Env) {
	e.each([]int{1, 3}, func(slots int) {
		ch := e.Chan(slots)
		ops := e.sendQueue(ch, slots, 1)
		// No settling in between: the sender need not have run.
		_, ok, err := ch.TryRecv()
		full, err2 := ch.TrySend(99)
		if !ok || err != nil || full || err2 != nil {
			e.Fatalf("TryRecv = %v, %v, then TrySend = %v, %v; want the slot taken by the waiting sender", ok, err, full, err2)
		}
		ops[slots].Succeeded()
	})
}

func lawUnblockRecv(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		ch := e.Chan(slots)
		r := e.Recv(ch)
		ok, err := ch.TrySend(1)
		_, got, err2 := ch.TryRecv()
		if !ok || err != nil || got || err2 != nil {
			e.Fatalf("TrySend = %v, %v, then TryRecv = %v, %v; want the value with the waiting receiver", ok, err, got, err2)
		}
		if slots == 0 {
			if again, _ := ch.TrySend(2); again {
				e.Fatalf("a second TrySend succeeded, and one receiver was waiting")
			}
		}
		r.Got(1)
	})
}

func lawWokenNeverRetries(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		const n = 8
		turns := e.Scale(4000)
		// As many values as receives: with barging and a lost retry, one side
		// would stay behind for ever.
		e.Together(2*n, func(who int) {
			for i := range turns {
				var err error
				if who < n {
					err = ch.Send(e.Ctx, i)
				} else {
					_, err = ch.Recv(e.Ctx)
				}
				if err != nil {
					e.Errorf("turn %d: %v", i, err)
					return
				}
			}
		})
		e.Empty(ch)
	})
}

func lawNoLostWake(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ping, pong := e.Chan(slots), e.Chan(slots)
		turns := e.Scale(50_000)
		e.Together(2, func(who int) {
			for i := range turns {
				var err error
				var v int
				if who == 0 {
					if err = ping.Send(e.Ctx, i); err == nil {
						v, err = pong.Recv(e.Ctx)
					}
				} else if v, err = ping.Recv(e.Ctx); err == nil {
					err = pong.Send(e.Ctx, v)
				}
				if err != nil || v != i {
					e.Errorf("turn %d: value %d, error %v", i, v, err)
					return
				}
			}
		})
	})
}

// lawLinear makes n selects wait on two channels of which one serves all. The
// other's line is left n times; if that walked the line, the time would be
// quadratic.
func lawLinear(e *Env) {
	work := func(n int) func() {
		return func() {
			busy, quiet := e.Chan(1), e.Chan(1)
			done := make(chan struct{}, n)
			for range n {
				go func() {
					if _, err := e.Select(e.Ctx, quiet.OnRecv(nil), busy.OnRecv(nil)); err != nil {
						e.Errorf("Select: %v", err)
					}
					done <- struct{}{}
				}()
			}
			for range n {
				runtime.Gosched()
				if err := busy.Send(e.Ctx, 1); err != nil {
					e.Errorf("Send: %v", err)
				}
			}
			for range n {
				<-done
			}
		}
	}
	e.linear(500, work)
}
