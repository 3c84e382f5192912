package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/wire"
)

func (e end) onSend(v string) driver.Case {
	return driver.Case{Channel: e.Channel, Op: &driver.Op{Kind: driver.OpSend, Items: items(v)}}
}

func (e end) on(kind driver.Kind) driver.Case {
	return driver.Case{Channel: e.Channel, Op: &driver.Op{Kind: kind, Max: 1}}
}

// choose starts a select on the channel of its first case.
func choose(cases ...driver.Case) *pending {
	return end{cases[0].Channel}.start(driver.Op{Kind: driver.OpSelect, Cases: cases})
}

// wantCase checks that case i was chosen and ended with err.
func (p *pending) wantCase(t testing.TB, i int, err error) *driver.Op {
	t.Helper()
	p.want(t, nil)
	if p.NotReady || p.Chosen != i {
		t.Fatalf("chosen %d, not ready %v; want case %d", p.Chosen, p.NotReady, i)
	}
	op := p.Cases[i].Op
	if !errors.Is(op.Err, err) || err == nil && op.Err != nil {
		t.Fatalf("case %d ended with %v, want %v", i, op.Err, err)
	}
	return op
}

// secondDoor is another path to the socket, and so another connection.
func secondDoor(t testing.TB, path string) string {
	t.Helper()
	other := filepath.Join(t.TempDir(), "d")
	if err := os.Symlink(path, other); err != nil {
		t.Skip(err)
	}
	return other
}

func TestSelect(t *testing.T) {
	_, path := serve(t, hub.Options{})
	a, b, far := open(t, path, "a", both), open(t, path, "b", both), open(t, secondDoor(t, path), "a", both)
	p := choose(a.onSend("x"), b.on(driver.OpRecv))
	a.untilSending(t, 1)
	far.recv(1).wantGot(t, "x")
	if op := p.wantCase(t, 0, nil); op.N != 1 {
		t.Errorf("N is %d", op.N)
	}
	b.untilReceiving(t, 0)
	p = choose(a.onSend("x"), b.on(driver.OpTake))
	a.untilSending(t, 1)
	sent := b.send("y")
	op := p.wantCase(t, 1, nil)
	if it := op.Got[0]; string(it.Value) != "y" || it.Attempt != 1 {
		t.Errorf("%+v", it)
	}
	if sent.ended() {
		t.Error("a value that is held was confirmed")
	}
	b.settle(driver.OpDone, op.Got[0].Hold).want(t, nil)
	sent.want(t, nil)
	b.do(driver.OpClose).want(t, nil)
	choose(a.on(driver.OpAwaitStop), b.on(driver.OpRecv)).wantCase(t, 1, driver.ErrClosed)
	a.start(driver.Op{Kind: driver.OpStop, Reason: "enough"}).want(t, nil)
	if op := choose(a.onSend("x"), a.on(driver.OpAwaitStop)).wantCase(t, 1, nil); op.Reason != "enough" {
		t.Errorf("%q", op.Reason)
	}
}

// TestSelectHeld: a send that is chosen and held, and then given up, is in doubt.
func TestSelectHeld(t *testing.T) {
	_, path := serve(t, hub.Options{})
	a, b := open(t, path, "a", both), open(t, path, "b", both)
	p := choose(a.onSend("x"), b.on(driver.OpRecv))
	a.untilSending(t, 1)
	held := a.take(1).wantGot(t, "x").Got[0]
	a.until(t, "it is known that it came", func(s driver.Stats) bool { return s.Held == 1 })
	p.ch.Cancel(p.Op, errGivenUp)
	op := p.wantCase(t, 0, driver.ErrInDoubt)
	if !errors.Is(op.Err, errGivenUp) {
		t.Error(op.Err)
	}
	a.settle(driver.OpReturn, held.Hold).want(t, driver.ErrAbandoned)
	a.settle(driver.OpDone, held.Hold).want(t, nil)
}

// TestSelectHomeKilled: a select that might have sent is in doubt, one that
// could only receive is not.
func TestSelectHomeKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	home := child(t, "home", path)
	a, b := open(t, path, "a", both), open(t, path, "b", both)
	sends, receives := choose(a.onSend("x"), b.on(driver.OpRecv)), choose(a.on(driver.OpAwaitStop), b.on(driver.OpTake))
	a.untilSending(t, 1)
	b.untilReceiving(t, 2)
	kill(t, home)
	sends.want(t, driver.ErrInDoubt)
	receives.want(t, driver.ErrUnreachable)
	choose(a.onSend("x")).want(t, driver.ErrUnreachable)
}

// TestSelectKeptBack: a connection with too many selects keeps the rest back, in
// order, and they can be given up and detached there.
func TestSelectKeptBack(t *testing.T) {
	_, path := serve(t, hub.Options{MaxWaiting: 3})
	a, b := open(t, path, "a", both), open(t, path, "b", both)
	var all []*pending
	for i := range 8 {
		all = append(all, choose(a.onSend(fmt.Sprint(i))))
	}
	all = append(all, choose(b.on(driver.OpRecv)))
	a.untilSending(t, 3)
	all[5].giveUp(t).want(t, errGivenUp)
	for _, i := range []int{0, 1, 2, 3} {
		a.recv(1).wantGot(t, fmt.Sprint(i))
		all[i].wantCase(t, 0, nil)
	}
	if err := b.Detach(context.Background()); err != nil {
		t.Error(err)
	}
	all[8].wantCase(t, 0, driver.ErrDetached)
	for _, i := range []int{4, 6, 7} {
		a.recv(1).wantGot(t, fmt.Sprint(i))
		all[i].wantCase(t, 0, nil)
	}
}

// TestSelectBadHome: an answer that does not fit ends the connection, and what
// may have been sent is in doubt.
func TestSelectBadHome(t *testing.T) {
	opened := &wire.Opened{Channel: 1, Op: 1, MaxValue: 100, Ops: 10, Bytes: 1000, Flags: wire.CanHold, Select: uint8(driver.SelectHome)}
	for _, test := range []struct {
		name   string
		chosen wire.Chosen
		says   string
	}{
		{"no such case", wire.Chosen{Case: 2}, "not there"},
		{"a value for a send", wire.Chosen{Flags: wire.ChosenValue}, "value"},
		{"no value for a receive", wire.Chosen{Case: 1}, "value"},
		{"a value and an error", wire.Chosen{Case: 1, Flags: wire.ChosenValue, Code: wire.CodeClosed}, "value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.chosen.Channel, test.chosen.Op = 1, 2
			a := open(t, welcoming(t, opened, test.chosen.Append(nil)), "jobs", both)
			choose(a.onSend("x"), a.on(driver.OpRecv)).want(t, driver.ErrInDoubt)
			p := a.recv(1)
			if p.want(t, driver.ErrUnreachable); !strings.Contains(p.Err.Error(), test.says) {
				t.Errorf("%v, want it to say %q", p.Err, test.says)
			}
		})
	}
}

// TestSelectDetached: detaching ends a select through the case that is on it.
func TestSelectDetached(t *testing.T) {
	_, path := serve(t, hub.Options{})
	a, b := open(t, path, "a", both), open(t, path, "b", both)
	p := choose(a.onSend("x"), b.on(driver.OpRecv))
	a.untilSending(t, 1)
	if err := b.Detach(context.Background()); err != nil {
		t.Error(err)
	}
	p.wantCase(t, 1, driver.ErrDetached)
	choose(a.onSend("x"), b.on(driver.OpRecv)).wantCase(t, 1, driver.ErrDetached)
	a.untilSending(t, 0)
}

func TestSelectRefusals(t *testing.T) {
	_, path := serve(t, hub.Options{})
	a, elsewhere := open(t, path, "a", both), open(t, secondDoor(t, path), "b", both)
	readOnly := driver.Config{Receive: true, Slots: -1}
	r := open(t, path, "r", readOnly)
	choose(a.on(driver.OpRecv), elsewhere.on(driver.OpRecv)).want(t, driver.ErrUnsupported)
	choose(a.on(driver.OpRecv), r.onSend("x")).want(t, driver.ErrDenied)
	choose(a.on(driver.OpClose)).want(t, driver.ErrUnsupported)
	choose(a.onSend(strings.Repeat("x", 1<<20+1))).want(t, driver.ErrTooLarge)
	large := a.onSend(strings.Repeat("x", 1<<20))
	choose(large, large, large).want(t, driver.ErrTooLarge)
	many := make([]driver.Case, 1025)
	for i := range many {
		many[i] = a.on(driver.OpRecv)
	}
	choose(many...).want(t, driver.ErrTooLarge)
	p := choose(many[:1024]...)
	a.untilReceiving(t, 1024)
	p.giveUp(t).want(t, errGivenUp)
	a.untilReceiving(t, 0)
}

// TestSelectMixed: selects over more than one home, and one with what its home can do.
func TestSelectMixed(t *testing.T) {
	_, path := serve(t, hub.Options{})
	_, other := serve(t, hub.Options{})
	ctx := t.Context()
	at := func(path, name string) handoff.Chan[string] {
		ch, err := handoff.Open[string](ctx, "unix:"+path+"?slots=1&chan="+name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ch.Detach() })
		return ch
	}
	a, b, far, here := at(path, "a"), at(path, "b"), at(other, "a"), handoff.Make[string](1)
	for _, test := range []struct {
		name  string
		cases []handoff.Case
	}{
		{"two homes", []handoff.Case{far.OnRecv(nil), a.OnRecv(nil)}},
		{"a home and this process", []handoff.Case{here.OnRecv(nil), a.OnRecv(nil)}},
		{"a home and a native channel", []handoff.Case{handoff.OnNative(make(chan int), nil), a.OnRecv(nil)}},
		{"a stop of another home", []handoff.Case{far.OnStop(nil), a.OnRecv(nil)}},
		{"a default over two homes", []handoff.Case{far.OnRecv(nil), a.OnRecv(nil), handoff.Default(nil)}},
	} {
		if err := a.Send(ctx, "x"); err != nil {
			t.Fatal(err)
		}
		within, stop := context.WithTimeout(ctx, patience)
		i, err := handoff.Select(within, test.cases...)
		stop()
		if i != 1 || err != nil {
			t.Errorf("%s: %d, %v", test.name, i, err)
		}
	}
	var got, why string
	sel := handoff.NewSelector(
		a.OnRecv(func(v string, ok bool) { got = v }), b.OnSend("y", nil), b.OnStop(func(reason string) { why = reason }),
		handoff.Case{}, handoff.After(time.Hour, nil), handoff.Default(nil))
	want := func(want int) {
		t.Helper()
		if i, err := sel.Select(ctx); i != want || err != nil {
			t.Fatalf("chose %d, %v; want %d", i, err, want)
		}
	}
	want(1)
	want(5)
	a.Send(ctx, "x")
	if want(0); got != "x" {
		t.Errorf("got %q", got)
	}
	sel.Enable(5, false)
	go b.Stop("enough")
	if want(2); why != "enough" {
		t.Errorf("reason %q", why)
	}
	for _, i := range []int{0, 1, 2} {
		sel.Enable(i, false)
	}
	sel.Enable(5, true)
	want(5) // no channel takes part: no home is asked
}

// TestSelectStorm has the processes at both doors of a home select with sends
// and receives and give up at any time: every value that was sent is received
// once, and at the end nothing waits.
func TestSelectStorm(t *testing.T) {
	seed := drivertest.NewSeed()
	t.Logf("seed %d (repeat with -drivertest.seed=%d)", seed, seed)
	_, path := serve(t, hub.Options{})
	doors := []string{path, secondDoor(t, path)}
	const parties, turns = 6, 150
	var chans [2][3]end
	for d, door := range doors {
		for c := range chans[d] {
			chans[d][c] = open(t, door, fmt.Sprint("c", c), slots(c%2))
		}
	}
	var mu sync.Mutex // guards the two below
	sent, received := map[string]int{}, map[string]int{}
	var wg sync.WaitGroup
	for p := range parties {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(seed, uint64(p)))
			mine := chans[p%2]
			for turn := range turns {
				v := fmt.Sprint(p, ".", turn)
				cases := []driver.Case{mine[dice.IntN(3)].onSend(v), mine[dice.IntN(3)].on(driver.OpRecv), mine[dice.IntN(3)].on(driver.OpTake)}
				sends := true
				if dice.IntN(3) == 0 {
					cases, sends = cases[1:], false
				}
				sel := choose(cases...)
				if dice.IntN(2) == 0 {
					sel.ch.Cancel(sel.Op, errGivenUp)
				}
				select {
				case <-sel.done:
				case <-time.After(time.Duration(dice.IntN(2000)) * time.Microsecond):
					sel.ch.Cancel(sel.Op, errGivenUp)
					<-sel.done
				}
				if sel.Err != nil {
					if sel.Err != errGivenUp {
						t.Errorf("%v", sel.Err)
					}
					continue
				}
				won := sel.Cases[sel.Chosen].Op
				held := won.Kind == driver.OpSend && errors.Is(won.Err, driver.ErrInDoubt) && errors.Is(won.Err, errGivenUp)
				if won.Err != nil && !held {
					t.Errorf("case %d: %v", sel.Chosen, won.Err)
					continue
				}
				if won.Kind == driver.OpTake {
					end{sel.Cases[sel.Chosen].Channel}.settle(driver.OpDone, won.Got[0].Hold).want(t, nil)
				}
				mu.Lock()
				if sends && sel.Chosen == 0 { // or held by a take here, all of which are confirmed
					sent[v]++
				} else {
					received[string(won.Got[0].Value)]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, ch := range chans[0] {
		ch.until(t, "nothing waits", func(s driver.Stats) bool { return s.SendersWaiting+s.ReceiversWaiting+s.Held == 0 })
		for p := ch.tryRecv().want(t, nil); !p.NotReady; p = ch.tryRecv().want(t, nil) {
			received[string(p.Got[0].Value)]++
		}
	}
	if len(sent) == 0 {
		t.Error("nothing was sent")
	}
	for v, n := range sent {
		if n != 1 || received[v] != 1 {
			t.Errorf("%s: sent %d times, received %d times", v, n, received[v])
		}
	}
	for v := range received {
		if sent[v] == 0 {
			t.Errorf("%s: received and not sent", v)
		}
	}
}
