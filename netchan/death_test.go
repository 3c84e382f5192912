package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
)

// watched are the transports whose home knows at once when a client has died.
func watched() (ways []transport) {
	for _, way := range transports() {
		if way.name != "tcp" && way.name != "tls" {
			ways = append(ways, way)
		}
	}
	return ways
}

// TestHolderKilled: what a killed process held comes again at once, with its
// attempt raised.
func TestHolderKilled(t *testing.T) {
	for _, way := range watched() {
		for _, n := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, slots=%d", way.name, n), func(t *testing.T) {
				h, at := way.here(t, hub.Options{})
				s, r := open(t, at, "jobs", slots(n)), open(t, at, "jobs", both)
				sent := s.send("a")
				holder := way.child(t, "holder", h, at)
				s.until(t, "the child holds it", func(s driver.Stats) bool { return s.Held == 1 })
				got := r.recv(1)
				s.untilReceiving(t, 1)
				kill(t, holder)
				if it := got.wantGot(t, "a").Got[0]; it.Attempt != 2 {
					t.Errorf("attempt %d", it.Attempt)
				}
				sent.want(t, nil)
				if s := r.Stats(); s.Redelivered != 1 {
					t.Errorf("%d redelivered", s.Redelivered)
				}
			})
		}
	}
}

// TestHolderKilledConnectionOpen: the same when a child of the killed process
// keeps the connection open.
func TestHolderKilledConnectionOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a system where a home can watch its client's process")
	}
	for _, way := range watched() {
		t.Run(way.name, func(t *testing.T) {
			h, at := way.here(t, hub.Options{})
			s, r := open(t, at, "jobs", slots(1)), open(t, at, "jobs", both)
			s.send("a").want(t, nil)
			parent := way.child(t, "parent", h, at)
			got := r.recv(1)
			s.untilReceiving(t, 1)
			kill(t, parent)
			if it := got.wantGot(t, "a").Got[0]; it.Attempt != 2 {
				t.Errorf("attempt %d", it.Attempt)
			}
		})
	}
}

// TestHomeKilled: what was under way ends, each operation as its outcome can be
// known, and a new home can be reached.
func TestHomeKilled(t *testing.T) {
	for _, way := range watched() {
		t.Run(way.name, func(t *testing.T) { homeKilled(t, way) })
	}
}

func homeKilled(t *testing.T, way transport) {
	home := way.away(t)
	at := home.here
	e, empty := open(t, at, "jobs", slots(1)), open(t, at, "empty", both)
	e.send("a").want(t, nil)
	held := e.take(1).wantGot(t, "a").Got[0]
	e.send("b")
	e.untilSending(t, 1)
	sent := e.send("c")
	e.untilSending(t, 2)
	received, awaited := empty.recv(1), empty.do(driver.OpAwaitStop)
	empty.untilReceiving(t, 1)
	kill(t, home.process)

	if sent.want(t, driver.ErrInDoubt); errors.Is(sent.Err, driver.ErrUnreachable) {
		t.Errorf("both in doubt and certain: %v", sent.Err)
	}
	for _, p := range []*pending{
		received, awaited, e.send("d"), e.trySend("d"), e.recv(1), e.settle(driver.OpDone, held.Hold), e.do(driver.OpClose),
	} {
		p.want(t, driver.ErrUnreachable)
	}
	if s := e.Stats(); s.SendersWaiting != 2 {
		t.Errorf("the last known figures are %+v", s)
	}
	if err := e.Detach(context.Background()); err != nil {
		t.Error(err)
	}

	says := "nobody serves"
	if way.once {
		says = "cannot be opened again"
	}
	if _, err := tryOpen(at, "jobs", both); !errors.Is(err, driver.ErrUnreachable) || !strings.Contains(err.Error(), says) {
		t.Errorf("opening at a dead home: %v", err)
	}
	if way.once {
		return
	}
	way.heir(t, at) // takes the place over
	again := open(t, at, "jobs", slots(1))
	again.send("a").want(t, nil)
	again.recv(1).wantGot(t, "a")
}

// TestHomeCloses: a home that ends in order leaves nothing in doubt.
func TestHomeCloses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	h := serveAt(t, path, hub.Options{})
	e, empty := open(t, path, "jobs", slots(1)), open(t, path, "empty", both)
	e.send("a").want(t, nil)
	sent, received := e.send("b"), empty.recv(1)
	e.untilSending(t, 1)
	empty.untilReceiving(t, 1)
	err := h.Close(context.Background())
	if err == nil || !strings.Contains(err.Error(), "a value in its slots") || !strings.Contains(err.Error(), "jobs") {
		t.Errorf("Close of a home with a value in a slot: %v", err)
	}
	for _, p := range []*pending{sent, received, e.send("c")} {
		if p.want(t, driver.ErrUnreachable); !strings.Contains(p.Err.Error(), "closing") {
			t.Error(p.Err)
		}
	}
	if err := h.Close(context.Background()); err != hub.ErrClosed {
		t.Errorf("a second Close: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// TestNothingIsLeft: the last Detach ends the connection and its goroutines, at
// both sides.
func TestNothingIsLeft(t *testing.T) {
	h, path := serve(t, hub.Options{})
	before := runtime.NumGoroutine()
	for range 20 {
		a, b := open(t, path, "jobs", slots(1)), open(t, path, "other", both)
		a.send("a").want(t, nil)
		p := b.recv(1)
		a.recv(1).wantGot(t, "a")
		for _, e := range []end{a, b} {
			if err := e.Detach(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		p.want(t, driver.ErrDetached)
	}
	nothingLeft(t, h, before)
}
