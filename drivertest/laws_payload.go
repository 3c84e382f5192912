package drivertest

import (
	"bytes"
	"runtime"
	"strings"
	"sync/atomic"
)

var payloadLaws = []Law{
	{
		Name:   "L1/zero-size-values",
		Says:   "values without size pass, and are counted like any other",
		Source: "research 10; chan/zerosize.go, chan/goroutines.go",
		Needs:  []Feature{FeaturePayloads},
		Run: func(e *Env) {
			carry(e, e.H.Empty, []struct{}{{}, {}, {}}, func(a, b struct{}) bool { return true })
		},
	}, {
		Name:   "L1/text-values",
		Says:   "strings arrive as they were sent, the empty and the long one too",
		Source: "chan/nonblock.go",
		Needs:  []Feature{FeaturePayloads},
		Run: func(e *Env) {
			carry(e, e.H.Text, []string{"", "hello", strings.Repeat("ö", 70_000)}, func(a, b string) bool { return a == b })
		},
	}, {
		Name:   "L1/byte-values",
		Says:   "byte slices arrive as they were sent",
		Source: "research 10",
		Needs:  []Feature{FeaturePayloads},
		Run: func(e *Env) {
			carry(e, e.H.Bytes, [][]byte{{}, {0}, bytes.Repeat([]byte{7, 0}, 50_000)}, bytes.Equal)
		},
	}, {
		Name:   "L1/big-values",
		Says:   "values of nearly 64 KiB arrive whole",
		Source: "research 10",
		Needs:  []Feature{FeaturePayloads},
		Run: func(e *Env) {
			a, b := new(Big), new(Big)
			for i := range a {
				a[i], b[i] = byte(i), byte(i*7)
			}
			carry(e, e.H.Big, []Big{*a, *b}, func(a, b Big) bool { return a == b })
		},
	}, {
		Name:   "L1/huge-values",
		Says:   "values above 64 KiB arrive whole",
		Source: "research 10",
		Needs:  []Feature{FeatureHuge},
		Run: func(e *Env) {
			a, b := new(Huge), new(Huge)
			for i := range a {
				a[i], b[i] = byte(i), byte(i*7)
			}
			carry(e, e.H.Huge, []Huge{*a, *b}, func(a, b Huge) bool { return a == b })
		},
	}, {
		Name:   "L1/pointer-values",
		Says:   "a pointer arrives as the same pointer",
		Source: "research 10",
		Needs:  []Feature{FeatureSharedHeap},
		Run: func(e *Env) {
			carry(e, e.H.Pointer, []*Node{{ID: 1}, nil, {ID: 2}}, func(a, b *Node) bool { return a == b })
		},
	}, {
		Name:   "L1/interface-values",
		Says:   "an interface arrives with its dynamic type, nil too",
		Source: "research 10; TestChanSendInterface",
		Needs:  []Feature{FeatureAny},
		Run: func(e *Env) {
			carry(e, e.H.Any, []any{1, "two", nil, 3.0, struct{ A, B int }{4, 5}}, func(a, b any) bool { return a == b })
		},
	}, {
		Name:   "L1/functions-and-channels",
		Says:   "what is bound to the process passes within the process: a function, and a channel through a channel",
		Source: "issue 2 section 2; crossbeam channel_through_channel",
		Needs:  []Feature{FeatureAny},
		Run:    lawProcessBound,
	}, {
		Name:   "L1/values-survive-moving-stacks",
		Says:   "a value waiting on the stack of a blocked sender arrives intact when stacks grow, shrink and are collected",
		Source: "research 35; TestShrinkStackDuringBlockedSend, TestSelectStackAdjust, TestNoShrinkStackWhileParking",
		Needs:  []Feature{FeaturePayloads},
		Storm:  true,
		Run:    lawMovingStacks,
	}, {
		Name:   "L1/values-survive-the-collector",
		Says:   "what a value points to stays alive while it is handed from goroutine to goroutine under a running collector",
		Source: "TestChanSendBarrier, TestChanSendSelectBarrier",
		Needs:  []Feature{FeatureSharedHeap},
		Storm:  true,
		Run:    lawCollector,
	},
}

// carry sends vs over channels with and without slots: by sends that wait, by
// sends that find a receiver waiting, by tries, and by selects.
func carry[T any](e *Env, mk Maker[T], vs []T, same func(a, b T) bool) {
	e.Helper()
	check := func(how string, i int, got T, err error) {
		e.Helper()
		if err != nil || !same(got, vs[i]) {
			e.Fatalf("value %d by %s: arrived changed or not at all (error %v)", i, how, err)
		}
	}
	e.each([]int{0, 1, len(vs)}, func(slots int) {
		ch := mk(e, Spec{Slots: slots}, 1)[0]
		waits := []wait{{on: ch, sends: true}}
		var sends []*Op
		for _, v := range vs { // the first wait in slots, the others in the queue
			sends = append(sends, e.Start("Send", waits, func(op *Op) { op.Err = ch.Send(e.Ctx, v) }))
		}
		for i := range vs {
			got, err := ch.Recv(e.Ctx)
			check("Recv", i, got, err)
			sends[i].Succeeded()
		}
		for i, v := range vs { // the receiver waits first
			var got T
			r := e.Start("Recv", []wait{{on: ch}}, func(op *Op) { got, op.Err = ch.Recv(e.Ctx) })
			ok, err := ch.TrySend(v)
			if !ok || err != nil {
				e.Fatalf("TrySend to a waiting receiver = %v, %v", ok, err)
			}
			r.Succeeded()
			check("TrySend", i, got, r.Err)
		}
		if !e.H.Has[FeatureSelect] {
			return
		}
		quiet := mk(e, Spec{Slots: 1}, 1)[0]
		for i, v := range vs {
			s := e.Start("Select", waits, func(op *Op) { op.N, op.Err = e.Select(e.Ctx, quiet.OnRecv(nil), ch.OnSend(v, nil)) })
			got, ok, err := ch.TryRecv()
			if !ok {
				e.Fatalf("TryRecv from a waiting select: not ready, error %v", err)
			}
			check("select send", i, got, err)
			s.Chose(1)
			r := e.Start("Select", []wait{{on: ch}}, func(op *Op) {
				op.N, op.Err = e.Select(e.Ctx, quiet.OnRecv(nil), ch.OnRecv(func(v T, _ bool) { got = v }))
			})
			e.OK("Send", ch.Send(e.Ctx, v))
			r.Chose(1)
			check("select receive", i, got, nil)
		}
	})
}

func lawProcessBound(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.H.Any(e, Spec{Slots: slots}, 1)[0]
		pass := func(v any) any {
			e.Helper()
			s := e.Start("Send", []wait{{on: ch, sends: true}}, func(op *Op) { op.Err = ch.Send(e.Ctx, v) })
			got, err := ch.Recv(e.Ctx)
			e.OK("Recv", err)
			s.Succeeded()
			return got
		}
		f := pass(func() int { return 42 }).(func() int)
		if n := f(); n != 42 {
			e.Fatalf("the function that arrived returns %d", n)
		}
		inner := make(chan int, 1)
		pass(inner).(chan int) <- 7
		if n := <-inner; n != 7 {
			e.Fatalf("the channel that arrived is not the one that was sent")
		}
	})
}

// deep uses a lot of stack and returns what f does.
//
//go:noinline
func deep(n int, f func() byte) byte {
	var pad [512]byte
	if n == 0 {
		return f()
	}
	pad[n%512] = deep(n-1, f)
	return pad[n%512]
}

func lawMovingStacks(e *Env) {
	ch := e.H.Big(e, Spec{Slots: 1}, 1)[0]
	rounds := e.Scale(200)
	var running atomic.Bool
	running.Store(true)
	e.Together(5, func(who int) {
		switch who {
		case 0: // shrinks the stacks of whoever is blocked
			for running.Load() {
				runtime.GC()
				runtime.Gosched()
			}
		case 1:
			defer running.Store(false)
			for range 3 * rounds {
				v, err := ch.Recv(e.Ctx)
				if err != nil {
					e.Errorf("Recv: %v", err)
					return
				}
				for i := range v {
					if v[i] != v[0]+byte(i) {
						e.Errorf("byte %d of a value changed on its way", i)
						return
					}
				}
			}
		default:
			for n := range rounds {
				deep(20+n%40, func() byte {
					var v Big
					for i := range v {
						v[i] = byte(who + n + i)
					}
					if err := ch.Send(e.Ctx, v); err != nil {
						e.Errorf("Send: %v", err)
					}
					return v[0]
				})
			}
		}
	})
}

func lawCollector(e *Env) {
	const hops = 20
	rounds := e.Scale(1000)
	mk := func() Chan[*Node] {
		slots := 1
		if e.H.Has[FeatureRendezvous] {
			slots = 0
		}
		return e.H.Pointer(e, Spec{Slots: slots}, 1)[0]
	}
	chs := make([]Chan[*Node], hops+1)
	for i := range chs {
		chs[i] = mk()
	}
	var running atomic.Bool
	running.Store(true)
	e.Together(hops+3, func(who int) {
		switch {
		case who < hops:
			for range rounds {
				n, err := chs[who].Recv(e.Ctx)
				if err == nil {
					n.ID++
					err = chs[who+1].Send(e.Ctx, n)
				}
				if err != nil {
					e.Errorf("hop %d: %v", who, err)
					return
				}
			}
		case who == hops:
			for i := range rounds {
				data := []int{i, i + 1, i + 2}
				if err := chs[0].Send(e.Ctx, &Node{Data: &data}); err != nil {
					e.Errorf("Send: %v", err)
					return
				}
			}
		case who == hops+1:
			defer running.Store(false)
			for i := range rounds {
				n, err := chs[hops].Recv(e.Ctx)
				if err != nil {
					e.Errorf("Recv: %v", err)
					return
				}
				if d := *n.Data; n.ID != hops || len(d) != 3 || d[0] != i || d[2] != i+2 {
					e.Errorf("value %d arrived as %d %v", i, n.ID, d)
				}
			}
		default:
			for running.Load() {
				runtime.GC()
				runtime.Gosched()
			}
		}
	})
}
