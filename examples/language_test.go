package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Where the article is wrong about the language, docs/divergence.md says so, and
// here the language does as it is said there. All of it is native.

// The article: any of those who wait is woken.
func TestLanguageWakesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, order := make(chan int), make(chan int, 10)
		for id := range 10 {
			go func() { <-c; order <- id }()
			synctest.Wait() // it waits, behind those before it
		}
		for i := range 10 {
			c <- i
			if id := <-order; id != i {
				t.Errorf("value %d woke receiver %d", i, id)
			}
		}
		for id := range 10 {
			go func() { c <- id }()
			synctest.Wait()
		}
		for i := range 10 {
			if id := <-c; id != i {
				t.Errorf("receive %d met sender %d", i, id)
			}
		}
	})
}

// The article: what is sent is on the heap.
func TestLanguageSendsFromTheStack(t *testing.T) {
	type record [64]byte
	slots, meet, back := make(chan record, 1), make(chan record), make(chan record)
	go func() {
		for r := range meet {
			back <- r
		}
		close(back)
	}()
	defer close(meet)
	allocs := testing.AllocsPerRun(1000, func() {
		var r record
		slots <- r
		meet <- <-slots
		<-back
	})
	if allocs != 0 {
		t.Errorf("%v allocations a round, want none", allocs)
	}
}

// The article shows the close of a send-only channel as one that is not allowed.
func TestLanguageClosesSendOnly(t *testing.T) {
	for program, want := range map[string]string{
		"close((chan<- int)(make(chan int)))": "",
		"close((<-chan int)(make(chan int)))": "receive-only",
	} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "p.go", "package p\nfunc f() { "+program+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = new(types.Config).Check("p", fset, []*ast.File{f}, nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", program, err, want)
		}
	}
	c := make(chan int)
	close((chan<- int)(c))
	if _, open := <-c; open {
		t.Error("the channel is not closed")
	}
}

// The article: a receiver makes room, and some waiting sender, once woken, fills
// it.
func TestLanguageReceiverFillsTheSlot(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a sender that is woken does not run at once
	synctest.Test(t, func(t *testing.T) {
		c := make(chan int, 2)
		c <- 1
		c <- 2
		go func() { c <- 3 }()
		synctest.Wait()
		first, left := <-c, len(c)
		if first != 1 || left != 2 {
			t.Errorf("received %d and left %d in slots, want the oldest, and the sender's in its place", first, left)
		}
		if rest := []int{<-c, <-c}; !slices.Equal(rest, []int{2, 3}) {
			t.Errorf("then %v", rest)
		}
	})
}

// The article, in one place: a sender puts its value into a slot and tells the
// receivers that wait.
func TestLanguageSenderServesTheReceiver(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a receiver that is woken does not run at once
	synctest.Test(t, func(t *testing.T) {
		c := make(chan int, 2)
		done := make(chan int)
		go func() { done <- <-c }()
		synctest.Wait()
		c <- 1
		select {
		case v := <-c:
			t.Errorf("%d was in a slot", v)
		default:
		}
		if v := <-done; v != 1 {
			t.Errorf("the receiver got %d", v)
		}
	})
}

// The article: a close releases everybody who waits. Senders it kills.
func TestLanguageCloseAndWaitingSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := make(chan int)
		said := make(chan any)
		go func() {
			defer func() { said <- recover() }()
			c <- 1
		}()
		synctest.Wait()
		close(c)
		if err, ok := (<-said).(error); !ok || err.Error() != "send on closed channel" {
			t.Errorf("the waiting sender: %v, want a panic", err)
		}
	})
}

// The article: a sender on a synchronous channel waits until the receiver is done
// with the value.
func TestLanguageSendDoesNotWaitForUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, used := make(chan int), make(chan struct{})
		go func() {
			<-c
			time.Sleep(time.Hour) // uses it
			close(used)
		}()
		began := time.Now()
		c <- 1
		if took := time.Since(began); took != 0 {
			t.Errorf("the send took %v", took)
		}
		<-used
	})
}

// The article: asynchronous is faster. Slots let the sides be uneven from value
// to value; the slower side still sets the pace.
func TestLanguageSlotsDoNotRaiseThePace(t *testing.T) {
	took := func(slots int) (all time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			c := make(chan int, slots)
			go func() {
				for i := range 100 {
					time.Sleep(time.Millisecond)
					c <- i
				}
				close(c)
			}()
			for range c {
				time.Sleep(2 * time.Millisecond)
			}
			all = time.Since(began)
		})
		return all
	}
	if without, with := took(0), took(50); without != with {
		t.Errorf("a hundred values took %v without slots and %v with fifty", without, with)
	}
}
