package drivertest

import "github.com/handoff-go/handoff/driver"

var deadLetterLaws = []Law{
	{
		Name:   "L13/reject-sends-to-the-dead-letter",
		Says:   "a rejected value that has a slot goes to the dead letter with reason, attempts and origin, and its slot is free",
		Source: "L13 sentence 2; DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureDeadLetter},
		Run:    lawDeadLetter,
	}, {
		Name:   "L13/a-full-dead-letter-keeps-the-hold",
		Says:   "Reject on a full dead letter is ErrFull and changes nothing: the hold goes on and may be settled otherwise",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureDeadLetter},
		Run:    lawDeadLetterFull,
	}, {
		Name:   "L13/a-rejected-sender-keeps-its-value",
		Says:   "a rejected value whose sender still waits goes back to it, not to the dead letter",
		Source: "L13 sentence 2",
		Needs:  []Feature{FeatureHold, FeatureDeadLetter, FeatureRendezvous},
		Run: func(e *Env) {
			dead := e.H.DeadLetter(e, 4)
			ch := e.Make(Spec{DeadLetter: dead.URL})
			s := e.Send(ch, 1)
			d := e.Holds(ch, 1, 1)
			e.settled("Reject", d.Reject("no"))
			s.Failed(driver.ErrRejected)
			if v, ok := dead.Try(); ok {
				e.Fatalf("the sender has the value back, and the dead letter got %v", v)
			}
		},
	}, {
		Name:   "L13/attempts-are-bounded",
		Says:   "a value returned after its last attempt is rejected for \"attempts exhausted\": to the dead letter from a slot, to its sender without one",
		Source: "DESIGN 2 (MaxAttempts)",
		Needs:  []Feature{FeatureHold, FeatureDeadLetter, FeatureRendezvous},
		Run:    lawMaxAttempts,
	}, {
		Name:   "L13/a-lapse-counts-as-an-attempt",
		Says:   "a hold that lapses after the last attempt sends the value to the dead letter, not round again",
		Source: "L13; DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureDeadLetter, FeatureHoldTime},
		Timed:  true,
		Run:    lawLapseExhausts,
	}, {
		Name:   "L13/a-dead-holders-abandoned-value-goes-to-the-dead-letter",
		Says:   "when sender and holder of a value are both gone it goes to the dead letter",
		Source: "L13 sentence 5",
		Needs:  []Feature{FeatureHold, FeatureDeadLetter, FeatureDetach, FeatureCancel, FeatureRendezvous},
		Run:    lawBothGone,
	},
}

func lawDeadLetter(e *Env) {
	dead := e.H.DeadLetter(e, 4)
	ch := e.Make(Spec{Slots: 1, Name: "orders", DeadLetter: dead.URL})
	e.Sends(ch, 5)
	d := e.Holds(ch, 5, 1)
	e.settled("Return", d.Return())
	d = e.Holds(ch, 5, 2)
	blocked := e.Send(ch, 6)
	blocked.Blocked()
	e.settled("Reject", d.Reject("unreadable"))
	blocked.Succeeded()
	got, ok := dead.Try()
	want := Dead{5, "unreadable", 2, "orders"}
	if e.H.Far && got.From != "" {
		want.From = got.From // the name the channel has at its home
	}
	if !ok || got != want {
		e.Fatalf("the dead letter got %+v (%v), want %+v", got, ok, want)
	}
	e.Receives(ch, 6)
	if s := ch.Stats(); e.H.Has[FeatureStats] && s.Rejected != 1 {
		e.Fatalf("Stats counts %d rejections", s.Rejected)
	}
}

func lawDeadLetterFull(e *Env) {
	dead := e.H.DeadLetter(e, 1)
	ch := e.Make(Spec{Slots: 3, DeadLetter: dead.URL})
	for i := range 3 {
		e.Sends(ch, i)
	}
	d := e.Holds(ch, 0, 1)
	e.settled("Reject", d.Reject("first"))
	d = e.Holds(ch, 1, 1)
	e.Is("Reject", d.Reject("second"), driver.ErrFull)
	e.held(ch, 1, 1)
	e.settled("Return", d.Return())
	d = e.Holds(ch, 1, 2)
	e.Is("Reject", d.Reject("second"), driver.ErrFull)
	if got, ok := dead.Try(); !ok || got.Value != 0 {
		e.Fatalf("the dead letter holds %+v, %v", got, ok)
	}
	e.settled("Reject", d.Reject("third"))
	if got, ok := dead.Try(); !ok || got.Value != 1 || got.Reason != "third" || got.Attempts != 2 {
		e.Fatalf("the dead letter holds %+v, %v", got, ok)
	}
	e.Is("Done", d.Done(), driver.ErrSettled)
	e.Receives(ch, 2)
}

func lawMaxAttempts(e *Env) {
	dead := e.H.DeadLetter(e, 4)
	for _, slots := range []int{0, 1} {
		ch := e.Make(Spec{Slots: slots, DeadLetter: dead.URL, MaxAttempts: 3})
		s := e.Send(ch, 7)
		for attempt := 1; attempt <= 3; attempt++ {
			d := e.Holds(ch, 7, attempt)
			e.settled("Return", d.Return())
		}
		e.Empty(ch)
		got, ok := dead.Try()
		if slots == 0 {
			if s.Failed(driver.ErrRejected); ok {
				e.Fatalf("the sender has the value back, and the dead letter got %+v", got)
			}
			if e.H.ReasonOf != nil && e.H.ReasonOf(s.Err) != "attempts exhausted" {
				e.Fatalf("the reason is %q", e.H.ReasonOf(s.Err))
			}
			continue
		}
		if !ok || got.Value != 7 || got.Attempts != 3 || got.Reason != "attempts exhausted" {
			e.Fatalf("the dead letter got %+v (%v)", got, ok)
		}
		e.Sends(ch, 8) // the slot is free
	}
}

func lawLapseExhausts(e *Env) {
	dead := e.H.DeadLetter(e, 4)
	ch := e.Make(Spec{Slots: 1, DeadLetter: dead.URL, MaxAttempts: 2, MaxHold: tick})
	e.Sends(ch, 7)
	e.Holds(ch, 7, 1)
	e.Advance(2 * tick)
	d := e.Holds(ch, 7, 2)
	e.Advance(2 * tick)
	e.Empty(ch)
	e.Is("Done", d.Done(), driver.ErrSettled)
	if got, ok := dead.Try(); !ok || got.Value != 7 || got.Attempts != 2 {
		e.Fatalf("the dead letter got %+v (%v)", got, ok)
	}
	e.Sends(ch, 8)
}

func lawBothGone(e *Env) {
	dead := e.H.DeadLetter(e, 4)
	ch := e.Make(Spec{DeadLetter: dead.URL})
	ctx, cancel := e.ending()
	s := e.SendCtx(ctx, ch, 9)
	d := e.Holds(ch, 9, 1)
	cancel()
	e.Settle()
	s.Failed(driver.ErrInDoubt)
	e.settled("Detach", ch.Detach())
	if got, ok := dead.Try(); !ok || got.Value != 9 || got.Attempts != 1 {
		e.Fatalf("the dead letter got %+v (%v)", got, ok)
	}
	e.Is("Done", d.Done(), driver.ErrSettled)
}
