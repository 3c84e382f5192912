package drivertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// The benchmarks every subject can run, in the shapes in which channels are
// usually compared. One op is one value, carried from a sender to a receiver.

// Shape is one benchmark.
type Shape struct {
	Name  string
	Needs []Feature
	Run   func(b *testing.B, h Harness)
}

// benchSlots are the capacities at which shapes are measured.
var benchSlots = []int{0, 1, 128}

// Shapes returns the benchmarks.
func Shapes() []Shape {
	all := []Shape{{Name: "seq/128", Run: benchSeq}}
	for _, f := range []struct{ senders, receivers int }{{1, 1}, {8, 1}, {1, 8}, {8, 8}} {
		for _, slots := range benchSlots {
			all = append(all, Shape{
				Name:  fmt.Sprintf("%dto%d/%d", f.senders, f.receivers, slots),
				Needs: rendezvousIf(slots == 0),
				Run:   func(b *testing.B, h Harness) { benchFan(b, h, slots, f.senders, f.receivers) },
			})
		}
	}
	for _, slots := range benchSlots[:2] {
		all = append(all, Shape{
			Name:  fmt.Sprintf("pingpong/%d", slots),
			Needs: rendezvousIf(slots == 0),
			Run:   func(b *testing.B, h Harness) { benchPingPong(b, h, slots) },
		})
	}
	for _, cases := range []int{2, 4} {
		for _, slots := range benchSlots {
			all = append(all, Shape{
				Name:  fmt.Sprintf("select%d/%d", cases, slots),
				Needs: append(rendezvousIf(slots == 0), FeatureSelector),
				Run:   func(b *testing.B, h Harness) { benchSelect(b, h, slots, cases) },
			})
		}
	}
	return all
}

func rendezvousIf(yes bool) []Feature {
	if yes {
		return []Feature{FeatureRendezvous}
	}
	return nil
}

// Bench runs the benchmarks h has the features for; the others are skipped by
// name.
func Bench(b *testing.B, h Harness) {
	for _, s := range Shapes() {
		b.Run(s.Name, func(b *testing.B) {
			if missing := h.Has.missing(s.Needs); len(missing) > 0 {
				b.Skip(Refusal{s.Name, missing})
			}
			b.ReportAllocs()
			s.Run(b, h)
		})
	}
}

// bench returns an Env to make channels with; the context never ends.
func bench(b *testing.B, h Harness) *Env {
	e := &Env{TB: b, H: h, Ctx: context.Background(), cancel: func() {}, limit: time.Minute, law: Law{Storm: true}}
	b.Cleanup(e.close)
	return e
}

// benchSeq sends and receives on one goroutine.
func benchSeq(b *testing.B, h Harness) {
	e := bench(b, h)
	ch := e.Chan(128)
	for left := b.N; left > 0; {
		n := min(left, 128)
		for i := range n {
			ch.Send(e.Ctx, i)
		}
		for range n {
			ch.Recv(e.Ctx)
		}
		left -= n
	}
}

// share returns how many of n fall to worker i of many.
func share(n, i, many int) int { return n*(i+1)/many - n*i/many }

func benchFan(b *testing.B, h Harness, slots, senders, receivers int) {
	e := bench(b, h)
	ch := e.Chan(slots)
	var wg sync.WaitGroup
	work := func(i, many int, f func()) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range share(b.N, i, many) {
				f()
			}
		}()
	}
	b.ResetTimer()
	for i := range senders {
		work(i, senders, func() { ch.Send(e.Ctx, i) })
	}
	for i := range receivers {
		work(i, receivers, func() { ch.Recv(e.Ctx) })
	}
	wg.Wait()
}

// benchPingPong measures round trips: two values each.
func benchPingPong(b *testing.B, h Harness, slots int) {
	e := bench(b, h)
	ping, pong := e.Chan(slots), e.Chan(slots)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range b.N {
			v, _ := ping.Recv(e.Ctx)
			pong.Send(e.Ctx, v)
		}
	}()
	b.ResetTimer()
	for i := range b.N {
		ping.Send(e.Ctx, i)
		pong.Recv(e.Ctx)
	}
	<-done
}

// benchSelect has one reusable select receive from several channels, each with a
// sender of its own.
func benchSelect(b *testing.B, h Harness, slots, cases int) {
	e := bench(b, h)
	var wg sync.WaitGroup
	var list []Case
	chs := make([]Chan[int], cases)
	for i := range chs {
		chs[i] = e.Chan(slots)
		list = append(list, chs[i].OnRecv(nil))
	}
	s := h.NewSelector(list...)
	b.ResetTimer()
	for i := range chs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range share(b.N, i, cases) {
				chs[i].Send(e.Ctx, 1)
			}
		}()
	}
	if turn := compiledSelect(chs); turn != nil {
		for range b.N {
			turn()
		}
	} else {
		for range b.N {
			s.Select(e.Ctx)
		}
	}
	wg.Wait()
}

// compiledSelect is the select statement the language has for receiving from
// chs, if they are its own channels: reflect.Select would be a straw man.
func compiledSelect(chs []Chan[int]) func() {
	cs := make([]chan int, len(chs))
	for i, ch := range chs {
		n, ok := ch.(*nativeChan[int])
		if !ok {
			return nil
		}
		cs[i] = n.c
	}
	switch len(cs) {
	case 2:
		return func() {
			select {
			case <-cs[0]:
			case <-cs[1]:
			}
		}
	case 4:
		return func() {
			select {
			case <-cs[0]:
			case <-cs[1]:
			case <-cs[2]:
			case <-cs[3]:
			}
		}
	}
	return nil
}
