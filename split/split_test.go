package split_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/split"
)

// parcel is a value of a key, with its number among those of the key.
type parcel struct{ key, n int }

func byKey(p parcel) uint64 { return uint64(p.key) }

func ExampleMake() {
	ctx := context.Background()
	ch := split.Make(2, 8, byKey)
	ch.SendAll(ctx, []parcel{{1, 1}, {2, 1}, {1, 2}, {2, 2}})
	ch.Close()
	last := map[int]int{}
	for p, err := range ch.Reader().All(ctx) {
		if err != nil || p.n != last[p.key]+1 {
			fmt.Println("out of order:", p, err)
		}
		last[p.key] = p.n
	}
	fmt.Println(last)
	// Output: map[1:2 2:2]
}

// TestOrder: every value is received once, and one reader sees those of each key
// in order.
func TestOrder(t *testing.T) {
	for _, slots := range []int{0, 1, 16} {
		for _, readers := range []int{1, 5} {
			t.Run(fmt.Sprintf("%d slots, %d readers", slots, readers), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { order(t, slots, readers) })
			})
		}
	}
}

func order(t *testing.T, slots, readers int) {
	const keys, each = 7, 300
	ctx := t.Context()
	ch := split.Make(4, slots, byKey)
	var senders, receivers sync.WaitGroup
	for key := range keys {
		senders.Go(func() {
			for n := range each {
				if err := ch.Send(ctx, parcel{key, n}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex // guards seen
	seen := map[parcel]int{}
	for range readers {
		receivers.Go(func() {
			next := map[int]int{}
			for p, err := range ch.Reader().All(ctx) {
				if err != nil {
					t.Error(err)
				}
				if p.n < next[p.key] || readers == 1 && p.n != next[p.key] {
					t.Errorf("key %d: %d when %d was next", p.key, p.n, next[p.key])
				}
				next[p.key] = p.n + 1
				mu.Lock()
				seen[p]++
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	if err := ch.Close(); err != nil {
		t.Error(err)
	}
	receivers.Wait()
	if len(seen) != keys*each {
		t.Errorf("%d values arrived, %d were sent", len(seen), keys*each)
	}
	for p, n := range seen {
		if n != 1 {
			t.Errorf("%v arrived %d times", p, n)
		}
	}
}

// TestReaderWaits: a reader that found nothing is woken through any lane, by a
// value or by close, and ends with its context.
func TestReaderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := split.Make(3, 0, byKey)
		r := ch.Reader()
		for key := range 6 {
			go ch.Send(t.Context(), parcel{key, 1})
			if p, err := r.Recv(nil); err != nil || p.key != key {
				t.Fatal(p, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := r.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := r.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("a context that has ended:", err)
		}
		go func() {
			time.Sleep(time.Minute) // virtual: the reader waits
			ch.Close()
		}()
		for range 2 {
			if _, err := r.Recv(nil); !errors.Is(err, handoff.ErrClosed) {
				t.Error(err)
			}
		}
		if _, ok, err := r.TryRecv(); ok || !errors.Is(err, handoff.ErrClosed) {
			t.Error(ok, err)
		}
	})
}

// TestOneLaneIsFull: a value waits for its own lane, whatever room others have.
func TestOneLaneIsFull(t *testing.T) {
	ctx := t.Context()
	ch := split.Make(2, 1, byKey)
	if ch.Cap() != 2 || len(ch.Lanes()) != 2 {
		t.Error(ch.Cap(), len(ch.Lanes()))
	}
	ch.Send(ctx, parcel{0, 1})
	if ok, err := ch.TrySend(parcel{2, 1}); ok || err != nil {
		t.Error("a full lane:", ok, err)
	}
	if i, err := handoff.Select(ctx, ch.OnSend(parcel{4, 1}, nil), ch.OnSend(parcel{1, 1}, nil)); i != 1 || err != nil {
		t.Error("the lane with room:", i, err)
	}
	if ch.Len() != 2 {
		t.Error(ch.Len())
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if n, err := ch.SendAll(ended, []parcel{{1, 1}, {0, 1}}); n != 0 || !errors.Is(err, context.Canceled) {
		t.Error(n, err)
	}
	if err := ch.Close(); err != nil {
		t.Error(err)
	}
	if err := ch.Close(); !errors.Is(err, handoff.ErrClosed) {
		t.Error("closed twice:", err)
	}
	if n, err := ch.SendAll(ctx, []parcel{{1, 1}}); n != 0 || !errors.Is(err, handoff.ErrClosed) {
		t.Error("after close:", n, err)
	}
	r := ch.Reader()
	for range 2 {
		if _, ok, err := r.TryRecv(); !ok || err != nil {
			t.Error("what was accepted stays:", ok, err)
		}
	}
}

// TestZero: the zero Chan is a nil channel.
func TestZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ch split.Chan[int]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := ch.Send(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		r := ch.Reader()
		if _, err := r.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, ok, err := r.TryRecv(); ok || err != nil {
			t.Error(ok, err)
		}
		if ok, err := ch.TrySend(1); ok || err != nil {
			t.Error(ok, err)
		}
		if i, err := handoff.Select(t.Context(), ch.OnSend(1, nil), handoff.Default(nil)); i != 1 || err != nil {
			t.Error(i, err)
		}
		if ch.Len() != 0 || ch.Cap() != 0 || ch.Lanes() != nil {
			t.Error("it has something to it")
		}
	})
}

func TestMisuse(t *testing.T) {
	for name, misuse := range map[string]func(){
		"no ways":        func() { split.Make(0, 1, byKey) },
		"negative slots": func() { split.Make(1, -1, byKey) },
		"close of nil":   func() { split.Chan[int]{}.Close() },
		"no key":         func() { split.Make[int](1, 1, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse()
		}()
	}
}

// TestNoAllocation: in steady state neither side allocates, waiting or not.
func TestNoAllocation(t *testing.T) {
	if hb.On {
		t.Skip("the race detector allocates")
	}
	ctx := context.Background()
	ch := split.Make(4, 8, byKey)
	r := ch.Reader()
	n := 0
	if got := testing.AllocsPerRun(1000, func() {
		n++
		ch.Send(ctx, parcel{n, n})
		r.Recv(ctx)
	}); got > 0 {
		t.Errorf("%v objects a value", got)
	}
}

// A lane that is never empty does not keep a reader from the others.
func TestNoLaneIsPassedOver(t *testing.T) {
	ctx := t.Context()
	ch := split.Make(3, 1, func(v int) uint64 { return uint64(v) })
	r := ch.Reader()
	for v := range 3 {
		if err := ch.Send(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	const bound = 200 // more than it may take from both others
	seen := map[int]bool{}
	for range bound {
		v, err := r.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if seen[v] = true; len(seen) == 3 {
			return
		}
		if err := ch.Send(ctx, v); err != nil { // its lane is full again at once
			t.Fatal(err)
		}
	}
	t.Errorf("of three lanes that always had a value only %v were read in %d receives", seen, bound)
}
