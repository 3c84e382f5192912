package shm

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// What a reader of the code has found, each as the smallest order of steps that shows it.

// processes are members of as many processes of one segment, which look only when they are told.
func processes(t *testing.T, n int, p Params) (ms []*Member, clock *int64) {
	t.Helper()
	about := About{Send: true, Receive: true, Select: driver.SelectClaims}
	p.Members, p.Pool, p.Founder = n+1, max(p.Pool, pageBytes), Founder{ID: [16]byte{1}, About: about}
	words := memory(t, p)
	clock = new(int64)
	for i := range n {
		s, err := Load(words)
		if err != nil {
			t.Fatal(err)
		}
		s.Clock = func() int64 { return *clock + int64(time.Hour) }
		s.node = uint32(i + 1)
		var m *Member
		if i == 0 {
			m = s.Founded([16]byte{1}, about)
		} else if m, err = s.Join([16]byte{byte(i + 1)}, i, false, about); err != nil {
			t.Fatal(err)
		}
		m.checking = true
		ms = append(ms, m)
	}
	return ms, clock
}

// chooses begins a select of m.
func chooses(m *Member, op driver.Op, cases ...driver.Op) *try {
	op.Kind = driver.OpSelect
	for i := range cases {
		op.Cases = append(op.Cases, driver.Case{Channel: m, Op: &cases[i]})
	}
	return begin(m, op)
}

func turns(ms ...*Member) {
	for range 5 {
		for _, m := range ms {
			m.Collect()
		}
	}
}

// TestSlotsOfAFullSegment: a batch that has only slots for some of its values, and no waiter for the rest, hands out
// what has slots.
func TestSlotsOfAFullSegment(t *testing.T) {
	ms, _ := processes(t, 2, Params{Slots: 1, Waiters: 2})
	for range 2 {
		begin(ms[0], driver.Op{Kind: driver.OpRecv, Max: 1})
	}
	x := begin(ms[1], sends("a", "b"))
	turns(ms...)
	if s := ms[1].Stats(); s.Len > 0 && s.ReceiversWaiting > 0 {
		t.Errorf("%d values are ready and %d receivers wait; the send: %d, %v", s.Len, s.ReceiversWaiting, x.N, x.Err)
	}
}

// promisedAndLeft has a promise be taken up by somebody who gives up again just when ends begins.
func promisedAndLeft(t *testing.T, op driver.Op, ends func(a *Member, x *try)) {
	ms, _ := processes(t, 2, Params{Waiters: 8})
	a, b := ms[0], ms[1]
	var armed atomic.Bool
	var y *try
	a.s.step = func(*Member) {
		if armed.CompareAndSwap(true, false) {
			b.Cancel(y.Op, errors.New("given up"))
		}
	}
	x := chooses(a, op, driver.Op{Kind: driver.OpRecv, Max: 1})
	y = chooses(b, driver.Op{}, sends("v"))
	a.Collect() // promises
	b.Collect() // commits both
	armed.Store(true)
	ends(a, x)
	if err := a.s.damaged(); err != nil || !x.over() || armed.Load() {
		t.Errorf("damage: %v; over: %v, %v; given up: %v", err, x.over(), x.Err, !armed.Load())
	}
}

// TestPromisedAndLeft: a select that had promised ends when it is cancelled, or late, whatever becomes of the promise.
func TestPromisedAndLeft(t *testing.T) {
	t.Run("cancelled", func(t *testing.T) {
		promisedAndLeft(t, driver.Op{}, func(a *Member, x *try) { a.Cancel(x.Op, errors.New("cancelled")) })
	})
	t.Run("late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			promisedAndLeft(t, driver.Op{After: time.Minute}, func(*Member, *try) {
				time.Sleep(2 * time.Minute)
				synctest.Wait()
			})
		})
	})
}

// TestOwnHolderAndAnother: the send of a select that tries does not pass a receiver that takes to hold, though it passes its own.
func TestOwnHolderAndAnother(t *testing.T) {
	ms, _ := processes(t, 4, Params{Waiters: 16})
	take := driver.Op{Kind: driver.OpTake, Max: 1}
	asked := chooses(ms[0], driver.Op{}, sends("a"))
	x := chooses(ms[1], driver.Op{Try: true}, sends("t"), take)
	begin(ms[2], take)
	y := begin(ms[3], driver.Op{Kind: driver.OpRecv, Max: 1})
	turns(ms[1:]...)
	ms[0].Cancel(asked.Op, errors.New("gone"))
	turns(ms[1:]...)
	if !x.over() || !x.NotReady || y.over() {
		t.Errorf("the select: over %v, not ready %v; who received behind the holder: %v", x.over(), x.NotReady, y.over())
	}
}

// TestManyThatMayNotMeet: two lines that are compared with each other are long, and not endless.
func TestManyThatMayNotMeet(t *testing.T) {
	const n = 100
	ms, clock := processes(t, 2, Params{Waiters: 1024})
	asleep, b := ms[0], ms[1]
	for range n {
		chooses(asleep, driver.Op{}, sends("v"))
	}
	for i := range n {
		if begin(b, receives(1)); b.s.damaged() != nil {
			t.Fatalf("after %d tries: %v", i, b.s.damaged())
		}
	}
	for range n {
		begin(b, driver.Op{Kind: driver.OpRecv, Max: 1})
	}
	for i := range n + 2 { // each second one more is passed over
		*clock += int64(1010 * time.Millisecond)
		if b.onAlarm(); b.s.damaged() != nil {
			t.Fatalf("after %d s: %v", i, b.s.damaged())
		}
	}
}

// TestSizeOfAnything: a size is no more than a number of the segment, also where it does not fit into an int.
func TestSizeOfAnything(t *testing.T) {
	ms, _ := processes(t, 1, Params{Slots: 4, Waiters: 8})
	begin(ms[0], sends("v"))
	e := uint32(ms[0].s.load(gTail))
	ms[0].s.words[ms[0].s.geometry.recordAt+e*recordWords+eSize] = 1<<32 - 1
	if x := begin(ms[0], receives(1)); !errors.Is(x.Err, driver.ErrUnreachable) {
		t.Errorf("got %v", x.Err)
	}
}

// TestPatience: looking is for longer after it has paid or would have, and not after what nobody rang for.
func TestPatience(t *testing.T) {
	var p patience
	p.init()
	most := p.get()
	for range 20 {
		p.inVain()
	}
	if p.get() != spinLeast {
		t.Errorf("after looking in vain: %v", p.get())
	}
	p.waited(-int64(time.Hour))
	p.waited(int64(time.Hour))
	if p.get() != spinLeast {
		t.Errorf("after long waits: %v", p.get())
	}
	for range 20 {
		p.waited(int64(most))
	}
	if p.get() != most {
		t.Errorf("after short waits: %v", p.get())
	}
	for range 100 {
		p.woken(int64(time.Second)) // it was stopped
		p.woken(int64(10 * time.Microsecond))
	}
	if w := time.Duration(p.wake.Load()); w < 9*time.Microsecond || w > 12*time.Microsecond {
		t.Errorf("a wake takes 10 µs; it is taken for %v", w)
	}
}

// looked is a member of a segment of its own that waits, and what is called when it looks by itself.
func looked(t *testing.T, id byte, f func(*Member)) *Member {
	about := About{Send: true, Receive: true, Checked: f}
	s, err := Load(memory(t, Params{Slots: 1, Waiters: 8, Members: 4, Pool: pageBytes, Founder: Founder{ID: [16]byte{id}, About: about}}))
	if err != nil {
		t.Fatal(err)
	}
	s.Ring = func(Name) {}
	m := s.Founded([16]byte{id}, about)
	begin(m, driver.Op{Kind: driver.OpRecv, Max: 1})
	return m
}

// TestOneLookLasts: who looks for long holds up no other, not even when all have left meanwhile.
func TestOneLookLasts(t *testing.T) {
	begun, goOn := make(chan bool, 8), make(chan struct{})
	lasts := looked(t, 1, func(*Member) { begun <- true; <-goOn })
	<-begun
	other := make(chan bool, 8)
	m := looked(t, 2, func(*Member) { other <- true })
	<-other
	lasts.Detach(t.Context())
	m.Detach(t.Context())
	m = looked(t, 3, func(*Member) { other <- true })
	<-other
	close(goOn)
	m.Detach(t.Context())
}

// TestOthersHearOfDamage: what one attachment has found ends what another waits for.
func TestOthersHearOfDamage(t *testing.T) {
	ms, _ := processes(t, 1, Params{Slots: 1, Waiters: 8})
	m := ms[0]
	m.slow = slowState{seen: m.s.load(headAt), every: slowMost}
	for range slowSeen {
		if m.isDue() {
			t.Fatal("it looks though nothing has happened")
		}
	}
	m.s.damage("for a test")
	for range slowSeen {
		if m.isDue() {
			return
		}
	}
	t.Error("it does not look though the segment is known to be damaged")
}
