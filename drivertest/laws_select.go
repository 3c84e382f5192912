package drivertest

import (
	"sync"

	"github.com/handoff-go/handoff/driver"
)

var selectLaws = []Law{
	{
		Name:   "L6/one-case-takes-effect",
		Says:   "a select completes exactly one of its cases: a value offered on four channels arrives on one",
		Source: "L6; research 21; chan/doubleselect.go",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawDoubleSelect,
	}, {
		Name:   "L6/losing-cases-have-no-effect",
		Says:   "of a select's ready cases those not chosen have sent nothing and consumed nothing",
		Source: "L6, L7; research 21, 33",
		Needs:  []Feature{FeatureSelect},
		Run:    lawLosers,
	}, {
		Name:   "L6/any-case-wakes",
		Says:   "a waiting select ends by whichever of its cases becomes ready, the first, the last and any between",
		Source: "L6; research 31",
		Needs:  []Feature{FeatureSelect},
		Run:    lawAnyCaseWakes,
	}, {
		Name:   "L6/leaving-a-line-keeps-the-line",
		Says:   "a select that loses on a channel leaves that channel's line whole, wherever in it it stood: those behind still wake, in order",
		Source: "L6; research 29; chan/select6.go",
		Needs:  []Feature{FeatureSelect},
		Run:    lawLeavingLine,
	}, {
		Name:   "L6/cancelled-select-leaves-every-line",
		Says:   "a select whose context ends leaves all its lines: nothing is handed to it afterwards, and nothing of it is received",
		Source: "L6, L8; research 42",
		Needs:  []Feature{FeatureSelect, FeatureCancel},
		Run:    lawCancelledSelect,
	}, {
		Name:   "L6/one-channel-many-times",
		Says:   "the same channel may stand in one select many times; one case wins, and the line is whole afterwards",
		Source: "L6; research 27; TestSelectDuplicateChannel",
		Needs:  []Feature{FeatureSelect},
		Run:    lawDuplicates,
	}, {
		Name:   "L6/every-phrasing-is-the-same",
		Says:   "a plain operation, a try, a select of one, a select of two and a select with default meet each other as plain operations do",
		Source: "chan/select5.go, chan/select7.go",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Run:    lawPhrasings,
	}, {
		Name:   "L6/opposite-orders",
		Says:   "selects that name the same channels in opposite orders never stop each other",
		Source: "L6; research 28",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawOppositeOrders,
	}, {
		Name:   "L6/many-cases",
		Says:   "a select may have tens of thousands of cases, and the last is as good as the first",
		Source: "research 32; TestSelectMaxCases",
		Needs:  []Feature{FeatureSelect, FeatureSharedHeap},
		Run:    lawManyCases,
	}, {
		Name:   "L6/select-without-live-cases",
		Says:   "a select with no live case waits until its context ends and returns -1 with that error",
		Source: "DESIGN 2; research 20, 32; chan/select3.go",
		Needs:  []Feature{FeatureSelect, FeatureCancel},
		Run:    lawNoLiveCase,
	}, {
		Name:   "L6/select-whose-channel-closes-and-nils",
		Says:   "a loop that drops each channel as it closes sees every value and ends",
		Source: "chan/select.go, ken/chan.go",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawDropping,
	},
}

func lawDoubleSelect(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		n := e.Scale(10_000)
		chs := []Chan[int]{e.Chan(slots), e.Chan(slots), e.Chan(slots), e.Chan(slots)}
		seen := make(tally, n)
		e.Together(len(chs)+1, func(who int) {
			if who < len(chs) {
				for v, err := range chs[who].All(e.Ctx) {
					if err != nil {
						e.Errorf("All: %v", err)
						return
					}
					seen.add(e, v)
				}
				return
			}
			for v := range n {
				var cases []Case
				for _, ch := range chs {
					cases = append(cases, ch.OnSend(v, nil))
				}
				if _, err := e.Select(e.Ctx, cases...); err != nil {
					e.Errorf("Select: %v", err)
					return
				}
			}
			for _, ch := range chs {
				ch.Close()
			}
		})
		seen.complete(e)
	})
}

func lawLosers(e *Env) {
	for range 30 {
		a, b, c := e.Chan(1), e.Chan(1), e.Chan(1)
		e.Sends(a, 1)
		e.Sends(b, 2)
		ran := 0
		count := func(int, bool) { ran++ }
		i, err := e.Select(e.Ctx, a.OnRecv(count), b.OnRecv(count), c.OnSend(3, func() { ran++ }))
		e.OK("Select", err)
		if ran != 1 {
			e.Fatalf("a select ran the functions of %d cases", ran)
		}
		for n, want := range map[int]Chan[int]{0: a, 1: b} {
			if n == i {
				e.Empty(want)
			} else {
				e.Receives(want, n+1)
			}
		}
		if i == 2 {
			e.Receives(c, 3)
		} else {
			e.Empty(c)
		}
	}
	e.each([]int{0, 1}, func(slots int) { // by a wake
		a, b := e.Chan(slots), e.Chan(slots)
		e.sendQueue(b, slots, 0)
		v := 0
		op := e.Sel(recvArm(a, &v), sendArm(b, 50))
		op.Blocked()
		e.Sends(a, 1)
		op.Chose(0)
		for i := range slots {
			e.Receives(b, i)
		}
		e.Empty(b)
		e.sendQueue(a, slots, 0)
		for i := range slots {
			e.Receives(a, i)
		}
		e.Empty(a)
	})
}

func lawAnyCaseWakes(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		for _, n := range []int{1, 2, 3, 8} {
			for at := range n {
				arms := make([]arm, n)
				chs := make([]Chan[int], n)
				vs := make([]int, n)
				for i := range chs {
					chs[i] = e.Chan(slots)
					if arms[i] = recvArm(chs[i], &vs[i]); i%2 == 1 {
						e.sendQueue(chs[i], slots, 0)
						arms[i] = sendArm(chs[i], 70+i)
					}
				}
				op := e.Sel(arms...)
				op.Blocked()
				if at%2 == 0 {
					e.Sends(chs[at], 7)
					if op.Chose(at); vs[at] != 7 {
						e.Fatalf("case %d got %d, want 7", at, vs[at])
					}
					continue
				}
				for i := range slots {
					e.Receives(chs[at], i)
				}
				if slots == 0 {
					e.Receives(chs[at], 70+at)
				}
				op.Chose(at)
			}
		}
	})
}

func lawLeavingLine(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		const line = 5
		for at := range line {
			ch, other := e.Chan(slots), e.Chan(slots)
			var ops []*Op
			for i := range line {
				if i == at {
					ops = append(ops, e.Sel(recvArm(ch, nil), recvArm(other, nil)))
				} else {
					ops = append(ops, e.Recv(ch))
				}
			}
			e.Sends(other, 1)
			ops[at].Chose(1)
			ops = append(ops, e.Recv(ch)) // joins behind
			for i, op := range ops {
				if i != at {
					e.Sends(ch, i)
					op.Got(i)
				}
			}
		}
	})
}

func lawCancelledSelect(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		a, b := e.Chan(slots), e.Chan(slots)
		e.sendQueue(b, slots, 0)
		ctx, cancel := e.ending()
		op := e.SelCtx(ctx, recvArm(a, nil), sendArm(b, 50))
		op.Blocked()
		cancel()
		e.Settle()
		if op.Failed(ctx.Err()); op.N != -1 {
			e.Fatalf("a cancelled select returned index %d", op.N)
		}
		r := e.Recv(a)
		e.Sends(a, 1)
		r.Got(1)
		for i := range slots {
			e.Receives(b, i)
		}
		e.Empty(b)
	})
}

func lawDuplicates(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch, other := e.Chan(slots), e.Chan(slots)
		first := e.Recv(ch)
		v := 0
		dup := e.Sel(recvArm(ch, &v), recvArm(ch, &v), recvArm(other, nil), recvArm(ch, &v))
		last := e.Recv(ch)
		e.Sends(ch, 1)
		first.Got(1)
		e.Sends(ch, 2)
		if dup.Succeeded(); dup.N == 2 || v != 2 {
			e.Fatalf("the select chose %d with value %d", dup.N, v)
		}
		e.Sends(ch, 3)
		last.Got(3)

		e.sendQueue(ch, slots, 0)
		dup = e.Sel(sendArm(ch, 50), sendArm(ch, 51), sendArm(ch, 52))
		for i := range slots {
			e.Receives(ch, i)
		}
		got, ok, _ := ch.TryRecv()
		if dup.Succeeded(); !ok || got != 50+dup.N {
			e.Fatalf("the select chose %d and the value was %d (%v)", dup.N, got, ok)
		}
		e.Empty(ch)
	})
}

func lawPhrasings(e *Env) {
	quiet := e.Chan(1)
	sel := func(e *Env, cases ...Case) { _, err := e.Select(e.Ctx, cases...); e.OK("Select", err) }
	sends := map[string]func(ch Chan[int]){
		"plain":     func(ch Chan[int]) { ch.Send(e.Ctx, 5) },
		"select 1":  func(ch Chan[int]) { sel(e, ch.OnSend(5, nil)) },
		"select 2":  func(ch Chan[int]) { sel(e, quiet.OnRecv(nil), ch.OnSend(5, nil)) },
		"select 2r": func(ch Chan[int]) { sel(e, ch.OnSend(5, nil), quiet.OnRecv(nil)) },
	}
	recvs := map[string]func(ch Chan[int]) int{
		"plain":    func(ch Chan[int]) int { v, _ := ch.Recv(e.Ctx); return v },
		"select 1": func(ch Chan[int]) (v int) { sel(e, ch.OnRecv(func(x int, _ bool) { v = x })); return v },
		"select 2": func(ch Chan[int]) (v int) {
			sel(e, ch.OnRecv(func(x int, _ bool) { v = x }), quiet.OnRecv(nil))
			return v
		},
		"try": func(ch Chan[int]) int { v, _, _ := ch.TryRecv(); return v },
		"default": func(ch Chan[int]) (v int) {
			sel(e, ch.OnRecv(func(x int, _ bool) { v = x }), e.H.Default(nil))
			return v
		},
	}
	tries := map[string]func(ch Chan[int]){
		"try":     func(ch Chan[int]) { ch.TrySend(5) },
		"default": func(ch Chan[int]) { sel(e, ch.OnSend(5, nil), e.H.Default(nil)) },
	}
	e.each([]int{0, 1, 2}, func(slots int) {
		for sn, send := range sends {
			for rn, recv := range recvs { // the sender first
				ch := e.Chan(slots)
				s := e.Start(sn+" to "+rn, []wait{{on: ch, sends: true}}, func(*Op) { send(ch) })
				if v := recv(ch); v != 5 {
					e.Fatalf("%s to %s, %d slots: received %d", sn, rn, slots, v)
				}
				s.Succeeded()
			}
		}
		for rn, recv := range recvs { // the receiver first
			if rn == "try" || rn == "default" {
				continue
			}
			for _, group := range []map[string]func(Chan[int]){sends, tries} {
				for sn, send := range group {
					ch := e.Chan(slots)
					r := e.Start(sn+" to "+rn, []wait{{on: ch}}, func(op *Op) { op.V = recv(ch) })
					send(ch)
					r.Got(5)
				}
			}
		}
	})
}

func lawOppositeOrders(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		a, b, c := e.Chan(slots), e.Chan(slots), e.Chan(slots)
		orders := [][]Chan[int]{{a, b, c}, {c, b, a}, {b, a, c}, {a, c, b}}
		turns := e.Scale(5000)
		e.Together(2*len(orders), func(who int) {
			order := orders[who/2]
			for i := range turns {
				var cases []Case
				for _, ch := range order {
					if who%2 == 0 {
						cases = append(cases, ch.OnSend(i, nil))
					} else {
						cases = append(cases, ch.OnRecv(nil))
					}
				}
				if _, err := e.Select(e.Ctx, cases...); err != nil {
					e.Errorf("turn %d: %v", i, err)
					return
				}
			}
		})
	})
}

func lawManyCases(e *Env) {
	const cases, channels = 60_000, 600
	chs := make([]Chan[int], channels)
	for i := range chs {
		chs[i] = e.Chan(1)
	}
	last := e.Chan(1)
	var all []Case
	for i := range cases {
		all = append(all, chs[i%channels].OnRecv(nil))
	}
	v := 0
	all = append(all, last.OnRecv(func(x int, _ bool) { v = x }))
	op := e.Start("Select", nil, func(op *Op) { op.N, op.Err = e.Select(e.Ctx, all...) })
	op.Blocked()
	e.Sends(last, 8)
	if op.Chose(cases); v != 8 {
		e.Fatalf("the last case got %d", v)
	}
	e.Sends(chs[3], 1) // nobody is left in its line
	e.Receives(chs[3], 1)
}

func lawNoLiveCase(e *Env) {
	for _, arms := range [][]arm{{}, {{c: e.H.Nil().OnRecv(nil)}}, {{c: e.H.Nil().OnRecv(nil)}, {c: e.H.Nil().OnSend(1, nil)}}} {
		ctx, cancel := e.ending()
		op := e.SelCtx(ctx, arms...)
		op.Blocked()
		cancel()
		e.Settle()
		if op.Failed(ctx.Err()); op.N != -1 {
			e.Fatalf("a select of %d nil cases returned index %d", len(arms), op.N)
		}
	}
}

func lawDropping(e *Env) {
	const channels = 5
	per := e.Scale(1000)
	chs := make([]Chan[int], channels)
	var wg sync.WaitGroup
	for c := range chs {
		chs[c] = e.Chan(e.few(c % 2))
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range per {
				if err := chs[c].Send(e.Ctx, i); err != nil {
					e.Errorf("Send: %v", err)
				}
			}
			chs[c].Close()
		}()
	}
	n := 0
	live := append([]Chan[int]{}, chs...)
	for len(live) > 0 {
		var cases []Case
		closed := false
		for _, ch := range live {
			cases = append(cases, ch.OnRecv(func(_ int, ok bool) { closed = !ok }))
		}
		i, err := e.Select(e.Ctx, cases...)
		e.OK("Select", err)
		if !closed {
			n++
			continue
		}
		e.Is("send on the closed one", live[i].Send(e.Ctx, 0), driver.ErrClosed)
		live = append(live[:i:i], live[i+1:]...)
	}
	if e.join(&wg); n != channels*per {
		e.Fatalf("%d values, want %d", n, channels*per)
	}
}
