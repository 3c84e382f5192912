package shm

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
)

// cemetery is a channel and its dead letter, each with the same three processes: one that is
// stopped before its steps in either, and two that go on.
type cemetery struct {
	t       *testing.T
	mains   [3]*Member // the first is stopped
	graves  [3]*Member
	stopped chan struct{} // closed when the first has come to its step
	goOn    chan struct{} // closed when it may go on
	left    int           // steps before it stops; -1: it does not
	corpse  bool          // the third is dead
}

// attach returns a member in each of three views of one memory.
func attach(t *testing.T, p Params, graves [3]*Member) (all [3]*Member) {
	t.Helper()
	words := memory(t, p)
	for i := range all {
		s, err := Load(words)
		if err != nil {
			t.Fatal(err)
		}
		s.Ring = func(Name) {}
		about := About{Name: "main", Title: "main", Send: true, Receive: true, Grave: graves[i]}
		if all[i], err = s.Join([16]byte{byte(i + 1)}, i, false, about); err != nil {
			t.Fatal(err)
		}
		all[i].checking = true // what happens is decided here, and not by the time
	}
	return all
}

func newCemetery(t *testing.T, attempts, room int) *cemetery {
	c := &cemetery{t: t, stopped: make(chan struct{}), goOn: make(chan struct{}), left: -1}
	c.graves = attach(t, Params{Slots: room, Waiters: 16, Members: 4, Pool: 16 * pageBytes, Born: [16]byte{'d'}}, c.graves)
	c.mains = attach(t, Params{Slots: 4, Waiters: 16, Members: 4, Pool: 16 * pageBytes, Born: [16]byte{'m'}, Attempts: attempts}, c.graves)
	step := func(*Member) {
		if c.left == 0 {
			close(c.stopped)
			<-c.goOn
		}
		c.left--
	}
	c.mains[0].s.step, c.graves[0].s.step = step, step
	return c
}

// drain receives all there is by the process i, and returns it: of dead letters what they say, too.
func (c *cemetery) drain(i int) (got []string) {
	for _, m := range []*Member{c.mains[i], c.graves[i]} {
		for range 8 {
			x := begin(m, receives(1))
			c.turn()
			if !x.over() || x.NotReady {
				break
			}
			if x.Err != nil {
				c.t.Fatal(x.Err)
			}
			v := string(x.Got[0].Value)
			if m == c.graves[i] {
				f, value, err := codec.CutFate(x.Got[0].Value)
				if err != nil {
					c.t.Fatal(err)
				}
				if v = string(value) + " dead"; f.From != "main" || f.Attempts < 1 || f.Reason == "" {
					c.t.Fatalf("a dead letter says %+v", f)
				}
			}
			got = append(got, v)
		}
	}
	return got
}

func (c *cemetery) turn() {
	for range 3 {
		c.mains[1].Collect()
		c.graves[1].Collect()
	}
}

// clear has the second process clear the first away, and the third if that is dead, from the dead letter first or
// last.
func (c *cemetery) clear(last bool) {
	members := [][3]*Member{c.mains, c.graves}
	if last {
		members[0], members[1] = members[1], members[0]
	}
	for _, ms := range members {
		for i, m := range ms {
			if i == 0 || i == 2 && c.corpse {
				if err := ms[1].Clear(Name{m.index, m.id}); err != nil {
					c.t.Fatal(err)
				}
			}
		}
	}
}

// check checks what is so in every state of both.
func (c *cemetery) check() {
	c.t.Helper()
	for _, m := range []*Member{c.mains[1], c.graves[1]} {
		if err := m.s.damaged(); err != nil {
			c.t.Fatal(err)
		}
		if err := Audit(m); err != nil {
			c.t.Fatalf("%v\n%s", err, m.s.Dump())
		}
	}
}

func take(m *Member) driver.Hold {
	x := begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true})
	if len(x.Got) == 0 {
		return driver.Hold{}
	}
	return x.Got[0].Hold
}

// TestEveryStepOfABurial stops a process before every step by which a value comes into the dead letter:
// it is received once, from there or from the channel, whether the process is dead or goes on.
func TestEveryStepOfABurial(t *testing.T) {
	reject := func(c *cemetery) {
		hold := take(c.mains[0])
		begin(c.mains[0], driver.Op{Kind: driver.OpReject, Hold: hold, Reason: "no"})
	}
	scenes := map[string]struct {
		attempts, room int
		before, does   func(c *cemetery)
		must           string // where it is if nobody dies
	}{
		"reject":              {0, 2, nil, reject, "a dead"},
		"reject with no room": {0, 1, nil, reject, "a"},
		"return after the last attempt": {1, 2, nil, func(c *cemetery) {
			hold := take(c.mains[0])
			begin(c.mains[0], driver.Op{Kind: driver.OpReturn, Hold: hold})
		}, "a dead"},
		"clear a dead holder away": {1, 2, func(c *cemetery) { c.corpse = true; take(c.mains[2]) }, func(c *cemetery) {
			c.mains[0].Clear(Name{c.mains[2].index, c.mains[2].id})
		}, "a dead"},
		"detach with a hold": {1, 2, nil, func(c *cemetery) {
			take(c.mains[0])
			c.mains[0].Detach(context.Background())
		}, "a dead"},
	}
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			total := 0
			for variant := range 3 { // dies and is cleared away in either order, or goes on
				for k := 0; ; k++ {
					c := newCemetery(t, s.attempts, s.room)
					if s.room == 1 { // and there is none
						begin(c.mains[1], sends("b"))
						begin(c.mains[1], driver.Op{Kind: driver.OpReject, Hold: take(c.mains[1]), Reason: "first"})
					}
					begin(c.mains[1], sends("a"))
					if s.before != nil {
						s.before(c)
					}
					got, reached := c.stopAt(k, variant < 2, variant == 1, s.does)
					if err := onlyOnce(got, "a", s.must, !reached); err != nil {
						t.Fatalf("stopped before step %d, variant %d: %v\n%s", k, variant, err, c.mains[1].s.Dump())
					}
					if !reached {
						break
					}
					total++
				}
			}
			t.Log(total, "stops")
		})
	}
}

// stopAt has the first process stop before step k of what it does, the others go on, and it be dead or go on.
func (c *cemetery) stopAt(k int, dies, last bool, does func(*cemetery)) (got []string, reached bool) {
	c.left = k
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		does(c)
	}()
	select {
	case <-c.stopped:
		reached = true
	case <-finished:
	}
	if reached {
		got = c.drain(1)
		c.check()
	}
	c.left = -1
	switch {
	case reached && dies:
		c.clear(last)
		defer func() {
			for _, m := range []*Member{c.mains[0], c.graves[0]} {
				m.s.damage("it is dead") // what it still does, it does to itself
				m.s.words = make([]uint64, len(m.s.words))
			}
			close(c.goOn)
			<-finished
		}()
	case reached:
		close(c.goOn)
		<-finished
	}
	if c.mains[0].detached || !reached || !dies {
		got = append(got, c.drain(1)...)
	}
	if !dies || !reached { // a hold that goes on ends
		if !c.mains[0].detached {
			c.clear(last)
		}
	}
	got = append(got, c.drain(1)...)
	c.check()
	return got, reached
}

// onlyOnce says why v was not received once, dead or alive, and in the way it must be if it must.
func onlyOnce(got []string, v, must string, sure bool) error {
	n := 0
	for _, g := range got {
		if g == v || g == v+" dead" {
			n++
		}
		if sure && (g == v || g == v+" dead") && g != must {
			return fmt.Errorf("received %q, want %q", got, must)
		}
	}
	if n != 1 {
		return fmt.Errorf("received %q, want %s once", got, v)
	}
	return nil
}

// TestBurialsAreForgotten: the table of burials has room for one more, whatever was left in it.
func TestBurialsAreForgotten(t *testing.T) {
	c := newCemetery(t, 0, 64)
	g := c.graves[1]
	for i := range uint64(3 * 4 * tombs) {
		var o outcome
		id := identity{[16]byte{9}, i}
		if err := g.receiveDead(&o, id, func() (driver.Item, error) { return driver.Item{Value: []byte("v")}, nil }); err != nil {
			t.Fatal(err)
		}
		// Again it is not put there twice.
		if err := g.receiveDead(&o, id, func() (driver.Item, error) { return driver.Item{Value: []byte("v")}, nil }); err != nil {
			t.Fatal(err)
		}
		for back := range min(i+1, 4*tombs) {
			if found, err := g.isBuried(&o, identity{[16]byte{9}, i - back}); !found || err != nil {
				t.Fatalf("burial %d is forgotten after %d more, %v", i-back, back, err)
			}
		}
		g.after(&o)
	}
	if st := g.Stats(); st.Len != 3*4*tombs {
		t.Errorf("%d values, want %d", st.Len, 3*4*tombs)
	}
	c.check()
}

// TestABuriedValueOfADamagedGrave: what the dead letter cannot take stays with its holder.
func TestABuriedValueOfADamagedGrave(t *testing.T) {
	c := newCemetery(t, 0, 2)
	begin(c.mains[1], sends("a"))
	hold := take(c.mains[1])
	c.graves[1].Detach(context.Background())
	x := begin(c.mains[1], driver.Op{Kind: driver.OpReject, Hold: hold, Reason: "no"})
	if !x.over() || x.Err == nil || errors.Is(x.Err, driver.ErrDetached) {
		t.Fatalf("Reject returned %v, want an error of its own", x.Err)
	}
	if x = begin(c.mains[1], driver.Op{Kind: driver.OpDone, Hold: hold}); x.Err != nil {
		t.Errorf("the hold is gone: %v", x.Err)
	}
}
