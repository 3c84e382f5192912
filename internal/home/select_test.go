package home

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

var errGivenUp = errors.New("given up")

// made is a channel at its home with one attachment.
func made(t *testing.T, slots int) driver.Channel {
	t.Helper()
	ch, err := New(driver.Config{Name: "c", Slots: slots}, "here", nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := ch.Attach(driver.Config{Send: true, Receive: true})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// run is an operation under way.
type run struct {
	*driver.Op
	ch   driver.Channel
	done chan struct{}
}

func start(ch driver.Channel, op driver.Op) *run {
	r := &run{ch: ch, done: make(chan struct{})}
	r.Op = &op
	r.OnFinish(func(*driver.Op) { close(r.done) })
	ch.Start(r.Op)
	return r
}

func (r *run) open() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

func (r *run) cancel() { r.ch.Cancel(r.Op, errGivenUp) }

// want checks that the select has ended, with case i.
func (r *run) want(t *testing.T, i int) {
	t.Helper()
	if r.open() {
		t.Fatal("it has not ended")
	}
	if r.Err != nil || r.NotReady || r.Chosen != i {
		t.Fatalf("chosen %d, not ready %v, %v; want case %d", r.Chosen, r.NotReady, r.Err, i)
	}
}

func sendOf(v string) *driver.Op {
	return &driver.Op{Kind: driver.OpSend, Items: []driver.Item{{Value: []byte(v)}}}
}

// far is a receive for somebody elsewhere, as a hub serves RECV.
func far() driver.Op {
	return driver.Op{Kind: driver.OpTake, Max: 1, Plain: true, Unheard: true}
}

func farTake() driver.Op { return driver.Op{Kind: driver.OpTake, Max: 1, Unheard: true} }

func ptr(op driver.Op) *driver.Op { return &op }

func choose(cases ...driver.Case) driver.Op { return driver.Op{Kind: driver.OpSelect, Cases: cases} }

// tell settles the first value r has got.
func (r *run) tell(kind driver.Kind, unseen bool) error {
	op := driver.Op{Kind: kind, Hold: r.Got[0].Hold, Unseen: unseen}
	return start(r.ch, op).Err
}

// TestSelectGoesOn: a send case whose receiver gave up before the value came was
// never chosen, and another case is, in its old place.
func TestSelectGoesOn(t *testing.T) {
	a, b := made(t, 0), made(t, 0)
	first := start(a, choose(driver.Case{Channel: a, Op: sendOf("first")}, driver.Case{Channel: b, Op: ptr(far())}))
	second := start(a, *sendOf("second"))
	r := start(a, far())
	if r.open() || !first.open() {
		t.Fatal("the select's send is chosen only when its receiver has the value")
	}
	if err := r.tell(driver.OpReturn, true); err != nil || !first.open() {
		t.Fatalf("%v, open %v", err, first.open())
	}
	// It is still the first in line.
	r = start(a, far())
	if got := string(r.Got[0].Value); got != "first" {
		t.Fatalf("received %q", got)
	}
	r.tell(driver.OpReturn, true)
	if s := a.Stats(); s.SendersWaiting != 2 || s.Held != 0 {
		t.Fatalf("%+v", s)
	}
	// And its other case can be chosen.
	start(b, *sendOf("other"))
	first.want(t, 1)
	if s := a.Stats(); s.SendersWaiting != 1 {
		t.Fatalf("%+v", s)
	}
	r = start(a, far())
	if got := string(r.Got[0].Value); got != "second" {
		t.Fatalf("received %q", got)
	}
	if r.tell(driver.OpDone, false); second.open() {
		t.Fatal("a plain send is confirmed")
	}
}

// TestSelectCommits: confirmed, the send case is the one chosen.
func TestSelectCommits(t *testing.T) {
	a, b := made(t, 0), made(t, 0)
	sel := start(a, choose(driver.Case{Channel: a, Op: sendOf("v")}, driver.Case{Channel: b, Op: ptr(far())}))
	r := start(a, far())
	r.tell(driver.OpDone, false)
	sel.want(t, 0)
	if s := b.Stats(); s.ReceiversWaiting != 0 {
		t.Fatalf("%+v", s)
	}
}

// TestSelectsMeet: two selects of one home, mirrored, commit the same channel.
func TestSelectsMeet(t *testing.T) {
	a, b := made(t, 0), made(t, 0)
	one := start(a, choose(driver.Case{Channel: a, Op: sendOf("x")}, driver.Case{Channel: b, Op: ptr(far())}))
	two := start(b, choose(driver.Case{Channel: b, Op: sendOf("y")}, driver.Case{Channel: a, Op: ptr(far())}))
	switch {
	case !two.open() && two.Chosen == 1:
		two.Op.Cases[1].Op.Kind = driver.OpTake
		hold := two.Op.Cases[1].Op.Got[0].Hold
		start(a, driver.Op{Kind: driver.OpDone, Hold: hold})
		one.want(t, 0)
	case !one.open() && one.Chosen == 1:
		hold := one.Op.Cases[1].Op.Got[0].Hold
		start(b, driver.Op{Kind: driver.OpDone, Hold: hold})
		two.want(t, 0)
	default:
		t.Fatal("they did not meet")
	}
}

// TestSelectTry: a default is chosen if no case was ready at one moment, a far
// receiver counts as ready, and one that gave up does not.
func TestSelectTry(t *testing.T) {
	a := made(t, 0)
	try := choose(driver.Case{Channel: a, Op: sendOf("v")})
	try.Try = true
	if sel := start(a, try); sel.open() || !sel.NotReady {
		t.Fatal("nobody was there")
	}
	r := start(a, far())
	sel := start(a, try)
	if !sel.open() {
		t.Fatal("whether the receiver has it is not known")
	}
	r.tell(driver.OpReturn, true)
	if sel.open() || !sel.NotReady {
		t.Fatal("the receiver had gone")
	}
	r = start(a, far())
	sel = start(a, try)
	r.tell(driver.OpDone, false)
	sel.want(t, 0)
	start(a, farTake())
	if sel := start(a, try); sel.open() || !sel.NotReady {
		t.Fatal("a take without a slot is not ready")
	}
}

// TestSelectCancelled: cancelling has no effect but one that is true.
func TestSelectCancelled(t *testing.T) {
	a, b := made(t, 0), made(t, 0)
	mixed := func() driver.Op {
		return choose(driver.Case{Channel: a, Op: sendOf("v")}, driver.Case{Channel: b, Op: ptr(far())})
	}
	sel := start(a, mixed())
	sel.cancel()
	if sel.open() || sel.Err != errGivenUp {
		t.Fatalf("waiting: %v", sel.Err)
	}
	// On its way to a receiver, who has it.
	sel = start(a, mixed())
	r := start(a, far())
	sel.cancel()
	if !sel.open() {
		t.Fatal("on its way: it is not known yet")
	}
	r.tell(driver.OpDone, false)
	sel.want(t, 0)
	// On its way to a receiver, who gave up.
	sel = start(a, mixed())
	r = start(a, far())
	sel.cancel()
	r.tell(driver.OpReturn, true)
	if sel.open() || sel.Err != errGivenUp {
		t.Fatalf("come back: %v", sel.Err)
	}
	// Held.
	sel = start(a, mixed())
	r = start(a, farTake())
	r.tell(driver.OpHeard, false)
	sel.cancel()
	if err := sel.Op.Cases[0].Op.Err; sel.open() || sel.Chosen != 0 || !errors.Is(err, errGivenUp) || !errors.Is(err, fault.ErrInDoubt) {
		t.Fatalf("held: chosen %d, %v", sel.Chosen, err)
	}
	if err := r.tell(driver.OpDone, false); err != nil {
		t.Fatal(err)
	}
	for _, ch := range []driver.Channel{a, b} {
		if s := ch.Stats(); s.SendersWaiting+s.ReceiversWaiting+s.Held != 0 {
			t.Fatalf("%+v", s)
		}
	}
}

// TestSelectTime: a timer ends a select that waits, and not one that is chosen
// and held.
func TestSelectTime(t *testing.T) {
	a := made(t, 0)
	op := func() driver.Op {
		op := choose(driver.Case{Channel: a, Op: sendOf("v")})
		op.After = time.Millisecond
		return op
	}
	r := start(a, farTake())
	held := start(a, op())
	r.tell(driver.OpHeard, false)
	for range 20 { // the time of each is over no earlier than that of held
		sel := start(a, op())
		<-sel.done
		if sel.Err != fault.ErrTimeout {
			t.Fatal(sel.Err)
		}
	}
	if !held.open() {
		t.Fatal("a send that is held goes on")
	}
	r.tell(driver.OpDone, false)
	held.want(t, 0)
}

// TestSelectLeavesNothing: a select that is over is forgotten by the channels that
// lost.
func TestSelectLeavesNothing(t *testing.T) {
	busy, quiet := made(t, 1), made(t, 0)
	turns := func(n int) int64 {
		for range n {
			sel := start(quiet, choose(driver.Case{Channel: quiet, Op: ptr(far())}, driver.Case{Channel: busy, Op: &driver.Op{Kind: driver.OpRecv, Max: 1}}))
			start(busy, *sendOf("v"))
			sel.want(t, 1)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const n = 5000
	before := turns(n)
	if grown := turns(n) - before; grown > 100*n {
		t.Errorf("%d selects left %d bytes behind", n, grown)
	}
	runtime.KeepAlive([]driver.Channel{busy, quiet})
}

// TestSelectEnds: close, stop and detach are outcomes of a case.
func TestSelectEnds(t *testing.T) {
	a, b := made(t, 0), made(t, 0)
	cases := func() driver.Op {
		return choose(driver.Case{Channel: a, Op: ptr(far())}, driver.Case{Channel: b, Op: &driver.Op{Kind: driver.OpAwaitStop}})
	}
	sel := start(b, cases())
	start(b, driver.Op{Kind: driver.OpStop, Reason: "enough"})
	if sel.want(t, 1); sel.Op.Cases[1].Op.Reason != "enough" {
		t.Fatalf("%q", sel.Op.Cases[1].Op.Reason)
	}
	c := made(t, 0)
	sel = start(c, choose(driver.Case{Channel: a, Op: ptr(far())}, driver.Case{Channel: c, Op: sendOf("v")}))
	start(a, driver.Op{Kind: driver.OpClose})
	if sel.want(t, 0); sel.Op.Cases[0].Op.Err != fault.ErrClosed {
		t.Fatal(sel.Op.Cases[0].Op.Err)
	}
	sel = start(c, choose(driver.Case{Channel: c, Op: sendOf("v")}))
	c.Detach(t.Context())
	if sel.want(t, 0); sel.Op.Cases[0].Op.Err != fault.ErrDetached {
		t.Fatal(sel.Op.Cases[0].Op.Err)
	}
}

// TestSelectStorm has many selects meet each other and give up, with receivers
// that often turn out to have gone; at the end nothing waits and every value was
// received once.
func TestSelectStorm(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("HANDOFF_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("HANDOFF_SEED=%d", seed)
	const parties, turns = 8, 400
	chans := []driver.Channel{made(t, 0), made(t, 0), made(t, 1)}
	var mu sync.Mutex // guards the two below
	sent, received := map[string]int{}, map[string]int{}
	var wg sync.WaitGroup
	for p := range parties {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(seed, uint64(p)))
			for turn := range turns {
				v := fmt.Sprint(p, ".", turn)
				x, y := chans[dice.IntN(3)], chans[dice.IntN(3)]
				r := start(x, choose(driver.Case{Channel: x, Op: sendOf(v)}, driver.Case{Channel: y, Op: ptr(far())}))
				for r.open() {
					if dice.IntN(3) == 0 {
						r.cancel()
					}
				}
				mu.Lock()
				switch {
				case r.Err != nil:
				case r.Chosen == 0:
					sent[v]++
				default:
					it := r.Op.Cases[1].Op.Got[0]
					mu.Unlock()
					kind, unseen := driver.OpDone, false
					if dice.IntN(2) == 0 {
						kind, unseen = driver.OpReturn, true
					}
					start(y, driver.Op{Kind: kind, Hold: it.Hold, Unseen: unseen})
					mu.Lock()
					if !unseen {
						received[string(it.Value)]++
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, ch := range chans {
		for {
			r := start(ch, driver.Op{Kind: driver.OpRecv, Max: 1, Try: true})
			if r.NotReady {
				break
			}
			received[string(r.Got[0].Value)]++
		}
		if s := ch.Stats(); s.SendersWaiting+s.ReceiversWaiting+s.Held+s.Len != 0 {
			t.Errorf("%+v", s)
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

// TestSelectTryDead: a select beside a default does not wait for a receiver that
// died with its value.
func TestSelectTryDead(t *testing.T) {
	ch, err := New(driver.Config{Name: "c"}, "here", nil)
	if err != nil {
		t.Fatal(err)
	}
	sender, _ := ch.Attach(driver.Config{Send: true})
	receiver, _ := ch.Attach(driver.Config{Receive: true})
	start(receiver, far())
	try := choose(driver.Case{Channel: sender, Op: sendOf("v")})
	try.Try = true
	sel := start(sender, try)
	receiver.Detach(t.Context())
	if sel.open() || !sel.NotReady {
		t.Fatalf("open %v, not ready %v", sel.open(), sel.NotReady)
	}
}

// TestSelectSeen: a send whose value was seen once is chosen for good, whatever
// becomes of later hand-outs.
func TestSelectSeen(t *testing.T) {
	for _, seen := range []func(r *run){
		func(r *run) { r.tell(driver.OpHeard, false); r.tell(driver.OpReturn, false) },
		func(r *run) { r.ch.Detach(t.Context()) }, // it died, and may have seen it
	} {
		ch, err := New(driver.Config{Name: "c"}, "here", nil)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := ch.Attach(driver.Config{Send: true, Receive: true})
		first, _ := ch.Attach(driver.Config{Receive: true})
		b := made(t, 1)
		r := start(first, farTake())
		sel := start(a, choose(driver.Case{Channel: a, Op: sendOf("v")}, driver.Case{Channel: b, Op: ptr(far())}))
		seen(r)
		start(b, *sendOf("other"))
		r = start(a, farTake())
		r.tell(driver.OpReturn, true)
		if !sel.open() {
			t.Fatalf("case %d was chosen", sel.Chosen)
		}
		r = start(a, farTake())
		if n := r.Got[0].Attempt; n != 2 {
			t.Errorf("attempt %d", n)
		}
		r.tell(driver.OpHeard, false)
		r.tell(driver.OpDone, false)
		sel.want(t, 0)
	}
}
