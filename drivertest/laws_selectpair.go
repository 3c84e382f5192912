package drivertest

import "sync/atomic"

var selectPairLaws = []Law{
	{
		Name:   "L6/a-select-never-meets-itself",
		Says:   "a select that offers to send and to receive on one channel without slots never pairs with itself",
		Source: "L6; research 25; chan/select3.go, TestSelfSelect",
		Needs:  []Feature{FeatureSelect, FeatureRendezvous},
		Run:    lawSelfSelect,
	}, {
		Name:   "L6/a-select-never-meets-itself-in-a-storm",
		Says:   "goroutines that each offer to send and to receive on one channel neither stop for ever nor receive their own value; with slots they may",
		Source: "TestSelfSelect",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawSelfSelectStorm,
	}, {
		Name:   "L6/two-selects-pair",
		Says:   "two selects that both offer to send and to receive on one channel without slots meet: one sends, one receives",
		Source: "research 25",
		Needs:  []Feature{FeatureSelect, FeatureRendezvous},
		Run:    lawTwoSelectsPair,
	}, {
		Name:   "L6/perfect-matching",
		Says:   "an even number of selects that each offer to send and to receive pair up completely; of an odd number one is left waiting",
		Source: "research 26; crossbeam matching, matching_with_leftover",
		Needs:  []Feature{FeatureSelect, FeatureRendezvous},
		Storm:  true,
		Run:    lawMatching,
	}, {
		Name:   "L6/a-matching-leaves-one",
		Says:   "the odd one of selects that pair up waits, and is met by the next that comes",
		Source: "research 26; crossbeam matching_with_leftover",
		Needs:  []Feature{FeatureSelect, FeatureRendezvous, FeatureCancel},
		Bubble: true,
		Run:    lawMatchingLeftover,
	},
}

func lawSelfSelect(e *Env) {
	ch := e.Chan(0)
	v := 0
	op := e.Sel(sendArm(ch, 1), recvArm(ch, &v))
	op.Blocked()
	e.Receives(ch, 1)
	op.Chose(0)
	op = e.Sel(sendArm(ch, 2), recvArm(ch, &v))
	op.Blocked()
	e.Sends(ch, 3)
	if op.Chose(1); v != 3 {
		e.Fatalf("the select received %d, want 3", v)
	}
	e.Full(ch)
	e.Empty(ch)
	if !e.H.Has[FeatureDefault] {
		return
	}
	i, err := e.Select(e.Ctx, ch.OnSend(4, nil), ch.OnRecv(nil), e.H.Default(nil))
	if e.OK("Select", err); i != 2 {
		e.Fatalf("a select with default met itself in case %d", i)
	}
}

func lawSelfSelectStorm(e *Env) {
	// Without slots every turn of one is a turn of the other, so both end; with
	// slots there is always room or a value.
	e.each([]int{0, 10}, func(slots int) {
		ch := e.Chan(slots)
		turns := e.Scale(4000)
		e.Together(2, func(who int) {
			for i := range turns {
				pick := func(v int, _ bool) {
					if slots == 0 && v == who {
						e.Errorf("goroutine %d received its own value", who)
					}
				}
				cases := []Case{ch.OnSend(who, nil), ch.OnRecv(pick)}
				if (who+i)%2 == 1 {
					cases[0], cases[1] = cases[1], cases[0]
				}
				if _, err := e.Select(e.Ctx, cases...); err != nil {
					e.Errorf("turn %d: %v", i, err)
					return
				}
			}
		})
	})
}

func lawTwoSelectsPair(e *Env) {
	for range 20 {
		ch := e.Chan(0)
		got := [2]int{-1, -1}
		a := e.Sel(sendArm(ch, 10), recvArm(ch, &got[0]))
		a.Blocked()
		b := e.Sel(recvArm(ch, &got[1]), sendArm(ch, 11))
		a.Succeeded()
		b.Succeeded()
		aSent, bSent := a.N == 0, b.N == 1
		switch {
		case aSent == bSent:
			e.Fatalf("of two selects that met, %v and %v say that they sent", aSent, bSent)
		case aSent && got != [2]int{-1, 10}, bSent && got != [2]int{11, -1}:
			e.Fatalf("two selects that met received %v", got)
		}
	}
}

func lawMatching(e *Env) {
	const k = 44
	for range e.Scale(300) {
		ch := e.Chan(0)
		var sent, received atomic.Int64
		seen := make(tally, k)
		e.Together(k, func(who int) {
			i, err := e.Select(e.Ctx, ch.OnSend(who, nil), ch.OnRecv(func(v int, _ bool) {
				if v == who {
					e.Errorf("a select received its own value")
				}
				seen.add(e, v)
			}))
			switch {
			case err != nil:
				e.Errorf("Select: %v", err)
			case i == 0:
				sent.Add(1)
			default:
				received.Add(1)
			}
		})
		if sent.Load() != k/2 || received.Load() != k/2 {
			e.Fatalf("%d selects paired up as %d senders and %d receivers", k, sent.Load(), received.Load())
		}
	}
}

func lawMatchingLeftover(e *Env) {
	const k = 7
	ch := e.Chan(0)
	ctx, cancel := e.ending()
	var ops []*Op
	for i := range k {
		ops = append(ops, e.launch("Select", nil, func(op *Op) {
			op.N, op.Err = e.Select(ctx, ch.OnSend(i, nil), ch.OnRecv(nil))
		}))
	}
	e.Settle()
	if n := len(e.unfinished()); n != 1 {
		e.Fatalf("%d of %d selects are left waiting, want 1", n, k)
	}
	e.Sends(ch, 99) // the one that is left receives
	if n := len(e.unfinished()); n != 0 {
		e.Fatalf("%d selects are left waiting after one more value", n)
	}
	cancel()
	for _, op := range ops {
		op.Succeeded()
	}
}
