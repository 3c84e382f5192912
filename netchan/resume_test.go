package netchan_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
	"github.com/handoff-go/handoff/internal/testproc"
)

var seed = flag.Uint64("seed", 0, "the seed of the random tests, 0 for one of the clock")

// randomly returns a source that a failing test can be repeated with.
func randomly(t *testing.T) *rand.Rand {
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", n)
	return rand.New(rand.NewPCG(n, 1))
}

// tcpURL names the channel name at address.
func tcpURL(address, name, parameters string) string {
	return fmt.Sprintf("tcp://%s/%s?%s", address, name, parameters)
}

// exchange does one of everything over one connection and checks each outcome.
func exchange(t *testing.T, address, name string) {
	ctx := context.Background()
	e, err := openURL(ctx, tcpURL(address, name, ""), slots(1))
	if err != nil {
		t.Fatal(err)
	}
	other, err := openURL(ctx, tcpURL(address, name+"-0", ""), both)
	if err != nil {
		t.Fatal(err)
	}
	e.send("a").want(t, nil)
	b := e.send("b", "c")
	e.recv(1).wantGot(t, "a")
	held := e.take(1).wantGot(t, "b").Got[0]
	e.settle(driver.OpReturn, held.Hold).want(t, nil)
	held = e.take(1).wantGot(t, "b").Got[0]
	if held.Attempt != 2 {
		t.Errorf("attempt %d", held.Attempt)
	}
	e.settle(driver.OpDone, held.Hold).want(t, nil)
	b.want(t, nil)
	if p := e.trySend("x").want(t, nil); !p.NotReady {
		t.Error("a slot is free that is not")
	}
	if it := e.recv(1).wantGot(t, "c").Got[0]; it.Attempt != 1 {
		t.Errorf("attempt %d", it.Attempt)
	}
	if p := e.tryRecv().want(t, nil); !p.NotReady {
		t.Errorf("received %d values", len(p.Got))
	}
	met := other.send("rendezvous")
	other.recv(1).wantGot(t, "rendezvous")
	met.want(t, nil)
	waits := other.recv(1)
	waits.giveUp(t).want(t, errGivenUp)
	e.do(driver.OpClose).want(t, nil)
	e.recv(1).want(t, driver.ErrClosed)
	if s := e.Stats(); s.Sent != 3 || s.Received != 3 || s.Redelivered != 1 || s.Len+s.Held != 0 || !s.Closed {
		t.Errorf("%+v", s)
	}
	for _, e := range []end{e, other} {
		if err := e.Detach(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestCutAtEveryByte: wherever the connection breaks, in whatever frame and in
// either direction, nobody notices.
func TestCutAtEveryByte(t *testing.T) {
	_, home := serveTCP(t, hub.Options{})
	p := through(t, home, badline.Never)
	exchange(t, p.Address(), "uncut")
	_, total := p.Figures()
	handshake := 200 // a dial that fails is the caller's
	for direction, bytes := range total {
		for k := handshake; k <= bytes; k++ {
			name := fmt.Sprintf("cut-%d-%d", direction, k)
			p.Set(func(n int) (int, int) {
				if n > 0 {
					return -1, -1
				}
				cut := [2]int{-1, -1}
				cut[direction] = k
				return cut[0], cut[1]
			})
			exchange(t, p.Address(), name)
			if n, _ := p.Figures(); n < 2 && k < bytes-100 {
				t.Errorf("%s: %d connections", name, n)
			}
			if t.Failed() {
				t.Fatalf("%s of %d bytes", name, bytes)
			}
		}
	}
}

// TestCutsUnderLoad: senders and receivers whose connections break all the time
// hand over every value once, and each receiver sees those of a sender in order.
func TestCutsUnderLoad(t *testing.T) {
	r := randomly(t)
	var mu sync.Mutex
	_, home := serveTCP(t, hub.Options{})
	p := through(t, home, func(n int) (int, int) {
		mu.Lock()
		defer mu.Unlock()
		return 150 + r.IntN(20000), 150 + r.IntN(20000)
	})
	for _, slots := range []int{0, 3, 100} {
		t.Run(fmt.Sprintf("slots=%d", slots), func(t *testing.T) { loaded(t, p, slots) })
	}
}

func loaded(t *testing.T, p *badline.Line, n int) {
	const senders, receivers, values = 3, 3, 400
	name := fmt.Sprintf("load-%d", n)
	links := 0
	// Each end has a connection of its own: resume tells them apart.
	connect := func() end {
		links++
		for {
			e, err := openURL(t.Context(), tcpURL(p.Address(), name, fmt.Sprintf("resume=%dms", 20000+links)), slots(n))
			if err == nil {
				return e
			}
			if !errors.Is(err, driver.ErrUnreachable) {
				t.Fatal(err) // a dial may be cut, and is the caller's
			}
		}
	}
	var sending, receiving sync.WaitGroup
	for s := range senders {
		e := connect()
		sending.Go(func() {
			for v := 0; v < values; v += 2 {
				p := e.send(fmt.Sprintf("%d:%d", s, v), fmt.Sprintf("%d:%d", s, v+1))
				<-p.done
				if p.Err != nil || p.N != 2 {
					t.Errorf("sender %d: %d, %v", s, p.N, p.Err)
					return
				}
			}
			e.Detach(context.Background())
		})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	for r := range receivers {
		e := connect()
		receiving.Go(func() {
			last := [senders]int{}
			for {
				kind := driver.OpRecv
				if r == 0 {
					kind = driver.OpTake
				}
				p := e.start(driver.Op{Kind: kind, Max: 1 + r})
				<-p.done
				if errors.Is(p.Err, driver.ErrClosed) {
					break
				}
				if p.Err != nil {
					t.Errorf("receiver %d: %v", r, p.Err)
					return
				}
				for _, it := range p.Got {
					if kind == driver.OpTake {
						done := e.settle(driver.OpDone, it.Hold)
						if <-done.done; done.Err != nil {
							t.Errorf("receiver %d: %v", r, done.Err)
						}
					}
					var s, v int
					fmt.Sscanf(string(it.Value), "%d:%d", &s, &v)
					if it.Attempt != 1 || v < last[s] {
						t.Errorf("receiver %d: %q at attempt %d after %d", r, it.Value, it.Attempt, last[s])
					}
					last[s] = v
					mu.Lock()
					seen[string(it.Value)]++
					mu.Unlock()
				}
			}
			e.Detach(context.Background())
		})
	}
	sending.Wait()
	e := connect()
	e.do(driver.OpClose).want(t, nil)
	receiving.Wait()
	e.Detach(context.Background())
	for s := range senders {
		for v := range values {
			if n := seen[fmt.Sprintf("%d:%d", s, v)]; n != 1 {
				t.Errorf("value %d of sender %d was received %d times", v, s, n)
			}
		}
	}
	connections, _ := p.Figures()
	t.Logf("%d connections", connections)
}

var every = flag.Bool("every", false, "run every law over connections that are cut")

// waiting are laws that pass too, and mostly wait for round trips. The two of L12
// measure memory: what is kept until it is acknowledged, at both ends, comes and
// goes with each connection, and under -race passed their margin once; both are
// judged over connections that last.
var waiting = []string{
	"L12/selects-on-a-quiet-channel-leave-nothing", "L12/cancelled-operations-leave-nothing", "L2/capacity-is-exact", "L1/many-consumers",
	"L6/default-token-dance", "L6/default-hole-dance",
}

// withoutWaiting leaves those out of o, unless all are to be run.
func withoutWaiting(t *testing.T, o drivertest.Options) drivertest.Options {
	holds := o.Only
	o.Only = func(l drivertest.Law) bool {
		if slices.Contains(waiting, l.Name) && !*every {
			t.Logf("not run without -every: %s", l.Name)
			return false
		}
		return holds(l)
	}
	return o
}

// withoutTime leaves the laws that let time pass out of o, unless all are to be run: by
// whose clock that is, the home's or its client's, does not depend on what is between them,
// so over one transport they say all there is to say.
func withoutTime(t *testing.T, o drivertest.Options) drivertest.Options {
	holds := o.Only
	o.Only = func(l drivertest.Law) bool {
		if l.Timed && !*every {
			t.Logf("not run without -every: %s", l.Name)
			return false
		}
		return holds(l)
	}
	return o
}

// TestLargeOverCuts: a value that is larger than what any connection carries comes
// all the same.
func TestLargeOverCuts(t *testing.T) {
	_, home := serveTCP(t, hub.Options{})
	p := through(t, home, func(int) (int, int) { return 20000, 20000 })
	e := mustOpenURL(t, tcpURL(p.Address(), "jobs", "resume=30s"), slots(1))
	large := strings.Repeat("large", 60000)
	e.send(large).want(t, nil)
	if got := e.recv(1).values(t); len(got) != 1 || got[0] != large {
		t.Errorf("received %d values", len(got))
	}
	if n, _ := p.Figures(); n < 30 {
		t.Errorf("%d connections", n)
	}
}

// TestLawsTCPCut runs the suite over connections that break all the time: after
// the handshake, and so many bytes more.
func TestLawsTCPCut(t *testing.T) {
	if testproc.Apart(t) {
		return
	}
	r := randomly(t)
	_, home := serveTCP(t, plenty)
	p := through(t, home, cutsAfter(r, 400, 30000))
	o := withoutWaiting(t, options(t, otherwise))
	h := harness("tcp, cut", func(name string) string { return tcpURL(p.Address(), name, "resume=30s") })
	drivertest.Run(t, h, o)
	connections, _ := p.Figures()
	t.Logf("%d connections", connections)
}
