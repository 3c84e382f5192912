package handoff_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff"
)

func TestSmoke(t *testing.T) {
	ctx := t.Context()
	ch := handoff.Make[int](2)
	for i := range 2 {
		if err := ch.Send(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := ch.TrySend(9); ok || err != nil {
		t.Fatal(ok, err)
	}
	for i := range 2 {
		if v, err := ch.Recv(ctx); v != i || err != nil {
			t.Fatal(v, err)
		}
	}
	ch.Close()
	if _, err := ch.Recv(ctx); !errors.Is(err, handoff.ErrClosed) {
		t.Fatal(err)
	}
}

func TestBubble(t *testing.T) {
	outside := handoff.Make[int](0)
	go func() {
		for range 3 {
			outside.Send(nil, 1)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		ch := handoff.Make[int](0)
		start := time.Now()
		go func() { time.Sleep(time.Hour); ch.Send(nil, 7) }()
		if v, err := ch.Recv(nil); v != 7 || err != nil {
			t.Fatal(v, err)
		}
		if time.Since(start) != time.Hour {
			t.Fatal(time.Since(start))
		}
		for range 3 {
			if _, err := outside.Recv(nil); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := ch.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		i, err := handoff.Select(ctx)
		if i != -1 || err == nil {
			t.Fatal(i, err)
		}
		n := make(chan int)
		go func() { time.Sleep(time.Second); n <- 3 }()
		got := 0
		i, err = handoff.Select(nil, ch.OnRecv(nil), handoff.OnNative(n, func(v int, ok bool) { got = v }), handoff.After(time.Minute, nil))
		if i != 1 || err != nil || got != 3 {
			t.Fatal(i, err, got)
		}
		i, err = handoff.Select(nil, ch.OnRecv(nil), handoff.OnNative(n, func(v int, ok bool) { got = v }), handoff.After(time.Minute, nil))
		if i != 2 || err != nil {
			t.Fatal(i, err, got)
		}
		go func() { time.Sleep(time.Second); ch.Send(nil, 8) }()
		i, err = handoff.Select(nil, ch.OnRecv(func(v int, ok bool) { got = v }), handoff.OnNative(n, nil), handoff.OnNative(n, nil), handoff.After(time.Minute, nil))
		if i != 0 || err != nil || got != 8 {
			t.Fatal(i, err, got)
		}
	})
}

func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := handoff.Make[int](0)
		var sent error = errors.New("none")
		go func() { sent = ch.Send(nil, 1) }()
		d, err := ch.Take(nil)
		if err != nil || d.Attempt != 1 {
			t.Fatal(d, err)
		}
		if err := d.Return(); err != nil {
			t.Fatal(err)
		}
		d, err = ch.Take(nil)
		if err != nil || d.Attempt != 2 {
			t.Fatal(d, err)
		}
		d.Reject("no")
		synctest.Wait()
		if !errors.Is(sent, handoff.ErrRejected) || handoff.Reason(sent) != "no" {
			t.Fatal(sent)
		}
	})
}

func TestStressSelect(t *testing.T) {
	a, b := handoff.Make[int](0), handoff.Make[int](0)
	var wg sync.WaitGroup
	const n, g = 5000, 4
	var sum [2 * g]int
	for k := range g {
		wg.Go(func() {
			for range n {
				handoff.Select(nil, a.OnSend(1, nil), b.OnSend(1, nil))
			}
		})
		wg.Go(func() {
			for range n {
				handoff.Select(nil, a.OnRecv(func(v int, ok bool) { sum[k] += v }), b.OnRecv(func(v int, ok bool) { sum[k] += v }))
			}
		})
	}
	wg.Wait()
	tot := 0
	for _, s := range sum {
		tot += s
	}
	if tot != n*g {
		t.Fatal(tot)
	}
}

func bench(b *testing.B, slots, senders, receivers int) {
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		ch := handoff.Make[int](slots)
		var wg, rg sync.WaitGroup
		for range receivers {
			rg.Go(func() {
				for {
					if _, err := ch.Recv(nil); err != nil {
						return
					}
				}
			})
		}
		for range senders {
			wg.Go(func() {
				for range b.N / senders {
					ch.Send(nil, 1)
				}
			})
		}
		wg.Wait()
		ch.Close()
		rg.Wait()
	})
	b.Run("go", func(b *testing.B) {
		ch := make(chan int, slots)
		var wg, rg sync.WaitGroup
		for range receivers {
			rg.Go(func() {
				for range ch {
				}
			})
		}
		for range senders {
			wg.Go(func() {
				for range b.N / senders {
					ch <- 1
				}
			})
		}
		wg.Wait()
		close(ch)
		rg.Wait()
	})
}
func Benchmark1x1c0(b *testing.B)   { bench(b, 0, 1, 1) }
func Benchmark1x1c1(b *testing.B)   { bench(b, 1, 1, 1) }
func Benchmark1x1c128(b *testing.B) { bench(b, 128, 1, 1) }
func Benchmark8x8c0(b *testing.B)   { bench(b, 0, 8, 8) }
func Benchmark8x8c128(b *testing.B) { bench(b, 128, 8, 8) }
func Benchmark8x1c128(b *testing.B) { bench(b, 128, 8, 1) }
func BenchmarkSeq(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		ch := handoff.Make[int](128)
		for b.Loop() {
			ch.Send(nil, 1)
			ch.Recv(nil)
		}
	})
	b.Run("go", func(b *testing.B) {
		ch := make(chan int, 128)
		for b.Loop() {
			ch <- 1
			<-ch
		}
	})
}
