package drivertest

import (
	"runtime"
	"sync/atomic"
	"time"
)

var nativeCaseLaws = []Law{
	{
		Name:   "L7/native-case-takes-part",
		Says:   "a native channel's case is chosen when it is ready, received or closed, and a native send case sends",
		Source: "DESIGN 2, 3; research 50",
		Needs:  []Feature{FeatureSelect, FeatureNative},
		Run:    lawNativeTakesPart,
	}, {
		Name:   "L7/native-case-that-loses-consumes-nothing",
		Says:   "a native value is never taken by a select that chose another case",
		Source: "L7; DESIGN 3; research 50",
		Needs:  []Feature{FeatureSelect, FeatureNative},
		Run:    lawNativeLoses,
	}, {
		Name:   "L7/native-and-own-in-a-storm",
		Says:   "values that come by native channels and by ours into one select arrive once each, when both come at the same moment",
		Source: "L7; DESIGN 3 (60,000 forced collisions)",
		Needs:  []Feature{FeatureSelect, FeatureNative},
		Storm:  true,
		Run:    lawNativeStorm,
	}, {
		Name:   "L7/native-sends-in-a-storm",
		Says:   "a value offered to native channels and to ours arrives once, when both want it at the same moment",
		Source: "L7; DESIGN 3",
		Needs:  []Feature{FeatureSelect, FeatureNative},
		Storm:  true,
		Run:    lawNativeSendStorm,
	}, {
		Name:   "L7/select-leaves-no-goroutine",
		Says:   "a select with native and timer cases leaves no goroutine behind, whichever case won",
		Source: "L7; issue 2 section 2",
		Needs:  []Feature{FeatureSelect, FeatureNative, FeatureAfter},
		Storm:  true,
		Run:    lawNoGoroutine,
	}, {
		Name:   "L6/native-case-and-default",
		Says:   "a default beside native cases is taken only if none of them was ready",
		Source: "L6; DESIGN 3",
		Needs:  []Feature{FeatureSelect, FeatureNative, FeatureDefault},
		Run:    lawNativeDefault,
	}, {
		Name:   "L6/native-choice-is-uniform",
		Says:   "a ready native case and a ready case of ours are chosen equally often",
		Source: "L6; research 22",
		Needs:  []Feature{FeatureSelect, FeatureNative},
		Storm:  true,
		Run:    lawNativeUniform,
	}, {
		Name:   "L6/a-selector-passes-no-native-case-over",
		Says:   "a Selector that is used again and again chooses a ready native case as often as a ready case of ours",
		Source: "L6; research 22, of a select that learns from its turns",
		Needs:  []Feature{FeatureSelect, FeatureNative, FeatureSelector},
		Storm:  true,
		Run:    lawNativeUniformTurns,
	},
}

func (e *Env) nativeArm(c <-chan int, v *int) arm {
	return arm{c: e.H.OnNative(c, func(x int, ok bool) {
		if *v = x; !ok {
			*v = closedValue
		}
	})}
}

func lawNativeTakesPart(e *Env) {
	ch := e.Chan(e.few(0))
	c := make(chan int)
	v := 0
	op := e.Sel(recvArm(ch, nil), e.nativeArm(c, &v))
	op.Blocked()
	c <- 3
	e.Settle()
	if op.Chose(1); v != 3 {
		e.Fatalf("the native case got %d", v)
	}
	op = e.Sel(e.nativeArm(c, &v), recvArm(ch, nil))
	close(c)
	e.Settle()
	if op.Chose(0); v != closedValue {
		e.Fatalf("the native case got %d from a closed channel", v)
	}
	e.Sel(e.nativeArm(c, &v), recvArm(ch, nil)).Chose(0)

	out := make(chan int)
	op = e.Sel(recvArm(ch, nil), arm{c: e.H.OnNativeSend(out, 8, nil)})
	op.Blocked()
	if x := <-out; x != 8 {
		e.Fatalf("the native send sent %d", x)
	}
	e.Settle()
	op.Chose(1)

	var none chan int
	op = e.Sel(e.nativeArm(none, &v), recvArm(ch, &v), arm{c: e.H.OnNativeSend(none, 1, nil)})
	op.Blocked()
	e.Sends(ch, 6)
	if op.Chose(1); v != 6 {
		e.Fatalf("got %d beside nil native cases", v)
	}
}

func lawNativeLoses(e *Env) {
	for range 50 {
		c := make(chan int, 1)
		ch := e.Chan(1)
		v, w := 0, 0
		c <- 1
		e.Sends(ch, 2)
		op := e.Sel(e.nativeArm(c, &v), recvArm(ch, &w)).Succeeded()
		switch {
		case op.N == 0 && (v != 1 || len(c) != 0 || ch.Len() != 1 || w != 0):
			e.Fatalf("native case chosen: got %d, %d native values and %d of ours left", v, len(c), ch.Len())
		case op.N == 1 && (w != 2 || len(c) != 1 || ch.Len() != 0 || v != 0):
			e.Fatalf("own case chosen: got %d, %d native values and %d of ours left", w, len(c), ch.Len())
		}
	}
	c := make(chan int, 1)
	ch := e.Chan(e.few(0))
	v, w := 0, 0
	op := e.Sel(e.nativeArm(c, &v), recvArm(ch, &w))
	op.Blocked()
	ok, err := ch.TrySend(5)
	c <- 6 // after the commit, before the select has run
	if !ok || err != nil {
		e.Fatalf("TrySend to a waiting select = %v, %v", ok, err)
	}
	if op.Chose(1); w != 5 || len(c) != 1 {
		e.Fatalf("got %d, and %d native values are left", w, len(c))
	}
}

func lawNativeStorm(e *Env) {
	n := e.Scale(10_000)
	c, ch := make(chan int), e.Chan(e.few(0))
	ch2, c2 := e.Chan(1), make(chan int, 1)
	seen := make(tally, 4*n)
	e.Together(4+2, func(who int) {
		send := func(v int) error { return ch.Send(e.Ctx, v) }
		switch who {
		case 0:
		case 1:
			send = func(v int) error { return ch2.Send(e.Ctx, v) }
		case 2, 3:
			to := []chan int{c, c2}[who-2]
			send = func(v int) error {
				select {
				case to <- v:
					return nil
				case <-e.Ctx.Done():
					return e.Ctx.Err()
				}
			}
		default:
			got := func(v int, _ bool) { seen.add(e, v) }
			cases := []Case{ch.OnRecv(got), e.H.OnNative(c, got), ch2.OnRecv(got), e.H.OnNative(c2, got)}
			for range 2 * n {
				if _, err := e.Select(e.Ctx, cases...); err != nil {
					e.Errorf("Select: %v", err)
					return
				}
			}
			return
		}
		for i := range n {
			if err := send(who*n + i); err != nil {
				e.Errorf("send: %v", err)
				return
			}
		}
	})
	seen.complete(e)
}

func lawNativeSendStorm(e *Env) {
	n := e.Scale(10_000)
	c, ch := make(chan int), e.Chan(e.few(0))
	seen := make(tally, 2*n)
	var left atomic.Int64
	left.Store(int64(2 * n))
	done := make(chan struct{})
	count := func(v int) {
		seen.add(e, v)
		if left.Add(-1) == 0 {
			close(done)
			ch.Close()
		}
	}
	e.Together(4, func(who int) {
		switch who {
		case 0:
			for {
				select {
				case v := <-c:
					count(v)
				case <-done:
					return
				case <-e.Ctx.Done():
					return
				}
			}
		case 1:
			for v, err := range ch.All(e.Ctx) {
				if err != nil {
					return
				}
				count(v)
			}
		default:
			for i := range n {
				v := (who-2)*n + i
				if _, err := e.Select(e.Ctx, ch.OnSend(v, nil), e.H.OnNativeSend(c, v, nil)); err != nil {
					e.Errorf("Select: %v", err)
					return
				}
			}
		}
	})
	seen.complete(e)
}

func lawNoGoroutine(e *Env) {
	c := make(chan int, 1)
	ch := e.Chan(1)
	before := runtime.NumGoroutine() // with what a medium has for the channel itself
	for i := range 300 {
		ctx, cancel := e.ending()
		switch i % 3 {
		case 0:
			c <- 1
		case 1:
			ch.TrySend(1)
		default:
			cancel()
		}
		e.Select(ctx, ch.OnRecv(nil), e.H.OnNative(c, nil), e.H.After(time.Hour, nil))
		cancel()
	}
	parked := make(chan struct{})
	go func() { // and one that has waited
		e.Select(e.Ctx, ch.OnRecv(nil), e.H.OnNative(c, nil), e.H.After(time.Hour, nil))
		close(parked)
	}()
	ch.Send(e.Ctx, 1)
	<-parked
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			e.Fatalf("%d goroutines before the selects, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

func lawNativeDefault(e *Env) {
	c, ch := make(chan int, 1), e.Chan(1)
	choose := func(want int) {
		e.Helper()
		i, err := e.Select(e.Ctx, ch.OnRecv(nil), e.H.OnNative(c, nil), e.H.Default(nil))
		if e.OK("Select", err); i != want {
			e.Fatalf("chose %d, want %d", i, want)
		}
	}
	choose(2)
	c <- 1
	choose(1)
	e.Sends(ch, 1)
	choose(0)
	choose(2)
	close(c)
	choose(1)
}

func lawNativeUniform(e *Env) {
	nativeUniform(e, func(cases ...Case) (int, error) { return e.Select(e.Ctx, cases...) })
}

func lawNativeUniformTurns(e *Env) {
	var sel Selector
	nativeUniform(e, func(cases ...Case) (int, error) {
		if sel == nil {
			sel = e.NewSelector(cases...)
		}
		return sel.Select(e.Ctx)
	})
}

func nativeUniform(e *Env, sel func(cases ...Case) (int, error)) {
	n := e.Scale(10_000)
	c, ch := make(chan int, 1), e.Chan(1)
	counts := map[int]int{}
	for range n {
		if len(c) == 0 {
			c <- 1
		}
		if ch.Len() == 0 {
			e.OK("Send", ch.Send(e.Ctx, 1))
		}
		i, err := sel(ch.OnRecv(nil), e.H.OnNative(c, nil))
		e.OK("Select", err)
		counts[i]++
	}
	e.uniform(n, counts, map[int]float64{0: .5, 1: .5})
}
