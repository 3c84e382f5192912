package engine

import (
	"context"
	"errors"
	"os"
	ossignal "os/signal"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/handoff-go/handoff/internal/park"
)

type key struct{}

// own is a context that ends by itself, as anybody may write one.
type own struct{ context.Context }

func (own) Done() <-chan struct{} { return make(chan struct{}) }

// What package context asks for is not promised. If it asks for something else no
// context is watched, which costs speed and nothing else; this tells.
func TestWhoCanTell(t *testing.T) {
	std, cancel := context.WithCancel(t.Context())
	defer cancel()
	timed, cancelTimed := context.WithTimeout(std, time.Hour)
	defer cancelTimed()
	caught, uncatch := ossignal.NotifyContext(std, os.Interrupt)
	defer uncatch()
	for name, c := range map[string]struct {
		ctx  context.Context
		want bool
	}{
		"WithCancel":                {std, true},
		"WithTimeout":               {timed, true},
		"NotifyContext":             {caught, true},
		"WithValue":                 {context.WithValue(std, key{}, 1), true},
		"somebody's own":            {own{std}, false},
		"a value on somebody's own": {context.WithValue(own{std}, key{}, 1), false},
		"Background":                {context.Background(), false},
		"WithoutCancel":             {context.WithoutCancel(std), false},
	} {
		if got := tells(c.ctx) != nil; got != c.want {
			t.Errorf("%s: tells = %v, want %v", name, got, c.want)
		}
	}
}

// A context that lives on neither keeps a channel that was used under it, nor goes
// on knowing of it.
func TestWatchEndsWithItsChannel(t *testing.T) {
	if !park.Fast {
		t.Skip("no watches in the portable form")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone, ended := used(t, ctx)
	for i := 0; gone.Value() != nil; i++ {
		if i == 10 {
			t.Fatal("the channel is kept")
		}
		runtime.GC()
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the context still knows of the channel")
	}
}

// A context that carries the channel among its values does not keep it either.
func TestWatchOfACarrier(t *testing.T) {
	if !park.Fast {
		t.Skip("no watches in the portable form")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := New[int](Config{}, nil)
	gone := weak.Make(c)
	carrier := context.WithValue(ctx, key{}, c)
	ended := use(t, carrier, c)
	carrier, c = nil, nil
	for i := 0; gone.Value() != nil; i++ {
		if i == 10 {
			t.Fatal("the channel is kept")
		}
		runtime.GC()
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the context still knows of the channel")
	}
}

// A context is not watched in the place of another under which somebody waits.
func TestWatchStaysWhileSomebodyWaits(t *testing.T) {
	if !park.Fast {
		t.Skip("no watches in the portable form")
	}
	c := New[int](Config{}, nil)
	a := c.Attach(true, true)
	first, endFirst := context.WithCancel(t.Context())
	defer endFirst()
	second, endSecond := context.WithCancel(t.Context())
	defer endSecond()
	send := func(ctx context.Context, before int) <-chan error {
		ended := make(chan error, 1)
		go func() { ended <- c.Send(ctx, a, 1, nil, 0) }()
		for c.Stats().SendersWaiting == before {
			runtime.Gosched()
		}
		return ended
	}
	recv := func() {
		if _, err := c.Recv(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 * habit {
		ended := send(first, 0)
		recv()
		<-ended
	}
	for range habit - 1 {
		ended := send(second, 0)
		recv()
		<-ended
	}
	ends := send(second, 0) // and then wants to be watched
	waits := send(first, 1)
	recv()
	if err := <-ends; err != nil {
		t.Fatal(err)
	}
	endFirst()
	select {
	case err := <-waits:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the send ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the end of its context is not told to who waits under it")
	}
}

// used returns a channel that was used under ctx until ctx is watched, and nobody
// has, and what is closed when the watch ends.
func used(t *testing.T, ctx context.Context) (weak.Pointer[Chan[int]], <-chan struct{}) {
	c := New[int](Config{}, nil)
	return weak.Make(c), use(t, ctx, c)
}

// use uses c under ctx until ctx is watched, and returns what is closed when the
// watch ends.
func use(t *testing.T, ctx context.Context, c *Chan[int]) <-chan struct{} {
	a := c.Attach(true, true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 10 * habit {
			if err := c.Send(ctx, a, i, nil, 0); err != nil {
				t.Error(err)
			}
		}
	}()
	for range 10 * habit {
		if _, err := c.Recv(ctx, a); err != nil {
			t.Error(err)
		}
	}
	<-done
	ended := make(chan struct{})
	found := false
	for i := range c.watches.of {
		if w := &c.watches.of[i]; w.stop != nil && !found {
			stop := w.stop
			w.stop = func() bool { close(ended); return stop() }
			found = true
		}
	}
	if !found {
		t.Fatal("no context is watched")
	}
	return ended
}
