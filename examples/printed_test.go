package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Here is what the examples say of the printed programs, shown: for each fault
// the least in native channels that has it, in a bubble, where it shows every
// time. Where main waits for nobody, whoever prints takes a while to do so, as it
// may: what is not printed when main returns is lost.

// leaves checks that a program leaves just these goroutines behind, an hour
// later.
func leaves(t *testing.T, program func(), want map[string]int) {
	t.Helper()
	got := map[string]int{}
	o := bubbled(t, func() {
		program()
		anHourLater()
	})
	for _, g := range o.left {
		waits, _, _ := strings.Cut(g, " (durable)")
		got[waits]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("left %v (%s), want %v", got, o.stuck, want)
	}
}

// slowly is work that takes a while.
func slowly() { time.Sleep(time.Millisecond) }

// anHourLater is a process that goes on.
func anHourLater() { time.Sleep(time.Hour) }

func TestPrintedConsumerNobodyWaitsFor(t *testing.T) {
	var printed, atReturn atomic.Int32
	leaves(t, func() {
		c := make(chan int, 5)
		go func() {
			for range c {
				slowly()
				printed.Add(1)
			}
		}()
		for i := range 10 {
			c <- i
		}
		close(c)
		atReturn.Store(printed.Load())
	}, nil)
	if atReturn.Load() >= 10 || printed.Load() != 10 {
		t.Errorf("%d values were printed when main returned, and %d would have been, want fewer than 10, and 10", atReturn.Load(), printed.Load())
	}
}

func TestPrintedSlotsLeft(t *testing.T) {
	bubbled(t, func() {
		c := make(chan int, 5)
		go func() { <-c }()
		c <- 1
		c <- 2
		c <- 3
		if len(c) < 2 {
			t.Errorf("%d values left in the slots, want 2 or more", len(c))
		}
	})
}

func TestPrintedPingPong(t *testing.T) {
	leaves(t, func() {
		a, b := make(chan bool), make(chan bool)
		go func() {
			for range 3 {
				<-a
				b <- true
			}
		}()
		go func() {
			for range 3 {
				<-b
				a <- true
			}
		}()
		a <- true
	}, map[string]int{"chan send": 1})
}

func TestPrintedDeadlock(t *testing.T) {
	leaves(t, func() {
		c := make(chan int)
		c <- 100
		<-c
	}, map[string]int{"chan send": 1})
}

func TestPrintedNumbersNeverClosed(t *testing.T) {
	leaves(t, func() {
		c := make(chan int)
		go func() {
			for range c {
			}
		}()
		for i := range 10 {
			c <- i
		}
	}, map[string]int{"chan receive": 1})
}

// The receive by which main waits for the end takes a value instead.
func TestPrintedFinalReceiveSteals(t *testing.T) {
	var mu sync.Mutex // guards received
	var received []int
	stolen, open := 0, false
	leaves(t, func() {
		c := make(chan int, 5)
		go func() {
			defer close(c)
			for v := range c {
				slowly()
				mu.Lock()
				received = append(received, v)
				mu.Unlock()
			}
		}()
		for i := range 10 {
			c <- i
		}
		stolen, open = <-c
	}, map[string]int{"chan receive": 1}) // the loop that only its own close would end
	mu.Lock()
	defer mu.Unlock()
	if !open || len(received) != 9 || slices.Contains(received, stolen) {
		t.Errorf("main got %d, open %v, and the receiver %v", stolen, open, received)
	}
}

// If the receiver is quick, the same receive waits for ever, and so does it.
func TestPrintedFinalReceiveWaits(t *testing.T) {
	leaves(t, func() {
		c := make(chan int, 5)
		go func() {
			defer close(c)
			for range c {
			}
		}()
		for i := range 10 {
			c <- i
		}
		slowly()
		<-c
	}, map[string]int{"chan receive": 2})
}

func TestPrintedExitBlocksEachTurn(t *testing.T) {
	var ticks, atExit atomic.Int32
	leaves(t, func() {
		exit := make(chan bool)
		go func() {
			for {
				time.Sleep(time.Second)
				ticks.Add(1)
				<-exit
			}
		}()
		time.Sleep(10 * time.Second)
		atExit.Store(ticks.Load())
		exit <- true
	}, map[string]int{"chan receive": 1})
	if atExit.Load() != 1 || ticks.Load() != 2 {
		t.Errorf("%d ticks in ten seconds and %d in all, want 1, and 1 after the exit", atExit.Load(), ticks.Load())
	}
}

func TestPrintedGunDoesNotWait(t *testing.T) {
	var ready, atGun atomic.Int32
	leaves(t, func() {
		gun := make(chan struct{})
		for i := range 3 {
			go func() {
				time.Sleep(time.Duration(i) * 700 * time.Millisecond) // the third needs 1.4 s
				ready.Add(1)
				<-gun
			}()
		}
		time.Sleep(time.Second)
		atGun.Store(ready.Load())
		close(gun)
	}, nil)
	if atGun.Load() != 2 || ready.Load() != 3 {
		t.Errorf("%d ready at the gun and %d in the end, want 2 and 3", atGun.Load(), ready.Load())
	}
}

func TestPrintedSelectNobodyWaitsFor(t *testing.T) {
	var ended, atReturn atomic.Bool
	leaves(t, func() {
		a, b := make(chan int), make(chan int)
		go func() {
			for a, b := a, b; a != nil || b != nil; {
				select {
				case _, ok := <-a:
					if !ok {
						a = nil
					}
				case _, ok := <-b:
					if !ok {
						b = nil
					}
				}
				slowly()
			}
			ended.Store(true)
		}()
		a <- 1
		close(a)
		b <- 2
		close(b)
		atReturn.Store(ended.Load())
	}, nil)
	if atReturn.Load() || !ended.Load() {
		t.Errorf("the last words were said when main returned: %v, and at last: %v", atReturn.Load(), ended.Load())
	}
}

func TestPrintedGenerator(t *testing.T) {
	leaves(t, func() {
		ids := make(chan int)
		go func() {
			for x := 0; ; x++ {
				ids <- x
			}
		}()
		<-ids
		<-ids
	}, map[string]int{"chan send": 1})
}

func TestPrintedTimeoutStopsNothing(t *testing.T) {
	var timedOut, ended atomic.Bool
	leaves(t, func() {
		done := make(chan struct{})
		go func() {
			time.Sleep(4 * time.Second)
			ended.Store(true)
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(3 * time.Second):
			timedOut.Store(!ended.Load())
		}
	}, nil)
	if !timedOut.Load() || !ended.Load() {
		t.Errorf("timed out while it ran: %v, ran to its end all the same: %v", timedOut.Load(), ended.Load())
	}
	leaves(t, func() { // one that has no end
		done := make(chan struct{})
		go func() { <-done }()
		<-time.After(3 * time.Second)
	}, map[string]int{"chan receive": 1})
}

func TestPrintedReceiverLeak(t *testing.T) {
	leaves(t, func() {
		c := make(chan int)
		for range 10 {
			go func() { <-c }()
		}
	}, map[string]int{"chan receive": 10})
}

func TestPrintedSenderLeak(t *testing.T) {
	leaves(t, func() {
		c := make(chan int)
		for range 50 {
			go func() { c <- 1 }()
		}
	}, map[string]int{"chan send": 50})
}

// The cure leaks its receiver.
func TestPrintedSenderLeakCure(t *testing.T) {
	leaves(t, func() {
		c := make(chan int)
		for range 50 {
			go func() { c <- 1 }()
		}
		go func() {
			for range c {
			}
		}()
	}, map[string]int{"chan receive": 1})
}
