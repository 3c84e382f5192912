package park

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// ended fails the test if done is not closed soon.
func ended(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("a goroutine was not woken")
	}
}

func needsFast(t *testing.T) {
	t.Helper()
	if !Fast {
		t.Skip("the portable form waits on native channels")
	}
}

// A ring that nobody waits for is kept, one and no more, until it is hushed.
func TestDoorKeepsOneRing(t *testing.T) {
	needsFast(t)
	var d Door
	d.Ring()
	d.Ring()
	d.Wait()
	d.Wait() // it is left
	d.Hush()
	woken := make(chan struct{})
	go func() { d.Wait(); close(woken) }()
	for range 100 {
		runtime.Gosched()
	}
	select {
	case <-woken:
		t.Fatal("a ring was heard twice, or after it was hushed")
	default:
	}
	d.Ring()
	ended(t, woken)
}

// Every ring is seen, by the wait it interrupts or by the next: a counter that is
// raised before each ring is never waited for in vain. The bells of many rings at
// once may be heard as one.
func TestDoorStress(t *testing.T) {
	needsFast(t)
	const ringers, rings = 4, 20000
	var d Door
	var mu sync.Mutex // guards sum
	sum := 0
	for range ringers {
		go func() {
			for range rings {
				mu.Lock()
				sum++
				mu.Unlock()
				d.Ring()
			}
		}()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			d.Hush()
			mu.Lock()
			n := sum
			mu.Unlock()
			if n == ringers*rings {
				return
			}
			d.Wait()
		}
	}()
	ended(t, done)
}
