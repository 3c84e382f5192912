package drivertest

import "sync"

var orderLaws = []Law{
	{
		Name:   "L3/slots-are-first-in-first-out",
		Says:   "values leave in the order in which their sends took effect",
		Source: "L3; research 2; chan/fifo.go",
		Run:    lawSlotsFIFO,
	}, {
		Name:   "L3/blocked-senders-are-served-in-order",
		Says:   "blocked senders are served first come, first served",
		Source: "L3; research 6; chan/fifo.go",
		Run:    lawSendersFIFO,
	}, {
		Name:   "L3/blocked-receivers-are-served-in-order",
		Says:   "blocked receivers are served first come, first served",
		Source: "L3; research 6; chan/fifo.go",
		Run:    lawReceiversFIFO,
	}, {
		Name:   "L3/late-never-overtakes-blocked",
		Says:   "an operation that arrives while others of its side wait does not overtake them, neither a try nor a select",
		Source: "L3; research 6; pitfall: barging",
		Run:    lawNoOvertaking,
	}, {
		Name:   "L3/each-senders-order-is-kept",
		Says:   "one sender's values are received in its order, whatever mix of operations sent them and however many others send",
		Source: "L3; research 2, 45",
		Storm:  true,
		Run:    lawPerSenderOrder,
	}, {
		Name:   "L3/a-cancelled-waiter-leaves-the-order",
		Says:   "when a waiter gives up, those behind it move up and those before it do not lose their place",
		Source: "L3, L8; research 42",
		Needs:  []Feature{FeatureCancel},
		Run:    lawCancelledLeavesOrder,
	}, {
		Name:   "L3/selects-wait-in-the-same-line",
		Says:   "a select waits in the line of each of its channels like a plain operation, and is served in its turn",
		Source: "L3; research 30",
		Needs:  []Feature{FeatureSelect},
		Run:    lawSelectInLine,
	}, {
		Name:   "L3/returned-goes-before-what-was-never-handed-out",
		Says:   "a value given back returns to the place its send order gave it",
		Source: "L3, L13",
		Needs:  []Feature{FeatureHold},
		Run:    lawReturnedFirst,
	}, {
		Name:   "L3/several-returned-keep-their-order",
		Says:   "values given back in any order are handed out again in send order",
		Source: "L3, L13",
		Needs:  []Feature{FeatureHold},
		Run:    lawSeveralReturned,
	},
}

func lawSlotsFIFO(e *Env) {
	for _, slots := range []int{1, 2, 10, 100} {
		ch := e.Chan(slots)
		for i := range slots {
			e.Sends(ch, i)
		}
		for i := range slots {
			e.Recv(ch).Got(i)
		}
	}
}

// sendQueue fills the slots and blocks n senders behind them; values from 0 on.
func (e *Env) sendQueue(ch Chan[int], slots, n int) []*Op {
	e.Helper()
	var ops []*Op
	for i := range slots + n {
		op := e.Send(ch, i)
		if i >= slots {
			op.Blocked()
		}
		ops = append(ops, op)
	}
	return ops
}

func lawSendersFIFO(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		const n = 12
		ch := e.Chan(slots)
		ops := e.sendQueue(ch, slots, n)
		for i := range slots + n {
			e.Recv(ch).Got(i)
			for j, op := range ops { // exactly those before the place that moved up
				if j <= i+slots {
					op.Succeeded()
				} else {
					op.Blocked()
				}
			}
		}
	})
}

func lawReceiversFIFO(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		const n = 12
		ch := e.Chan(slots)
		var ops []*Op
		for range n {
			ops = append(ops, e.Recv(ch))
		}
		for i := range n {
			e.Send(ch, i).Succeeded()
			ops[i].Got(i)
			for _, op := range ops[i+1:] {
				op.Blocked()
			}
		}
	})
}

func lawNoOvertaking(e *Env) {
	e.each([]int{0, 1, 2}, func(slots int) {
		ch := e.Chan(slots)
		ops := e.sendQueue(ch, slots, 2)
		e.Full(ch)
		late := e.Send(ch, slots+2)
		late.Blocked()
		e.Receives(ch, 0)
		ops[slots].Succeeded()
		e.Full(ch) // a freed slot belongs to the one who waited
		late.Blocked()
		for i := 1; i < slots+3; i++ {
			e.Receives(ch, i)
		}
		late.Succeeded()

		first, second := e.Recv(ch), e.Recv(ch)
		e.Sends(ch, 50)
		first.Got(50)
		e.Empty(ch) // the value went past the try, to the one who waited
		second.Blocked()
		e.Sends(ch, 51)
		second.Got(51)
	})
}

func lawPerSenderOrder(e *Env) {
	e.each([]int{0, 1, 5}, func(slots int) {
		const senders = 4
		per := e.Scale(3000)
		ch := e.Chan(slots)
		var wg sync.WaitGroup
		for s := range senders {
			wg.Add(1)
			go func() {
				defer wg.Done()
				sendAllWays(e, ch, s, s*per, per)
			}()
		}
		next := make([]int, senders)
		for range senders * per {
			v, err := ch.Recv(e.Ctx)
			e.OK("Recv", err)
			if s := v / per; v%per != next[s] {
				e.Fatalf("sender %d: received number %d, want %d", s, v%per, next[s])
			} else {
				next[s]++
			}
		}
		e.join(&wg)
	})
}

func lawCancelledLeavesOrder(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		for i := range slots {
			e.Sends(ch, 100+i)
		}
		ctx, cancel := e.ending()
		a := e.Send(ch, 1)
		b := e.SendCtx(ctx, ch, 2)
		c := e.Send(ch, 3)
		cancel()
		e.Settle()
		b.Failed(ctx.Err())
		for i := range slots {
			e.Receives(ch, 100+i)
		}
		e.Receives(ch, 1)
		e.Receives(ch, 3)
		a.Succeeded()
		c.Succeeded()

		ctx, cancel = e.ending()
		x := e.RecvCtx(ctx, ch)
		y := e.Recv(ch)
		z := e.Recv(ch)
		cancel()
		e.Settle()
		x.Failed(ctx.Err())
		e.Sends(ch, 4)
		y.Got(4)
		z.Blocked()
		e.Sends(ch, 5)
		z.Got(5)
	})
}

func lawSelectInLine(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch, quiet := e.Chan(slots), e.Chan(slots)
		var got [2]int
		r1 := e.Recv(ch)
		r2 := e.Sel(recvArm(quiet, nil), recvArm(ch, &got[0]))
		r3 := e.Recv(ch)
		r4 := e.Sel(recvArm(ch, &got[1]), recvArm(quiet, nil))
		for i := 1; i <= 4; i++ {
			e.Sends(ch, i)
		}
		r1.Got(1)
		r2.Chose(1)
		r3.Got(3)
		r4.Chose(0)
		if got != [2]int{2, 4} {
			e.Fatalf("the selects got %v, want [2 4]", got)
		}

		for i := range slots {
			e.Sends(ch, 100+i)
		}
		s1 := e.Send(ch, 1)
		s2 := e.Sel(recvArm(quiet, nil), sendArm(ch, 2))
		s3 := e.Send(ch, 3)
		for i := range slots {
			e.Receives(ch, 100+i)
		}
		for i := 1; i <= 3; i++ {
			e.Receives(ch, i)
		}
		s1.Succeeded()
		s2.Chose(1)
		s3.Succeeded()
	})
}

func lawReturnedFirst(e *Env) {
	e.each([]int{0, 1, 2, 4}, func(slots int) {
		ch := e.Chan(slots)
		e.sendQueue(ch, slots, 4-min(slots, 4))
		d := e.Holds(ch, 0, 1)
		e.Receives(ch, 1)
		e.OK("Return", d.Return())
		e.Settle()
		d = e.Holds(ch, 0, 2)
		e.Receives(ch, 2)
		e.OK("Return", d.Return())
		e.Settle()
		e.Receives(ch, 0)
		e.Receives(ch, 3)
		e.Empty(ch)
	})
}

func lawSeveralReturned(e *Env) {
	e.each([]int{0, 1, 3, 6}, func(slots int) {
		const n = 6
		ch := e.Chan(slots)
		e.sendQueue(ch, slots, n-min(slots, n))
		var ds []Delivery[int]
		for i := range n - 1 {
			ds = append(ds, e.Holds(ch, i, 1))
		}
		for _, i := range e.Rand.Perm(n - 1) {
			e.OK("Return", ds[i].Return())
			e.Settle()
		}
		for i := range n - 1 {
			d := e.Holds(ch, i, 2)
			e.OK("Done", d.Done())
			e.Settle()
		}
		e.OK("Done", e.Holds(ch, n-1, 1).Done())
	})
}
