package drivertest

import "github.com/handoff-go/handoff/driver"

var batchLaws = []Law{
	{
		Name:   "L3/batch-is-the-same-as-singles",
		Says:   "SendAll and RecvInto move the values of as many single operations, in order",
		Source: "research 44; DESIGN 2",
		Needs:  []Feature{FeatureBatch},
		Run:    lawBatchOrder,
	}, {
		Name:   "L3/recv-into-waits-for-the-first-only",
		Says:   "RecvInto waits until one value is there, takes what else is there, and waits for no more; blocked senders count as there",
		Source: "research 44; DESIGN 2",
		Needs:  []Feature{FeatureBatch},
		Run:    lawRecvIntoFirst,
	}, {
		Name:   "L3/an-empty-batch-does-nothing",
		Says:   "an empty SendAll or RecvInto returns 0, nil at once",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureBatch},
		Run: func(e *Env) {
			ch := e.Chan(e.few(0))
			for _, op := range []*Op{e.SendAll(ch), e.RecvInto(ch, 0)} {
				if op.Succeeded(); op.N != 0 {
					e.Fatalf("%s returned %d", op.what, op.N)
				}
			}
		},
	}, {
		Name:   "L3/a-waiting-batch-queues-again",
		Says:   "a waiting SendAll passes what fits in its turn, then queues again behind those who waited",
		Source: "L3; research 45",
		Needs:  []Feature{FeatureBatch},
		Run:    lawBatchQueuesAgain,
	}, {
		Name:   "L3/a-batch-does-not-overtake",
		Says:   "a SendAll that arrives behind blocked senders waits behind them, and a RecvInto behind blocked receivers",
		Source: "L3; research 45",
		Needs:  []Feature{FeatureBatch},
		Run:    lawBatchNoOvertaking,
	}, {
		Name:   "L3/a-batch-serves-waiters-in-order",
		Says:   "a SendAll releases as many blocked receivers as it has values, in order; a RecvInto as many blocked senders",
		Source: "research 45",
		Needs:  []Feature{FeatureBatch},
		Run:    lawBatchServesWaiters,
	}, {
		Name:   "L3/a-partial-batch-says-how-many",
		Says:   "SendAll ended by close or cancel returns how many values left custody: those are received, the others are not",
		Source: "research 44, 46; DESIGN 2",
		Needs:  []Feature{FeatureBatch, FeatureCancel},
		Run:    lawPartialBatch,
	}, {
		Name:   "L3/two-batches-share-fairly",
		Says:   "two SendAll without slots take turns, one value each, so that neither starves the other or a single send",
		Source: "L3; research 45",
		Needs:  []Feature{FeatureBatch, FeatureRendezvous},
		Run:    lawTwoBatches,
	}, {
		Name:   "L3/a-batch-comes-back-in-order-of-its-sends",
		Says:   "a value of a SendAll that was handed out after another sender's, and both returned, comes again after it",
		Source: "L3; found by drivertest/torture",
		Needs:  []Feature{FeatureBatch, FeatureRendezvous, FeatureHold},
		Run:    lawBatchComesBack,
	}, {
		Name:   "L5/a-batch-after-close",
		Says:   "SendAll on a closed channel returns 0 and ErrClosed; RecvInto returns what is left, then ErrClosed",
		Source: "L5; research 44",
		Needs:  []Feature{FeatureBatch},
		Run:    lawBatchClosed,
	},
}

func lawBatchOrder(e *Env) {
	e.each([]int{1, 3, 8}, func(slots int) {
		ch := e.Chan(slots)
		op := e.SendAll(ch, ints(0, 8)...)
		got := 0
		for got < 8 {
			r := e.RecvInto(ch, 3).Succeeded()
			if r.N < 1 || r.N > 3 {
				e.Fatalf("RecvInto(3) returned %d", r.N)
			}
			for _, v := range r.Buf {
				if v != got {
					e.Fatalf("received %d, want %d", v, got)
				}
				got++
			}
		}
		if op.Succeeded(); op.N != 8 {
			e.Fatalf("SendAll of 8 returned %d", op.N)
		}
		e.Empty(ch)
	})
}

// ints returns from, from+1, ..., to-1.
func ints(from, to int) []int {
	var vs []int
	for v := from; v < to; v++ {
		vs = append(vs, v)
	}
	return vs
}

// got fails the law unless the batch receive ended with exactly these values.
func (op *Op) GotAll(vs ...int) *Op {
	op.e.Helper()
	op.Succeeded()
	same := len(op.Buf) == len(vs)
	for i := 0; same && i < len(vs); i++ {
		same = op.Buf[i] == vs[i]
	}
	if !same {
		op.e.Fatalf("%s got %v, want %v", op.what, op.Buf, vs)
	}
	return op
}

func lawRecvIntoFirst(e *Env) {
	e.each([]int{0, 1, 4}, func(slots int) {
		ch := e.Chan(slots)
		r := e.RecvInto(ch, 3)
		r.Blocked()
		e.Sends(ch, 7)
		r.GotAll(7)
		for i := range slots {
			e.Sends(ch, i)
		}
		if slots > 0 {
			e.RecvInto(ch, slots+5).GotAll(ints(0, slots)...)
			e.Empty(ch)
		}
		ops := e.sendQueue(ch, slots, 3)
		e.RecvInto(ch, slots+2).GotAll(ints(0, slots+2)...)
		for _, op := range ops[:slots+2] {
			op.Succeeded()
		}
		e.Receives(ch, slots+2)
	})
}

func lawBatchQueuesAgain(e *Env) {
	ch := e.Chan(1)
	e.Sends(ch, 0)
	batch := e.SendAll(ch, 10, 11, 12)
	single := e.Send(ch, 20)
	for i, v := range []int{0, 10, 20, 11, 12} {
		e.Receives(ch, v)
		switch {
		case i == 0: // 10 has the slot, and the batch is behind 20
			single.Blocked()
			batch.Blocked()
		case i == 1: // 20 has the slot
			single.Succeeded()
			batch.Blocked()
		}
	}
	if batch.Succeeded(); batch.N != 3 {
		e.Fatalf("SendAll of 3 returned %d", batch.N)
	}
}

func lawBatchNoOvertaking(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		ops := e.sendQueue(ch, slots, 2)
		batch := e.SendAll(ch, 70, 71)
		for i := range slots + 2 {
			e.Receives(ch, i)
			ops[i].Succeeded()
		}
		e.Receives(ch, 70)
		e.Receives(ch, 71)
		batch.Succeeded()

		first := e.Recv(ch)
		into := e.RecvInto(ch, 4)
		last := e.Recv(ch)
		e.Sends(ch, 1)
		first.Got(1)
		into.Blocked()
		e.Sends(ch, 2)
		into.GotAll(2)
		last.Blocked()
		e.Sends(ch, 3)
		last.Got(3)
	})
}

func lawBatchServesWaiters(e *Env) {
	e.each([]int{0, 2}, func(slots int) {
		ch := e.Chan(slots)
		var rs []*Op
		for range 4 {
			rs = append(rs, e.Recv(ch))
		}
		op := e.SendAll(ch, 0, 1, 2)
		if op.Succeeded(); op.N != 3 {
			e.Fatalf("SendAll of 3 to 4 waiting receivers returned %d", op.N)
		}
		for i, r := range rs[:3] {
			r.Got(i)
		}
		rs[3].Blocked()
		e.Sends(ch, 3)
		rs[3].Got(3)
		ss := e.sendQueue(ch, slots, 3)
		e.RecvInto(ch, 2).GotAll(0, 1)
		for i, s := range ss {
			if i < slots+2 {
				s.Succeeded()
			} else {
				s.Blocked()
			}
		}
	})
}

func lawPartialBatch(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		for _, byClose := range []bool{true, false} {
			ch := e.Chan(slots)
			ctx, cancel := e.ending()
			op := e.SendAllCtx(ctx, ch, ints(0, slots+4)...)
			op.Blocked()
			e.Receives(ch, 0)
			want := slots + 1
			if byClose {
				e.OK("Close", ch.Close())
				e.Settle()
				op.Failed(driver.ErrClosed)
			} else {
				cancel()
				e.Settle()
				op.Failed(ctx.Err())
			}
			if op.N != want {
				e.Fatalf("SendAll ended early returned %d, want %d", op.N, want)
			}
			for v := 1; v < want; v++ {
				e.Receives(ch, v)
			}
			if byClose {
				e.Drained(ch)
			} else {
				e.Empty(ch)
			}
			cancel()
		}
	})
}

func lawTwoBatches(e *Env) {
	ch := e.Chan(0)
	e.SendAll(ch, 0, 1, 2)
	e.SendAll(ch, 10, 11)
	single := e.Send(ch, 20)
	for _, v := range []int{0, 10, 20, 1, 11, 2} {
		e.Receives(ch, v)
	}
	single.Succeeded()
}

func lawBatchComesBack(e *Env) {
	ch := e.Chan(0)
	batch := e.SendAll(ch, 0, 1)
	other := e.Send(ch, 10)
	first, second := e.Holds(ch, 0, 1), e.Holds(ch, 10, 1)
	late := e.Take(ch)
	late.Blocked()
	e.settled("Done", first.Done()) // and the batch offers 1, which is handed to late
	late.Succeeded()
	e.settled("Return", second.Return())
	e.settled("Return", late.D.Return())
	for _, v := range []int{10, 1} {
		e.settled("Done", e.Holds(ch, v, 2).Done())
	}
	batch.Succeeded()
	other.Succeeded()
}

func lawBatchClosed(e *Env) {
	ch := e.Chan(4)
	e.SendAll(ch, 1, 2, 3).Succeeded()
	e.OK("Close", ch.Close())
	if op := e.SendAll(ch, 4).Failed(driver.ErrClosed); op.N != 0 {
		e.Fatalf("SendAll on a closed channel returned %d", op.N)
	}
	e.RecvInto(ch, 2).GotAll(1, 2)
	e.RecvInto(ch, 2).GotAll(3)
	if op := e.RecvInto(ch, 2).Failed(driver.ErrClosed); op.N != 0 {
		e.Fatalf("RecvInto on a drained channel returned %d", op.N)
	}
}
