package drivertest

import (
	"context"
	"runtime"
	"testing"
	"time"
	"weak"
)

var wasteLaws = []Law{
	{
		Name:   "L12/plain-operations-allocate-nothing",
		Says:   "sends, receives and tries allocate nothing in steady state, with and without slots, waiting included",
		Source: "L12; research 37",
		Needs:  []Feature{FeatureNoAlloc},
		Storm:  true,
		Run:    lawNoAlloc,
	}, {
		Name:   "L12/cancellable-operations-allocate-nothing",
		Says:   "sends and receives under a context that can end allocate nothing in steady state, waiting included",
		Source: "L12; research 37",
		Needs:  []Feature{FeatureNoAlloc, FeatureCancel},
		Storm:  true,
		Run:    lawNoAllocCtx,
	}, {
		Name:   "L12/take-allocates-nothing",
		Says:   "Take and Done allocate nothing in steady state, waiting included",
		Source: "L12",
		Needs:  []Feature{FeatureNoAllocHold},
		Storm:  true,
		Run:    lawNoAllocTake,
	}, {
		Name:   "L12/selector-allocates-nothing",
		Says:   "a reusable select allocates nothing per turn, waiting included",
		Source: "L12; DESIGN 2",
		Needs:  []Feature{FeatureNoAllocSel},
		Storm:  true,
		Run:    lawNoAllocSelector,
	}, {
		Name:   "L12/selects-on-a-quiet-channel-leave-nothing",
		Says:   "memory does not grow with the number of selects that named a quiet channel and chose another",
		Source: "L12; research 29; chan/select2.go, fixedbugs/issue9110.go; pitfall 14",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawFlatSelects,
	}, {
		Name:   "L12/cancelled-operations-leave-nothing",
		Says:   "memory does not grow with the number of operations that waited on a quiet channel and were cancelled",
		Source: "L12; research 42; pitfall 14",
		Needs:  []Feature{FeatureCancel},
		Storm:  true,
		Run:    lawFlatCancels,
	}, {
		Name:   "L12/no-reference-is-kept",
		Says:   "a channel keeps no reference to a value that was received, lost its select, was cancelled, or was confirmed",
		Source: "L12; research 11",
		Needs:  []Feature{FeatureCollected},
		Storm:  true,
		Run:    lawNoReference,
	}, {
		Name:   "L12/a-channel-nobody-holds-is-collected",
		Says:   "a channel that is dropped with values in its slots is collected with them",
		Source: "L12",
		Needs:  []Feature{FeatureCollected},
		Storm:  true,
		Run:    lawDroppedChannel,
	}, {
		Name:   "L12/waiting-costs-no-processor",
		Says:   "operations that wait use no processor time",
		Source: "L12; research 39; pitfall 11",
		Storm:  true,
		Run:    lawIdle,
	},
}

// noAlloc fails the law if f, done once, allocates. A background goroutine of
// the runtime may allocate at any time, so it must show three times.
func (e *Env) noAlloc(what string, f func()) {
	e.Helper()
	if raceEnabled {
		f() // the detector allocates for itself
		return
	}
	var got float64
	for range 3 {
		if got = testing.AllocsPerRun(500, f); got == 0 {
			return
		}
	}
	e.Errorf("%s allocates %v times", what, got)
}

func lawNoAlloc(e *Env) { noAllocOps(e, context.Background()) }

func lawNoAllocCtx(e *Env) { noAllocOps(e, e.Ctx) }

func noAllocOps(e *Env, ctx context.Context) {
	ch := e.Chan(4)
	e.noAlloc("Send and Recv through a slot", func() {
		ch.Send(ctx, 1000)
		ch.Recv(ctx)
	})
	e.noAlloc("TrySend and TryRecv", func() {
		ch.TrySend(1000)
		ch.TryRecv()
		ch.TryRecv()
	})
	if e.H.Has[FeatureBatch] {
		out, in := []int{1, 2, 3}, make([]int, 3)
		e.noAlloc("SendAll and RecvInto", func() {
			ch.SendAll(ctx, out)
			ch.RecvInto(ctx, in)
		})
	}
	e.each([]int{0, 1}, func(slots int) {
		ping, pong := e.Chan(slots), e.Chan(slots)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				v, err := ping.Recv(ctx)
				if err != nil || pong.Send(ctx, v) != nil {
					return
				}
			}
		}()
		e.noAlloc("a waiting Send and Recv", func() {
			ping.Send(ctx, 1000)
			pong.Recv(ctx)
		})
		ping.Close()
		<-done
	})
}

func lawNoAllocTake(e *Env) {
	ctx := e.Ctx
	ch := e.Chan(4)
	e.noAlloc("Send, Take and Done through a slot", func() {
		ch.Send(ctx, 1000)
		ch.TakeDone(ctx)
	})
	e.each([]int{0, 1}, func(slots int) {
		ping, pong := e.Chan(slots), e.Chan(slots)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				v, err := ping.TakeDone(ctx)
				if err != nil || pong.Send(ctx, v) != nil {
					return
				}
			}
		}()
		e.noAlloc("a waiting Take", func() {
			ping.Send(ctx, 1000)
			pong.TakeDone(ctx)
		})
		ping.Close()
		<-done
	})
}

func lawNoAllocSelector(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ping, pong, quiet := e.Chan(slots), e.Chan(slots), e.Chan(1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			v, open := 0, true
			in := e.H.NewSelector(quiet.OnRecv(nil), ping.OnRecv(func(x int, ok bool) { v, open = x, ok }))
			out := e.H.NewSelector(pong.OnSendVar(&v, nil), quiet.OnRecv(nil))
			for {
				if _, err := in.Select(e.Ctx); err != nil || !open {
					return
				}
				if _, err := out.Select(e.Ctx); err != nil {
					return
				}
			}
		}()
		v := 1000
		out := e.H.NewSelector(ping.OnSendVar(&v, nil), quiet.OnRecv(nil))
		in := e.H.NewSelector(quiet.OnRecv(nil), pong.OnRecv(nil))
		e.noAlloc("a turn of a reusable select", func() {
			out.Select(e.Ctx)
			in.Select(e.Ctx)
		})
		ping.Close()
		<-done
	})
}

// heap returns the bytes in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// flat fails the law if n times f leaves more than one byte per time behind. What a
// medium makes once, such as a pool or a window that grows, it makes in one round; what
// leaks does so in every one.
func (e *Env) flat(n int, f func(n int)) {
	e.Helper()
	const rounds = 3
	var grown []int64
	f(n / 10) // reach the steady state
	for range rounds {
		before := heap()
		f(n)
		left := int64(heap()) - int64(before)
		if left <= int64(n)+64<<10 {
			return
		}
		grown = append(grown, left)
	}
	e.Fatalf("%d times left behind, round by round, %d bytes", n, grown)
}

func lawFlatSelects(e *Env) {
	busy, quiet := e.Chan(e.few(0)), e.Chan(1)
	// A select that leaves one word behind is seen after ten thousand.
	e.flat(max(e.Scale(250_000), 5_000), func(n int) {
		e.Together(2, func(who int) {
			recv := []Case{quiet.OnRecv(nil), busy.OnRecv(nil)}
			for range n {
				var err error
				if who == 0 {
					err = busy.Send(e.Ctx, 1)
				} else {
					_, err = e.Select(e.Ctx, recv...)
				}
				if err != nil {
					e.Errorf("%v", err)
					return
				}
			}
		})
	})
}

func lawFlatCancels(e *Env) {
	quiet, full := e.Chan(e.few(0)), e.Chan(1)
	e.OK("Send", full.Send(e.Ctx, 1))
	e.flat(e.Scale(100_000), func(n int) {
		for i := range n {
			ctx, cancel := e.ending()
			go cancel()
			if i%2 == 0 {
				quiet.Recv(ctx)
			} else {
				full.Send(ctx, 2)
			}
		}
	})
}

// tracked makes a node and a way to see whether it is still alive.
//
//go:noinline
func tracked() (*Node, weak.Pointer[Node]) {
	n := &Node{Data: new([]int)}
	return n, weak.Make(n)
}

// gone fails the law unless everything tracked is collected.
func (e *Env) gone(what string, ws ...weak.Pointer[Node]) {
	e.Helper()
	for range 20 {
		runtime.GC()
		alive := 0
		for _, w := range ws {
			if w.Value() != nil {
				alive++
			}
		}
		if alive == 0 {
			return
		}
		time.Sleep(time.Millisecond) // for a goroutine that is on its way out
	}
	e.Errorf("%s: a reference to the value is kept", what)
}

// apart runs f on a goroutine of its own, so that its stack keeps nothing.
func apart(f func() weak.Pointer[Node]) weak.Pointer[Node] {
	c := make(chan weak.Pointer[Node])
	go func() { c <- f() }()
	return <-c
}

func lawNoReference(e *Env) {
	e.each([]int{0, 4}, func(slots int) {
		ch := e.H.Pointer(e, Spec{Slots: slots}, 1)[0]
		for what, f := range referenceWays(e, ch, slots) {
			e.gone(what, apart(f))
		}
		runtime.KeepAlive(ch)
	})
}

// referenceWays are ways a value can go through or by a channel.
func referenceWays(e *Env, ch Chan[*Node], slots int) map[string]func() weak.Pointer[Node] {
	// meet sends while somebody receives.
	meet := func(send func(n *Node), recv func()) func() weak.Pointer[Node] {
		return func() weak.Pointer[Node] {
			n, w := tracked()
			done := make(chan struct{})
			go func() { defer close(done); recv() }()
			send(n)
			<-done
			return w
		}
	}
	send := func(n *Node) { ch.Send(e.Ctx, n) }
	recv := func() { ch.Recv(e.Ctx) }
	ways := map[string]func() weak.Pointer[Node]{
		"send and receive": meet(send, recv),
	}
	if slots > 0 {
		ways["through a slot"] = func() weak.Pointer[Node] {
			n, w := tracked()
			ch.Send(e.Ctx, n)
			ch.TryRecv()
			return w
		}
	}
	if e.H.Has[FeatureCancel] && slots == 0 {
		ways["a cancelled send"] = func() weak.Pointer[Node] {
			n, w := tracked()
			ctx, cancel := e.ending()
			go cancel()
			ch.Send(ctx, n)
			return w
		}
	}
	if e.H.Has[FeatureSelect] {
		other := e.Chan(1)
		ways["a select"] = meet(
			func(n *Node) { e.Select(e.Ctx, ch.OnSend(n, nil), other.OnRecv(nil)) },
			func() { e.Select(e.Ctx, other.OnRecv(nil), ch.OnRecv(nil)) })
		if slots == 0 {
			ways["a send case that lost"] = func() weak.Pointer[Node] {
				n, w := tracked()
				go other.Send(e.Ctx, 1)
				e.Select(e.Ctx, ch.OnSend(n, nil), other.OnRecv(nil))
				return w
			}
		}
	}
	if e.H.Has[FeatureBatch] {
		ways["batches"] = meet(
			func(n *Node) { ch.SendAll(e.Ctx, []*Node{n}) },
			func() { ch.RecvInto(e.Ctx, make([]*Node, 2)) })
	}
	if e.H.Has[FeatureHold] {
		ways["take and done"] = meet(send, func() {
			if d, err := ch.Take(e.Ctx); err == nil {
				d.Done()
			}
		})
		ways["take, return, take and done"] = meet(send, func() {
			if d, err := ch.Take(e.Ctx); err == nil {
				d.Return()
				ch.TakeDone(e.Ctx)
			}
		})
		ways["reject"] = meet(send, func() {
			if d, err := ch.Take(e.Ctx); err == nil {
				d.Reject("no")
			}
		})
	}
	return ways
}

func lawDroppedChannel(e *Env) {
	var ws []weak.Pointer[Node]
	for range 10 {
		ws = append(ws, apart(func() weak.Pointer[Node] {
			ch := e.H.Pointer(e, Spec{Slots: 3}, 1)[0]
			n, w := tracked()
			ch.Send(e.Ctx, n)
			ch.Recv(e.Ctx)
			ch.Send(e.Ctx, n)
			ch.TrySend(n)
			return w
		}))
	}
	e.gone("a dropped channel", ws...)
}

func lawIdle(e *Env) {
	if _, ok := processorTime(); !ok {
		e.Skip("this system does not tell the processor time of the process")
	}
	const during = 400 * time.Millisecond
	ctx, cancel := e.ending()
	ch, full := e.Chan(1), e.Chan(1)
	e.OK("Send", full.Send(e.Ctx, 1))
	done := make(chan struct{}, 60)
	for i := range cap(done) {
		go func() {
			switch {
			case i%3 == 0:
				ch.Recv(ctx)
			case i%3 == 1 || !e.H.Has[FeatureSelect]:
				full.Send(ctx, 2)
			default:
				e.H.Select(ctx, ch.OnRecv(nil), full.OnSend(2, nil))
			}
			done <- struct{}{}
		}()
	}
	var used time.Duration
	for range 25 { // one quiet moment is enough: what is busy by itself has none
		runtime.GC()
		time.Sleep(20 * time.Millisecond) // for what other tests left running to end
		before, _ := processorTime()
		time.Sleep(during)
		after, _ := processorTime()
		if used = after - before; used < during/100 {
			break
		}
	}
	cancel()
	for range cap(done) {
		<-done
	}
	if used >= during/100 {
		e.Fatalf("%d waiting operations used %v of processor time in %v", cap(done), used, during)
	}
}
