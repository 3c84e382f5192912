package drivertest

import (
	"sync/atomic"
)

var selectorLaws = []Law{
	{
		Name:   "L6/selector-selects-again-and-again",
		Says:   "a select made once chooses as a fresh one would, every time",
		Source: "DESIGN 2; crossbeam reuse",
		Needs:  []Feature{FeatureSelector},
		Run:    lawSelectorReuse,
	}, {
		Name:   "L6/selector-reads-its-variables-at-the-start",
		Says:   "a send case with a variable sends what the variable holds when the select begins",
		Source: "DESIGN 2 (reusable select); research 33",
		Needs:  []Feature{FeatureSelector},
		Run:    lawSelectorVar,
	}, {
		Name:   "L6/selector-case-switched-off",
		Says:   "a case that is switched off is never chosen, and is itself again when switched on",
		Source: "DESIGN 2 (reusable select); chan/select.go",
		Needs:  []Feature{FeatureSelector},
		Run:    lawSelectorEnable,
	}, {
		Name:   "L6/selector-in-order",
		Says:   "a reusable select takes the first ready in order when asked to",
		Source: "L6; research 49",
		Needs:  []Feature{FeatureSelector, FeatureSelectFirst},
		Run: func(e *Env) {
			a, b := e.Chan(1), e.Chan(1)
			s := e.NewSelector(a.OnRecv(nil), b.OnRecv(nil))
			for range 50 {
				for _, ch := range []Chan[int]{a, b} {
					if ch.Len() == 0 {
						e.Sends(ch, 1)
					}
				}
				i, err := s.SelectFirst(e.Ctx)
				if e.OK("SelectFirst", err); i != 0 {
					e.Fatalf("chose %d", i)
				}
			}
		},
	}, {
		Name:   "L6/selector-in-a-storm",
		Says:   "reusable selects on both sides of several channels carry every value once",
		Source: "L1, L6; research 21",
		Needs:  []Feature{FeatureSelector},
		Storm:  true,
		Run:    lawSelectorStorm,
	},
}

func lawSelectorReuse(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		a, b := e.Chan(slots), e.Chan(slots)
		var v int
		s := e.NewSelector(a.OnRecv(func(x int, _ bool) { v = x }), b.OnRecv(func(x int, _ bool) { v = -x }))
		sel := func() *Op {
			return e.Start("Selector.Select", []wait{{on: a, sends: false}, {on: b, sends: false}}, func(op *Op) { op.N, op.Err = s.Select(e.Ctx) })
		}
		for i := 1; i < 40; i++ {
			op := sel()
			op.Blocked()
			if i%3 == 0 {
				e.Sends(a, i)
				if op.Chose(0); v != i {
					e.Fatalf("got %d, want %d", v, i)
				}
			} else {
				e.Sends(b, i)
				if op.Chose(1); v != -i {
					e.Fatalf("got %d, want %d", v, -i)
				}
			}
		}
		e.OK("Close", b.Close())
		sel().Chose(1)
		e.Full(a0(a, slots))
	})
}

// a0 returns ch when it can be full without a receiver, else fills it.
func a0(ch Chan[int], slots int) Chan[int] {
	for range slots {
		ch.TrySend(0)
	}
	return ch
}

func lawSelectorVar(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch, quiet := e.Chan(slots), e.Chan(slots)
		v := 0
		s := e.NewSelector(quiet.OnRecv(nil), ch.OnSendVar(&v, nil))
		for i := range 20 {
			v = 100 + i
			if i%2 == 0 { // a receiver waits
				r := e.Recv(ch)
				n, err := s.Select(e.Ctx)
				if e.OK("Select", err); n != 1 {
					e.Fatalf("chose %d", n)
				}
				r.Got(100 + i)
				continue
			}
			a0(ch, slots)
			op := e.Start("Selector.Select", []wait{{on: quiet, sends: false}, {on: ch, sends: true}}, func(op *Op) { op.N, op.Err = s.Select(e.Ctx) })
			op.Blocked()
			for range slots {
				e.Receives(ch, 0)
			}
			e.Receives(ch, 100+i)
			op.Chose(1)
		}
	})
}

func lawSelectorEnable(e *Env) {
	a, b := e.Chan(2), e.Chan(2)
	s := e.NewSelector(a.OnRecv(nil), b.OnRecv(nil))
	for range 20 {
		for a.Len() < 2 {
			e.Sends(a, 1)
		}
		e.Sends(b, 1)
		s.Enable(0, false)
		n, err := s.Select(e.Ctx)
		if e.OK("Select", err); n != 1 {
			e.Fatalf("a case that is off was chosen")
		}
		s.Enable(0, true)
		n, err = s.Select(e.Ctx)
		if e.OK("Select", err); n != 0 {
			e.Fatalf("a case that is on again was not chosen")
		}
	}
	s.Enable(0, false)
	op := e.Start("Selector.Select", []wait{{on: b}}, func(op *Op) { op.N, op.Err = s.Select(e.Ctx) })
	op.Blocked()
	e.Sends(b, 1)
	op.Chose(1)
}

func lawSelectorStorm(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		const side = 3
		n := e.Scale(6000)
		a, b := e.Chan(slots), e.Chan(slots)
		seen := make(tally, side*n)
		var left atomic.Int64
		left.Store(int64(side * n))
		e.Together(2*side, func(who int) {
			if who < side {
				v := 0
				s := e.NewSelector(a.OnSendVar(&v, nil), b.OnSendVar(&v, nil))
				for i := range n {
					v = who*n + i
					if _, err := s.Select(e.Ctx); err != nil {
						e.Errorf("Select: %v", err)
						return
					}
				}
				return
			}
			got := func(v int, _ bool) { seen.add(e, v) }
			s := e.NewSelector(a.OnRecv(got), b.OnRecv(got))
			for range n {
				if _, err := s.Select(e.Ctx); err != nil {
					e.Errorf("Select: %v", err)
					return
				}
			}
		})
		seen.complete(e)
	})
}
