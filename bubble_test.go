package handoff_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff"
)

// TestBubble: inside a synctest bubble blocked operations are durably blocked and
// virtual time advances, on channels made inside; one made outside can be used
// from both sides.
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
