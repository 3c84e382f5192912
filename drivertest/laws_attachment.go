package drivertest

import "github.com/handoff-go/handoff/driver"

var attachmentLaws = []Law{
	{
		Name:   "L1/detach-ends-blocked-operations",
		Says:   "Detach ends the blocked operations of its attachment with ErrDetached, and refuses later ones; a second Detach is ErrDetached",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureDetach},
		Run:    lawDetach,
	}, {
		Name:   "L1/detach-ends-selects",
		Says:   "Detach ends a select that waits on its attachment with ErrDetached, and nothing of it is received",
		Source: "DESIGN 2; L6",
		Needs:  []Feature{FeatureDetach, FeatureSelect},
		Run:    lawDetachSelect,
	}, {
		Name:   "L1/detach-leaves-the-others",
		Says:   "Detach leaves the channel open for other attachments: their operations go on, and values in slots stay",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureDetach, FeatureAttachments},
		Run:    lawDetachOthers,
	}, {
		Name:   "L13/detach-of-the-sender-during-a-hold-is-doubt",
		Says:   "a sender that detaches while its value is held gets ErrDetached and ErrInDoubt; the holder may confirm, its Return gets ErrAbandoned",
		Source: "L1, L13",
		Needs:  []Feature{FeatureDetach, FeatureAttachments, FeatureHold, FeatureRendezvous},
		Run:    lawDetachHeldSender,
	}, {
		Name:   "L5/close-when-the-senders-are-gone",
		Says:   "with CloseWhenSendersGone the channel closes when its last sending attachment is gone, and not before; what was accepted is received",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSendersGone, FeatureDetach, FeatureAttachments},
		Run:    lawSendersGone,
	}, {
		Name:   "L5/without-it-detach-does-not-close",
		Says:   "without CloseWhenSendersGone the channel stays open when its last sender is gone",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureDetach, FeatureAttachments},
		Run: func(e *Env) {
			chs := e.Attach(Spec{Slots: 1, OneWay: true}, 2)
			e.Sends(chs[0], 1)
			e.settled("Detach", chs[0].Detach())
			e.Receives(chs[1], 1)
			r := e.Recv(chs[1])
			r.Blocked()
		},
	},
}

func lawDetach(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		r1, r2 := e.Recv(ch), e.Recv(ch)
		e.settled("Detach", ch.Detach())
		r1.Failed(driver.ErrDetached)
		r2.Failed(driver.ErrDetached)
		e.Is("second Detach", ch.Detach(), driver.ErrDetached)
		e.Send(ch, 1).Failed(driver.ErrDetached)
		e.Recv(ch).Failed(driver.ErrDetached)
		ok, err := ch.TrySend(1)
		if e.Is("TrySend", err, driver.ErrDetached); ok {
			e.Fatalf("TrySend succeeded on a detached end")
		}
		_, ok, err = ch.TryRecv()
		if e.Is("TryRecv", err, driver.ErrDetached); ok {
			e.Fatalf("TryRecv succeeded on a detached end")
		}
		e.Is("Close", ch.Close(), driver.ErrDetached)

		ch = e.Chan(slots)
		ops := e.sendQueue(ch, slots, 2)
		e.settled("Detach", ch.Detach())
		for i, op := range ops {
			if i < slots {
				op.Succeeded()
			} else {
				op.Failed(driver.ErrDetached)
			}
		}
	})
}

func lawDetachSelect(e *Env) {
	ch, other := e.Chan(e.few(0)), e.Chan(1)
	op := e.Sel(recvArm(other, nil), recvArm(ch, nil))
	e.settled("Detach", ch.Detach())
	op.Failed(driver.ErrDetached)
	e.Sends(other, 1)
	e.Receives(other, 1)
	op = e.Sel(recvArm(other, nil), sendArm(ch, 1))
	op.Failed(driver.ErrDetached)
}

func lawDetachOthers(e *Env) {
	e.each([]int{0, 2}, func(slots int) {
		chs := e.Attach(Spec{Slots: slots}, 3)
		a, b, c := chs[0], chs[1], chs[2]
		ra, rb := e.Recv(a), e.Recv(b)
		e.settled("Detach", a.Detach())
		ra.Failed(driver.ErrDetached)
		rb.Blocked()
		e.Sends(c, 1)
		rb.Got(1)
		var ops []*Op
		for i := range slots + 1 {
			ops = append(ops, e.Send(b, i))
		}
		e.settled("Detach", b.Detach())
		ops[slots].Failed(driver.ErrDetached)
		for i := range slots {
			e.Receives(c, i)
		}
		e.Empty(c)
	})
}

func lawDetachHeldSender(e *Env) {
	chs := e.Attach(Spec{}, 2)
	s := e.Send(chs[0], 1)
	d := e.Holds(chs[1], 1, 1)
	e.settled("Detach", chs[0].Detach())
	s.Failed(driver.ErrDetached, driver.ErrInDoubt)
	e.Is("Return", d.Return(), driver.ErrAbandoned)
	e.settled("Done", d.Done())
	e.Empty(chs[1])
}

func lawSendersGone(e *Env) {
	chs := e.Attach(Spec{Slots: 3, CloseWhenSendersGone: true}, 2)
	a, b := chs[0], chs[1]
	e.Sends(a, 1)
	e.settled("Detach", a.Detach())
	e.Sends(b, 2)
	e.Receives(b, 1)
	e.Receives(b, 2)
	e.Empty(b) // b may still send
	one := e.Attach(Spec{Slots: 2, CloseWhenSendersGone: true, OneWay: true}, 2)
	e.Sends(one[0], 1)
	e.Sends(one[0], 2)
	e.Receives(one[1], 1)
	e.settled("Detach", one[0].Detach())
	e.Receives(one[1], 2)
	e.Drained(one[1])
	one = e.Attach(Spec{Slots: 2, CloseWhenSendersGone: true, OneWay: true}, 2)
	r := e.Recv(one[1])
	e.settled("Detach", one[0].Detach())
	r.Failed(driver.ErrClosed)
}

// custodyReturnLaws: what a holder had that is gone. Within a process a holder
// is gone when it detaches.
var custodyReturnLaws = []Law{
	{
		Name:   "L10/detach-returns-what-is-held",
		Says:   "what a detached attachment held goes back to its place, attempt raised; its own settlements are then ErrSettled",
		Source: "L10; DESIGN 2",
		Needs:  []Feature{FeatureDetach, FeatureAttachments, FeatureHold},
		Run:    lawDetachReturns,
	}, {
		Name:   "L10/detach-of-one-holder-is-not-anothers",
		Says:   "only what the detached attachment held goes back; others' holds go on",
		Source: "L10",
		Needs:  []Feature{FeatureDetach, FeatureAttachments, FeatureHold},
		Run:    lawDetachOneHolder,
	}, {
		Name:   "L10/nothing-else-makes-a-value-seen-twice",
		Says:   "a value is seen again only after its hold was returned, lapsed or lost with its holder: Stats.Redelivered counts exactly those",
		Source: "L10",
		Needs:  []Feature{FeatureHold, FeatureStats},
		Run:    lawRedelivered,
	},
}

func lawDetachReturns(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		chs := e.Attach(Spec{Slots: slots}, 3)
		from, holder, next := chs[0], chs[1], chs[2]
		var ops []*Op
		for i := range 4 {
			ops = append(ops, e.Send(from, i))
		}
		var ds []Delivery[int]
		for i := range 3 {
			ds = append(ds, e.Holds(holder, i, 1))
		}
		e.settled("Done", ds[1].Done())
		ops[1].Succeeded()
		e.settled("Detach", holder.Detach())
		for _, d := range ds {
			e.Is("Done", d.Done(), driver.ErrSettled)
		}
		for _, i := range []int{0, 2} {
			d := e.Holds(next, i, 2)
			e.settled("Done", d.Done())
		}
		e.Receives(next, 3)
		for _, op := range ops {
			op.Succeeded()
		}
	})
}

func lawDetachOneHolder(e *Env) {
	chs := e.Attach(Spec{Slots: 2}, 2)
	e.Sends(chs[0], 1)
	e.Sends(chs[0], 2)
	mine, other := e.Holds(chs[0], 1, 1), e.Holds(chs[1], 2, 1)
	r := e.Take(chs[0])
	e.settled("Detach", chs[1].Detach())
	if r.Got(2); r.D.Attempt != 2 {
		e.Fatalf("attempt %d, want 2", r.D.Attempt)
	}
	e.Is("Done", other.Done(), driver.ErrSettled)
	e.settled("Done", mine.Done())
	e.settled("Done", r.D.Done())
}

func lawRedelivered(e *Env) {
	ch := e.Chan(2)
	count := func(want uint64) {
		e.Helper()
		if s := ch.Stats(); s.Redelivered != want {
			e.Fatalf("Redelivered = %d, want %d", s.Redelivered, want)
		}
	}
	e.Sends(ch, 1)
	e.Receives(ch, 1)
	e.Sends(ch, 2)
	d := e.Holds(ch, 2, 1)
	count(0)
	e.settled("Return", d.Return())
	count(0) // not yet seen again
	d = e.Holds(ch, 2, 2)
	count(1)
	e.settled("Return", d.Return())
	e.Receives(ch, 2)
	count(2)
}
