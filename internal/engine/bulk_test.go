package engine

import (
	"context"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"
)

// TestBulkKeepsOrder: batches of any size, around the end of the ring and with one
// side ahead of the other, arrive whole and in order, and leave nothing behind in
// the slots.
func TestBulkKeepsOrder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ctx := context.Background()
	const all = 3000
	for slots := range 9 {
		c := New[*int](Config{Slots: slots}, nil)
		a := c.Attach(true, true)
		var wg sync.WaitGroup
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(slots)))
			for sent := 0; sent < all; {
				vs := make([]*int, min(1+r.IntN(12), all-sent))
				for i := range vs {
					v := sent + i
					vs[i] = &v
				}
				n, err := c.SendAll(ctx, a, vs, nil, 0)
				if n != len(vs) || err != nil {
					t.Errorf("SendAll of %d = %d, %v", len(vs), n, err)
					return
				}
				sent += n
			}
		})
		r := rand.New(rand.NewPCG(seed, 99+uint64(slots)))
		for got := 0; got < all; {
			buf := make([]*int, 1+r.IntN(12))
			n, err := c.RecvInto(ctx, a, buf)
			if n == 0 || err != nil {
				t.Fatalf("%d slots: RecvInto = %d, %v", slots, n, err)
			}
			for _, v := range buf[:n] {
				if *v != got {
					t.Fatalf("%d slots: %d arrived, want %d", slots, *v, got)
				}
				got++
			}
		}
		wg.Wait()
		for i, v := range c.buf {
			if v != nil {
				t.Errorf("%d slots: slot %d still holds %d", slots, i, *v)
			}
		}
		if s := c.Stats(); s.Sent != all || s.Received != all || s.Len != 0 {
			t.Errorf("%d slots: %+v", slots, s)
		}
	}
}

func TestMayRefer(t *testing.T) {
	type flat struct {
		A int8
		B [3]float64
		C struct{ D complex64 }
		E [0]*int
	}
	type deep struct {
		flat
		s [2]struct{ p *int }
	}
	for _, c := range []struct {
		v    any
		want bool
	}{
		{0, false}, {true, false}, {1.5, false}, {uintptr(1), false}, {struct{}{}, false}, {flat{}, false}, {[4]flat{}, false},
		{"", true}, {new(int), true}, {[]int{}, true}, {map[int]int{}, true}, {make(chan int), true}, {func() {}, true}, {deep{}, true},
	} {
		if got := mayRefer(reflect.TypeOf(c.v)); got != c.want {
			t.Errorf("%T: %v, want %v", c.v, got, c.want)
		}
	}
	if !mayRefer(reflect.TypeFor[error]()) {
		t.Error("an interface refers to nothing")
	}
}
