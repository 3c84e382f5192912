package drivertest

import (
	"math"

	"github.com/handoff-go/handoff/driver"
)

var selectChoiceLaws = []Law{
	{
		Name:   "L6/choice-is-uniform",
		Says:   "among the ready cases each is chosen equally often, within ten standard deviations, wherever they stand",
		Source: "L6; research 22; TestSelectFairness, TestPseudoRandomSend",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawUniform,
	}, {
		Name:   "L6/choice-counts-cases-not-channels",
		Says:   "a channel named three times in a select is chosen three times as often as one named once",
		Source: "research 22; crossbeam fairness_duplicates",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawUniformDuplicates,
	}, {
		Name:   "L6/a-waiting-select-takes-either-of-two-cases",
		Says:   "a select that waits with one channel in two cases of one direction is woken through either, with equal chance",
		Source: "research 22; what Go does",
		Needs:  []Feature{FeatureSelect},
		Run:    lawWaitingDuplicates,
	}, {
		Name:   "L6/choice-is-uniform-over-kinds",
		Says:   "sends, receives and closed channels are chosen equally often when all are ready",
		Source: "research 22",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawUniformMixed,
	}, {
		Name:   "L6/choice-is-uniform-in-a-storm",
		Says:   "of four channels the two that always have a value are served equally, within ten standard deviations",
		Source: "TestSelectFairness",
		Needs:  []Feature{FeatureSelect, FeatureCancel},
		Storm:  true,
		Run:    lawUniformStorm,
	}, {
		Name:   "L6/a-selector-chooses-uniformly-in-every-turn",
		Says:   "what a Selector chose in one turn says nothing about the next, and a SelectFirst in between takes the first",
		Source: "L6; research 22, of a select that learns from its turns",
		Needs:  []Feature{FeatureSelect, FeatureSelector, FeatureSelectFirst},
		Storm:  true,
		Run:    lawUniformTurns,
	}, {
		Name:   "L6/select-first-takes-the-first-ready",
		Says:   "SelectFirst chooses the first ready case in the order given, always",
		Source: "L6; research 49",
		Needs:  []Feature{FeatureSelectFirst},
		Run:    lawSelectFirst,
	}, {
		Name:   "L6/select-first-waits-like-select",
		Says:   "a SelectFirst with nothing ready waits for any of its cases, and its default comes last",
		Source: "research 49",
		Needs:  []Feature{FeatureSelectFirst, FeatureSelect},
		Run:    lawSelectFirstWaits,
	}, {
		Name:   "L6/opposed-select-firsts-go-on",
		Says:   "SelectFirsts with opposite preferences over the same channels never stop each other",
		Source: "research 49; pitfall 25",
		Needs:  []Feature{FeatureSelectFirst, FeatureSelect},
		Storm:  true,
		Run:    lawOpposedFirst,
	},
}

// uniform fails the law unless each of counts is its share of n, within ten
// standard deviations of a fair choice.
func (e *Env) uniform(n int, counts map[int]int, weights map[int]float64) {
	e.Helper()
	for i, p := range weights {
		mean := float64(n) * p
		if off := math.Abs(float64(counts[i]) - mean); off > 10*math.Sqrt(mean*(1-p)) {
			e.Errorf("case %d chosen %d times of %d, want %.0f ± %.0f", i, counts[i], n, mean, 10*math.Sqrt(mean*(1-p)))
		}
	}
}

func lawUniform(e *Env) {
	n := e.Scale(20_000)
	for _, ready := range [][]int{{0, 1}, {1, 3}, {0, 3}, {0, 1, 2, 3}, {2, 5, 7}} {
		chs := make([]Chan[int], 8)
		var cases []Case
		for i := range chs {
			chs[i] = e.Chan(1)
			cases = append(cases, chs[i].OnRecv(nil))
		}
		counts, weights := map[int]int{}, map[int]float64{}
		for _, i := range ready {
			weights[i] = 1 / float64(len(ready))
			e.OK("Send", chs[i].Send(e.Ctx, i))
		}
		for range n {
			i, err := e.Select(e.Ctx, cases...)
			e.OK("Select", err)
			counts[i]++
			e.OK("Send", chs[i].Send(e.Ctx, i))
		}
		e.uniform(n, counts, weights)
	}
	// Two send cases on one channel: both values must come.
	ch := e.Chan(1)
	counts := map[int]int{}
	for range n {
		i, err := e.Select(e.Ctx, ch.OnSend(0, nil), ch.OnSend(1, nil))
		e.OK("Select", err)
		v, err := ch.Recv(e.Ctx)
		if e.OK("Recv", err); v != i {
			e.Fatalf("case %d was chosen and %d arrived", i, v)
		}
		counts[v]++
	}
	e.uniform(n, counts, map[int]float64{0: .5, 1: .5})
}

// lawUniformTurns counts which case follows which.
func lawUniformTurns(e *Env) {
	n := e.Scale(20_000)
	for _, ready := range [][]int{{0, 1}, {1, 3}, {0, 1, 2, 3}} {
		chs := make([]Chan[int], 4)
		var cases []Case
		for i := range chs {
			chs[i] = e.Chan(1)
			cases = append(cases, chs[i].OnRecv(nil))
		}
		for _, i := range ready {
			e.OK("Send", chs[i].Send(e.Ctx, i))
		}
		s := e.NewSelector(cases...)
		counts, weights := map[int]int{}, map[int]float64{}
		for _, i := range ready {
			for _, j := range ready {
				weights[len(chs)*i+j] = 1 / float64(len(ready)*len(ready))
			}
		}
		last := ready[0]
		for turn := range n {
			i, err := s.Select(e.Ctx)
			e.OK("Select", err)
			e.OK("Send", chs[i].Send(e.Ctx, i))
			counts[len(chs)*last+i]++
			last = i
			if turn%5 == 0 {
				i, err := s.SelectFirst(e.Ctx)
				if e.OK("SelectFirst", err); i != ready[0] {
					e.Fatalf("SelectFirst chose %d, and %d was ready", i, ready[0])
				}
				e.OK("Send", chs[i].Send(e.Ctx, i))
			}
		}
		e.uniform(n, counts, weights)
	}
}

func lawUniformDuplicates(e *Env) {
	n := e.Scale(20_000)
	a, b := e.Chan(1), e.Chan(1)
	counts := map[int]int{}
	for range n {
		for _, ch := range []Chan[int]{a, b} {
			if ch.Len() == 0 {
				e.OK("Send", ch.Send(e.Ctx, 0))
			}
		}
		i, err := e.Select(e.Ctx, a.OnRecv(nil), b.OnRecv(nil), a.OnRecv(nil), a.OnRecv(nil))
		e.OK("Select", err)
		counts[i]++
	}
	e.uniform(n, counts, map[int]float64{0: .25, 1: .25, 2: .25, 3: .25})
}

func lawWaitingDuplicates(e *Env) {
	n := min(400, e.Scale(4_000))
	a, b := e.Chan(0), e.Chan(0)
	counts := map[int]int{}
	for range n {
		op := e.Start("Select", []wait{{on: a}, {on: b}, {on: b}}, func(op *Op) {
			op.N, op.Err = e.Select(e.Ctx, a.OnRecv(nil), b.OnRecv(nil), b.OnRecv(nil))
		})
		op.Blocked()
		e.OK("Send", b.Send(e.Ctx, 1))
		op.Succeeded()
		counts[op.N]++
	}
	e.uniform(n, counts, map[int]float64{1: .5, 2: .5})
}

func lawUniformMixed(e *Env) {
	n := e.Scale(20_000)
	in, out, closed := e.Chan(1), e.Chan(1), e.Chan(1)
	e.OK("Close", closed.Close())
	counts := map[int]int{}
	for range n {
		if in.Len() == 0 {
			e.OK("Send", in.Send(e.Ctx, 0))
		}
		if out.Len() == 1 {
			_, err := out.Recv(e.Ctx)
			e.OK("Recv", err)
		}
		i, err := e.Select(e.Ctx, out.OnSend(1, nil), closed.OnRecv(nil), in.OnRecv(nil), e.H.Nil().OnRecv(nil), closed.OnSend(1, nil))
		if i == 4 {
			e.Is("a chosen send on a closed channel", err, driver.ErrClosed)
		} else {
			e.OK("Select", err)
		}
		counts[i]++
	}
	e.uniform(n, counts, map[int]float64{0: .25, 1: .25, 2: .25, 4: .25})
}

func lawUniformStorm(e *Env) {
	const cut = 1 << 30
	n := e.Scale(10_000)
	a, b, quiet := e.Chan(128), e.Chan(128), e.Chan(128)
	never := e.Chan(1)
	ctx, cancel := e.ending()
	var counts [2]int
	e.Together(3, func(who int) {
		if who < 2 {
			ch := []Chan[int]{a, b}[who]
			for {
				if i, _ := e.Select(ctx, ch.OnSend(cut, nil), never.OnRecv(nil)); i != 0 {
					return
				}
			}
		}
		defer cancel()
		for done := 0; done < n; {
			// Count only choices between two that have a value at the moment.
			both := a.Len() > 0 && b.Len() > 0
			i, err := e.Select(e.Ctx, quiet.OnRecv(nil), a.OnRecv(nil), b.OnRecv(nil), never.OnRecv(nil))
			if err != nil || i != 1 && i != 2 {
				e.Errorf("Select = %d, %v", i, err)
				return
			}
			if both {
				counts[i-1]++
				done++
			}
		}
	})
	e.uniform(n, map[int]int{0: counts[0], 1: counts[1]}, map[int]float64{0: .5, 1: .5})
}

func lawSelectFirst(e *Env) {
	a, b, c := e.Chan(1), e.Chan(1), e.Chan(1)
	for range 50 {
		for _, ch := range []Chan[int]{b, c} {
			if ch.Len() == 0 {
				e.Sends(ch, 1)
			}
		}
		i, err := e.SelectFirst(e.Ctx, a.OnRecv(nil), b.OnRecv(nil), c.OnRecv(nil), a.OnSend(1, nil))
		if e.OK("SelectFirst", err); i != 1 {
			e.Fatalf("SelectFirst chose %d, want 1", i)
		}
		i, err = e.SelectFirst(e.Ctx, a.OnSend(1, nil), c.OnRecv(nil))
		if e.OK("SelectFirst", err); i != 0 {
			e.Fatalf("SelectFirst chose %d, want 0", i)
		}
		e.Receives(a, 1)
	}
}

func lawSelectFirstWaits(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		a, b := e.Chan(slots), e.Chan(slots)
		v := 0
		op := e.Start("SelectFirst", []wait{{on: a, sends: false}, {on: b, sends: false}}, func(op *Op) {
			op.N, op.Err = e.SelectFirst(e.Ctx, a.OnRecv(nil), b.OnRecv(func(x int, _ bool) { v = x }))
		})
		op.Blocked()
		e.Sends(b, 4)
		if op.Chose(1); v != 4 {
			e.Fatalf("SelectFirst got %d", v)
		}
		if !e.H.Has[FeatureDefault] {
			return
		}
		r := e.Recv(b)
		i, err := e.SelectFirst(e.Ctx, e.H.Default(nil), a.OnRecv(nil), b.OnSend(1, nil))
		if e.OK("SelectFirst", err); i != 2 {
			e.Fatalf("SelectFirst took case %d, and case 2 was ready", i)
		}
		r.Got(1)
		i, err = e.SelectFirst(e.Ctx, e.H.Default(nil), a.OnRecv(nil))
		if e.OK("SelectFirst", err); i != 0 {
			e.Fatalf("SelectFirst took case %d, want the default", i)
		}
	})
}

func lawOpposedFirst(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		a, b := e.Chan(slots), e.Chan(slots)
		turns := e.Scale(5000)
		e.Together(4, func(who int) {
			x, y := a, b
			if who >= 2 {
				x, y = b, a
			}
			for i := range turns {
				cases := []Case{x.OnSend(i, nil), y.OnSend(i, nil)}
				if who%2 == 0 {
					cases = []Case{x.OnRecv(nil), y.OnRecv(nil)}
				}
				if _, err := e.SelectFirst(e.Ctx, cases...); err != nil {
					e.Errorf("turn %d: %v", i, err)
					return
				}
			}
		})
	})
}
