package netchan_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
)

// gate stands before a home and can hold back what it says.
type gate struct {
	mu   sync.Mutex // guards shut
	cond *sync.Cond // shut has changed
	shut bool
	l    net.Listener
}

// gated starts a gate before the home that serves the socket target.
func gated(t *testing.T, target string) *gate {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{l: l}
	g.cond = sync.NewCond(&g.mu)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			home, err := net.Dial("unix", target)
			if err != nil {
				client.Close()
				return
			}
			go func() { // both end with either connection
				defer home.Close()
				io.Copy(home, client)
			}()
			go g.pass(client, home)
		}
	}()
	return g
}

// pass hands on what the home says, while the gate is open.
func (g *gate) pass(client, home net.Conn) {
	defer client.Close()
	defer home.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := home.Read(b)
		if err != nil {
			return
		}
		g.mu.Lock()
		for g.shut {
			g.cond.Wait()
		}
		g.mu.Unlock()
		client.Write(b[:n])
	}
}

// set opens the gate, or shuts it.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	g.shut = shut
	g.mu.Unlock()
	g.cond.Broadcast()
}

func (g *gate) open(t *testing.T, name string, cfg driver.Config) end {
	t.Helper()
	e, err := openURL(context.Background(), "tcp://"+g.l.Addr().String()+"/"+name+"?resume=0s", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Detach(context.Background()) })
	return e
}

// TestDetachCrossesChosen: a value on its way to a select whose attachment is
// detached goes back, and is not the select's as well.
func TestDetachCrossesChosen(t *testing.T) {
	for _, sends := range []bool{false, true} {
		_, path := serve(t, hub.Options{})
		g := gated(t, path)
		one, two := g.open(t, "one", slots(4)), g.open(t, "two", slots(0))
		other := open(t, path, "one", both)
		cases := []driver.Case{two.on(driver.OpRecv), one.on(driver.OpRecv)}
		if sends {
			cases[0] = two.onSend("x")
		}
		sel := choose(cases...)
		other.untilReceiving(t, 1)
		g.set(true)
		other.send("v").want(t, nil)
		other.untilReceiving(t, 0) // CHOSEN is on its way
		detached := make(chan error, 1)
		go func() { detached <- one.Detach(context.Background()) }()
		other.recv(1).wantGot(t, "v")
		g.set(false)
		sel.wantCase(t, 1, driver.ErrDetached)
		if err := <-detached; err != nil {
			t.Error(err)
		}
	}
}

// TestCancelBehindDetach: who gives up an operation need not know that its
// attachment is being detached, and nobody else notices.
func TestCancelBehindDetach(t *testing.T) {
	_, path := serve(t, hub.Options{})
	g := gated(t, path)
	one, two := g.open(t, "one", both), g.open(t, "two", slots(4))
	sent := one.send("v")
	watch := open(t, path, "one", both)
	watch.untilSending(t, 1)
	g.set(true)
	go one.Detach(context.Background()) // the cleanup waits
	watch.untilSending(t, 0)
	one.Cancel(sent.Op, errGivenUp)
	watch.Stats() // whatever CANCEL did at the home is done
	g.set(false)
	sent.wait(t)
	two.send("x").want(t, nil)
	two.recv(1).wantGot(t, "x")
}

// TestKeptBackAfterDrop: a large operation that is given up while it is kept back
// lets a small one behind it go.
func TestKeptBackAfterDrop(t *testing.T) {
	_, path := serve(t, hub.Options{})
	cfg := slots(0)
	cfg.MaxValue = 4 << 20
	one, two := open(t, path, "one", cfg), open(t, path, "two", slots(4))
	large := string(make([]byte, 3<<20))
	for _, begin := range []func(end, string) *pending{
		func(e end, v string) *pending { return choose(e.onSend(v)) },
		func(e end, v string) *pending { return e.send(v) },
	} {
		first := begin(one, large)
		second := begin(one, large)
		one.untilSending(t, 1)
		small := begin(one, "x")
		second.giveUp(t).want(t, errGivenUp)
		one.untilSending(t, 2)
		first.giveUp(t)
		small.giveUp(t)
	}
	choose(two.onSend("x")).wantCase(t, 0, nil)
}

// TestAfterOfKeptBack: time runs for a select that is kept back, too.
func TestAfterOfKeptBack(t *testing.T) {
	_, path := serve(t, hub.Options{})
	cfg := slots(0)
	cfg.MaxValue = 4 << 20
	one := open(t, path, "one", cfg)
	large := string(make([]byte, 3<<20))
	first := choose(one.onSend(large))
	one.untilSending(t, 1)
	op := driver.Op{Kind: driver.OpSelect, Cases: []driver.Case{one.onSend(large)}, After: 20 * time.Millisecond}
	one.start(op).want(t, driver.ErrTimeout)
	first.giveUp(t)
}
