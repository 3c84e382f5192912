package drivertest

var stopLaws = []Law{
	{
		Name:   "L5/stop-asks-and-does-not-close",
		Says:   "Stop tells the senders that select on OnStop, with its reason; the channel stays open and sends succeed",
		Source: "DESIGN 2; issue 2 section 2",
		Needs:  []Feature{FeatureStop, FeatureSelect},
		Run:    lawStop,
	}, {
		Name:   "L5/stop-stays",
		Says:   "OnStop stays ready once stopped, for every sender; a second Stop is nil and the first reason stays",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureStop, FeatureSelect},
		Run:    lawStopStays,
	}, {
		Name:   "L6/stop-case-and-the-others",
		Says:   "a stop case is never chosen before the stop, and a send beside it that lost is not sent",
		Source: "L6",
		Needs:  []Feature{FeatureStop, FeatureSelect, FeatureDefault},
		Run:    lawStopCase,
	}, {
		Name:   "L5/the-last-receiver-gone-is-a-stop",
		Says:   "when the last receiving attachment is gone, OnStop fires",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureStop, FeatureSelect, FeatureDetach, FeatureAttachments},
		Run:    lawLastReceiver,
	},
}

func stopArm(ch Chan[int], reason *string) arm {
	return arm{c: ch.OnStop(func(r string) { *reason = r })}
}

func lawStop(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		e.sendQueue(ch, slots, 0)
		var reason string
		op := e.Sel(stopArm(ch, &reason), sendArm(ch, 50))
		op.Blocked()
		e.settled("Stop", ch.Stop("enough"))
		if op.Chose(0); reason != "enough" {
			e.Fatalf("the reason that arrived: %q", reason)
		}
		for i := range slots {
			e.Receives(ch, i)
		}
		e.Empty(ch)
		s := e.Send(ch, 1)
		e.Receives(ch, 1)
		s.Succeeded()
		if st := ch.Stats(); e.H.Has[FeatureStats] && (!st.Stopped || st.Closed) {
			e.Fatalf("Stats: stopped %v, closed %v", st.Stopped, st.Closed)
		}
	})
}

func lawStopStays(e *Env) {
	ch := e.Chan(1)
	e.settled("Stop", ch.Stop("first"))
	e.settled("second Stop", ch.Stop("second"))
	for range 3 {
		var reason string
		if e.Sel(stopArm(ch, &reason)).Chose(0); reason != "first" {
			e.Fatalf("the reason is %q", reason)
		}
	}
	many := e.Chan(1)
	var reasons [5]string
	var ops []*Op
	for i := range reasons {
		ops = append(ops, e.Sel(stopArm(many, &reasons[i]), arm{c: e.H.Nil().OnRecv(nil)}))
	}
	e.settled("Stop", many.Stop("all"))
	for i, op := range ops {
		if op.Chose(0); reasons[i] != "all" {
			e.Fatalf("waiter %d was told %q", i, reasons[i])
		}
	}
}

func lawStopCase(e *Env) {
	ch := e.Chan(e.few(0))
	i, err := e.Select(e.Ctx, ch.OnStop(nil), e.H.Default(nil))
	if e.OK("Select", err); i != 1 {
		e.Fatalf("a stop case was chosen before the stop")
	}
	var reason string
	for range ch.Cap() {
		e.Sends(ch, 0)
	}
	op := e.Sel(sendArm(ch, 1), stopArm(ch, &reason))
	op.Blocked()
	for range ch.Cap() {
		e.Receives(ch, 0)
	}
	e.Receives(ch, 1)
	if op.Chose(0); reason != "" {
		e.Fatalf("the stop case ran too: %q", reason)
	}
	e.settled("Stop", ch.Stop("now"))
	i, err = e.Select(e.Ctx, ch.OnStop(nil), e.H.Default(nil))
	if e.OK("Select", err); i != 0 {
		e.Fatalf("a stop case was not ready after the stop")
	}
}

func lawLastReceiver(e *Env) {
	chs := e.Attach(Spec{Slots: 1, OneWay: true}, 3)
	reason := ""
	op := e.Sel(stopArm(chs[0], &reason), arm{c: e.H.Nil().OnRecv(nil)})
	e.settled("Detach", chs[1].Detach())
	op.Blocked()
	e.settled("Detach", chs[2].Detach())
	if op.Chose(0); reason == "" {
		e.Fatalf("the senders were told nothing of why")
	}
	e.Sends(chs[0], 1) // and may go on
}
