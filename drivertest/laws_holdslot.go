package drivertest

var holdSlotLaws = []Law{
	{
		Name:   "L2/a-slot-is-free-when-its-value-is-confirmed",
		Says:   "taking a value does not free its slot; confirming it does, and the waiting sender gets it",
		Source: "L2",
		Needs:  []Feature{FeatureHold},
		Run:    lawSlotAtConfirm,
	}, {
		Name:   "L2/capacity-never-limits-the-takers",
		Says:   "any number of receivers hold at once, whatever the number of slots: they take blocked senders' values too",
		Source: "L2",
		Needs:  []Feature{FeatureHold},
		Run:    lawManyTakers,
	}, {
		Name:   "L2/the-oldest-values-have-the-slots",
		Says:   "a slot that is freed goes to the oldest value without one, a held one before a blocked sender's; that value's Send returns",
		Source: "L2",
		Needs:  []Feature{FeatureHold},
		Run:    lawOldestHaveSlots,
	}, {
		Name:   "L2/full-is-len-plus-held",
		Says:   "Len counts values ready to be taken and Held those taken: the channel is full when the two make its capacity",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureStats},
		Run:    lawLenPlusHeld,
	}, {
		Name:   "L13/try-send-looks-at-the-first-receiver",
		Says:   "a TrySend is not ready if the first waiting receiver would hold the value and no slot is free, even with a plain receiver behind it",
		Source: "L13 sentence 6",
		Needs:  []Feature{FeatureHold},
		Run:    lawTrySendFirst,
	}, {
		Name:   "L13/send-beside-default-looks-at-the-first-receiver",
		Says:   "a send case beside a default is ready exactly when a TrySend would be",
		Source: "L13 sentence 6",
		Needs:  []Feature{FeatureHold, FeatureSelect, FeatureDefault},
		Run:    lawDefaultSendFirst,
	}, {
		Name:   "L13/send-all-waits-for-each-confirmation",
		Says:   "SendAll without a free slot offers its next value only when the one before is confirmed",
		Source: "L13 sentence 7",
		Needs:  []Feature{FeatureHold, FeatureBatch, FeatureRendezvous},
		Run:    lawSendAllOneByOne,
	}, {
		Name:   "L13/send-all-ends-at-a-rejection",
		Says:   "SendAll whose value is rejected returns how many were confirmed and ErrRejected; the rest is never offered",
		Source: "L13",
		Needs:  []Feature{FeatureHold, FeatureBatch, FeatureRendezvous},
		Run:    lawSendAllRejected,
	},
}

func lawSlotAtConfirm(e *Env) {
	for _, slots := range []int{1, 2} {
		ch := e.Chan(slots)
		ops := e.sendQueue(ch, slots, 1)
		d := e.Holds(ch, 0, 1)
		ops[slots].Blocked()
		e.Full(ch)
		e.settled("Done", d.Done())
		ops[slots].Succeeded()
		e.Full(ch)
		for i := range slots {
			e.Receives(ch, i+1)
		}
	}
}

func lawManyTakers(e *Env) {
	e.each([]int{0, 1, 2}, func(slots int) {
		const n = 6
		ch := e.Chan(slots)
		ops := e.sendQueue(ch, slots, n-slots)
		var ds []Delivery[int]
		for i := range n {
			ds = append(ds, e.Holds(ch, i, 1))
		}
		for _, op := range ops[slots:] {
			op.Blocked()
		}
		e.Empty(ch)
		for _, i := range e.Rand.Perm(n) {
			e.settled("Done", ds[i].Done())
		}
		for _, op := range ops {
			op.Succeeded()
		}
		for i := range slots {
			e.Sends(ch, i)
		}
		e.Full(ch)
	})
}

func lawOldestHaveSlots(e *Env) {
	ch := e.Chan(1)
	ops := e.sendQueue(ch, 1, 4) // 0 in the slot, 1 to 4 blocked
	a, b, c := e.Holds(ch, 0, 1), e.Holds(ch, 1, 1), e.Holds(ch, 2, 1)
	for _, op := range ops[1:] {
		op.Blocked()
	}
	e.settled("Done", c.Done()) // had no slot: frees none
	ops[2].Succeeded()
	ops[1].Blocked()
	ops[3].Blocked()
	e.settled("Done", a.Done()) // its slot goes to 1, held, not to 3, blocked
	ops[1].Succeeded()
	ops[3].Blocked()
	e.settled("Return", b.Return())
	e.Receives(ch, 1) // frees the slot for 3
	ops[3].Succeeded()
	ops[4].Blocked()
	e.Receives(ch, 3)
	ops[4].Succeeded()
	e.Full(ch)
	e.Receives(ch, 4)
	e.Empty(ch)
}

func lawLenPlusHeld(e *Env) {
	const slots = 3
	ch := e.Chan(slots)
	var ds []Delivery[int]
	for i := range slots {
		e.held(ch, i, 0)
		e.Sends(ch, i)
	}
	for i := range slots {
		e.held(ch, slots-i, i)
		ds = append(ds, e.Holds(ch, i, 1))
		e.Full(ch)
	}
	e.held(ch, 0, slots)
	e.settled("Return", ds[1].Return())
	e.held(ch, 1, slots-1)
	e.Len(ch, 1)
	e.Full(ch)
	e.settled("Done", ds[0].Done())
	e.held(ch, 1, slots-2)
	e.Sends(ch, 3)
	e.held(ch, 2, 1)
	e.Full(ch)
}

func lawTrySendFirst(e *Env) {
	ch := e.Chan(e.few(0))
	var ds []Delivery[int]
	for i := range ch.Cap() { // no slot is free, and none is ready to be taken
		e.Sends(ch, i)
		ds = append(ds, e.Holds(ch, i, 1))
	}
	taker, plain := e.Take(ch), e.Recv(ch)
	e.Full(ch)
	taker.Blocked()
	plain.Blocked()
	for _, d := range ds {
		e.settled("Done", d.Done())
	}
	if ch.Cap() > 0 {
		e.Sends(ch, 5) // now the held value has a slot
		taker.Got(5)
		return
	}
	s := e.Send(ch, 6) // a Send may wait for the settlement
	taker.Got(6)
	s.Blocked()
	e.Sends(ch, 7) // the first receiver is a plain one now
	plain.Got(7)
	e.settled("Done", taker.D.Done())
	s.Succeeded()
}

func lawDefaultSendFirst(e *Env) {
	ch := e.Chan(e.few(0))
	for i := range ch.Cap() {
		e.Sends(ch, i)
		e.Holds(ch, i, 1)
	}
	taker, plain := e.Take(ch), e.Recv(ch)
	i, err := e.Select(e.Ctx, ch.OnSend(1, nil), e.H.Default(nil))
	if e.OK("Select", err); i != 1 {
		e.Fatalf("a send case beside a default met a Take without a free slot")
	}
	if ch.Cap() > 0 {
		return
	}
	s := e.Send(ch, 2)
	taker.Got(2)
	i, err = e.Select(e.Ctx, ch.OnSend(3, nil), e.H.Default(nil))
	if e.OK("Select", err); i != 0 {
		e.Fatalf("a send case beside a default did not meet a plain receiver")
	}
	plain.Got(3)
	e.settled("Done", taker.D.Done())
	s.Succeeded()
}

func lawSendAllOneByOne(e *Env) {
	ch := e.Chan(0)
	batch := e.SendAll(ch, 0, 1, 2)
	second := e.Send(ch, 10)
	d := e.Holds(ch, 0, 1)
	r := e.Take(ch).Got(10) // not 1: that waits for 0
	e.Empty(ch)
	e.settled("Return", d.Return())
	d = e.Holds(ch, 0, 2)
	e.Empty(ch)
	e.settled("Done", d.Done())
	batch.Blocked()
	e.Receives(ch, 1)
	e.settled("Done", r.D.Done())
	second.Succeeded()
	d = e.Holds(ch, 2, 1)
	batch.Blocked()
	e.settled("Done", d.Done())
	if batch.Succeeded(); batch.N != 3 {
		e.Fatalf("SendAll of 3 returned %d", batch.N)
	}
}

func lawSendAllRejected(e *Env) {
	ch := e.Chan(0)
	batch := e.SendAll(ch, 0, 1, 2)
	e.Receives(ch, 0)
	d := e.Holds(ch, 1, 1)
	e.settled("Reject", d.Reject("no"))
	if batch.Failed(errRejected); batch.N != 1 {
		e.Fatalf("SendAll returned %d, want 1", batch.N)
	}
	e.Empty(ch)
}
