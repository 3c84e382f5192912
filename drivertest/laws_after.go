package drivertest

import (
	"math"
	"time"
)

var afterLaws = []Law{
	{
		Name:   "L6/after-fires-when-nothing-else-does",
		Says:   "a timer case is chosen when its time has passed since the select began and nothing else was ready",
		Source: "DESIGN 2; research 31, 43",
		Needs:  []Feature{FeatureSelect, FeatureAfter},
		Timed:  true,
		Run:    lawAfterFires,
	}, {
		Name:   "L6/after-loses-without-effect",
		Says:   "a timer case that lost does nothing, and a reused one counts from the next select's beginning",
		Source: "DESIGN 2; crossbeam timeouts",
		Needs:  []Feature{FeatureSelect, FeatureAfter},
		Timed:  true,
		Run:    lawAfterLoses,
	}, {
		Name:   "L6/after-takes-any-duration",
		Says:   "zero and negative durations are ready at once, the longest never overflows",
		Source: "research 43; pitfall 27",
		Needs:  []Feature{FeatureSelect, FeatureAfter},
		Timed:  true,
		Run:    lawAfterDurations,
	},
}

func lawAfterFires(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		start := time.Now()
		ran := 0
		op := e.Sel(recvArm(ch, nil), arm{c: e.H.After(4*tick, func() { ran++ })}, arm{c: e.H.After(time.Hour, nil)})
		op.Blocked()
		e.Advance(2 * tick)
		op.Blocked()
		e.Advance(2 * tick)
		if e.claims != claimsNone {
			e.Advance(3 * time.Second) // a select done again begins again
		}
		if op.Chose(1); ran != 1 || time.Since(start) < 4*tick {
			e.Fatalf("ran %d times after %v", ran, time.Since(start))
		}
		r := e.Recv(ch) // the line is free of the select
		e.Sends(ch, 1)
		r.Got(1)
	})
}

func lawAfterLoses(e *Env) {
	ch := e.Chan(1)
	ran := 0
	timer := arm{c: e.H.After(4*tick, func() { ran++ })}
	for range 5 {
		op := e.Sel(recvArm(ch, nil), timer)
		e.Advance(2 * tick)
		op.Blocked()
		e.Sends(ch, 1)
		op.Chose(0)
	}
	e.Advance(5 * tick)
	if ran != 0 {
		e.Fatalf("a timer that lost ran its function %d times", ran)
	}
}

func lawAfterDurations(e *Env) {
	ch := e.Chan(1)
	for _, d := range []time.Duration{0, -1, math.MinInt64} {
		op := e.Sel(recvArm(ch, nil), arm{c: e.H.After(d, nil)})
		if !e.bubble {
			op.Chose(1)
			continue
		}
		e.Advance(time.Millisecond)
		op.Chose(1)
	}
	op := e.Sel(recvArm(ch, nil), arm{c: e.H.After(math.MaxInt64, nil)})
	op.Blocked()
	e.Sends(ch, 1)
	op.Chose(0)
	e.Sends(ch, 2)
	e.Sel(recvArm(ch, nil), arm{c: e.H.After(math.MaxInt64, nil)}).Chose(0)
}
