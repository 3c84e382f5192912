package engine

import (
	"context"
	"runtime"
	"sync"
	"testing"
)

// guarded is what the lock of the stress test guards: far apart, so that the
// stores of a holder could become visible one by one.
type guarded struct {
	mu   lock[int]
	head int
	_    [200]byte
	tail int
}

// step checks what the last holder left, and counts. The lock hides itself from
// the race detector, so this must too.
//
//go:norace
func (g *guarded) step() bool {
	g.mu.Lock()
	ok := g.head == g.tail
	g.head++
	g.tail++
	g.mu.Unlock()
	return ok
}

// TestLockExcludes: what one holder did, all of it, the next one sees. It is
// about the store that frees the lock; see park.Store.
func TestLockExcludes(t *testing.T) {
	const turns = 200000
	for _, procs := range []int{1, 2, 8} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			var g guarded
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range turns {
						if !g.step() {
							t.Errorf("GOMAXPROCS=%d: a holder saw half of what the one before had done", procs)
							return
						}
					}
				})
			}
			wg.Wait()
			if g.head != 4*turns && !t.Failed() {
				t.Errorf("GOMAXPROCS=%d: %d turns, want %d", procs, g.head, 4*turns)
			}
		}()
	}
}

// kept returns how many records c keeps, and checks that they are a ring.
func kept(t *testing.T, c *Chan[int]) int {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	if last := c.spare.last; last != nil {
		n = 1
		for w := last.follow; w != last; w = w.follow {
			n++
		}
	}
	if n != int(c.spare.len) {
		t.Errorf("%d records in the ring, counted as %d", n, c.spare.len)
	}
	return n
}

// waitFor waits until n receivers wait in c.
func waitFor(c *Chan[int], n int) {
	for c.Stats().ReceiversWaiting != n {
		runtime.Gosched()
	}
}

// TestRecordsAreReused: goroutines that wait one after the other need few
// records, and those that wait at the same time one each.
func TestRecordsAreReused(t *testing.T) {
	const crowd, rounds = 10, 100
	c, a := newTest(0)
	ctx := context.Background()
	for range rounds {
		var wg sync.WaitGroup
		for range crowd {
			wg.Go(func() { c.Recv(ctx, a) })
		}
		waitFor(c, crowd)
		for range crowd {
			c.Send(ctx, a, 1, nil, 0)
		}
		wg.Wait()
	}
	if n := kept(t, c); n < crowd || n > 2*crowd {
		t.Errorf("%d records for %d goroutines at a time", n, crowd)
	}
}

// TestRecordsOfABurstAreLetGo: a channel on which many waited once does not keep
// a record for each of them while it goes on being used by few.
func TestRecordsOfABurstAreLetGo(t *testing.T) {
	const crowd = 1000
	c, a := newTest(0)
	ctx := context.Background()
	var wg sync.WaitGroup
	for range crowd {
		wg.Go(func() { c.Recv(ctx, a) })
	}
	waitFor(c, crowd)
	for range crowd {
		c.Send(ctx, a, 1, nil, 0)
	}
	wg.Wait()
	if n := kept(t, c); n < crowd {
		t.Errorf("%d records after %d waited at once", n, crowd)
	}
	wg.Go(func() {
		for range 4 * crowd {
			c.Recv(ctx, a)
		}
	})
	for range 4 * crowd {
		waitFor(c, 1)
		c.Send(ctx, a, 1, nil, 0)
	}
	wg.Wait()
	if n := kept(t, c); n > 20 {
		t.Errorf("%d records are kept though one waits at a time", n)
	}
}

// TestALongWaitStandsInNobodysWay: a sender waits for the settlement of its value
// while others come and go; its record is passed over, and theirs are reused.
func TestALongWaitStandsInNobodysWay(t *testing.T) {
	c, a := newTest(0)
	ctx := context.Background()
	var wg sync.WaitGroup
	wg.Go(func() { c.Send(ctx, a, 1, nil, 0) })
	held := c.Take(ctx, a)
	wg.Go(func() {
		for range 1000 {
			c.Recv(ctx, a)
		}
	})
	for range 1000 {
		waitFor(c, 1)
		c.Send(ctx, a, 1, nil, 0)
	}
	if n := kept(t, c); n > 20 {
		t.Errorf("%d records for two goroutines that wait", n)
	}
	held.Hold.Done()
	wg.Wait()
}
