package engine

import (
	"context"
	"math/rand/v2"
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
