package shm

import (
	"errors"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// givingUp is an actor whose operation, begun by a, is cancelled later.
func givingUp(a *actor) *actor {
	var mine *deed
	return &actor{a.name, []func(*orders){
		func(w *orders) { a.steps[0](w); mine = w.ops[len(w.ops)-1] },
		func(w *orders) { mine.m.Cancel(mine.Op, errors.New("given up")) },
	}}
}

// TestEveryOrderOfRevoked runs worlds in which a value is taken back from a receiver in another process
// that has not heard of it: one that tries, and one that has promised.
func TestEveryOrderOfRevoked(t *testing.T) {
	recv := driver.Op{Kind: driver.OpRecv, Max: 1}
	for name, actors := range map[string]func() []*actor{
		"try": func() []*actor {
			return []*actor{sendSelect("a", 0, true), tryReceive("t", 1), givingUp(plainSend("s", 2, false))}
		},
		"select that tries": func() []*actor {
			return []*actor{sendSelect("a", 0, true), homeSelect("t", 1, true, recv), givingUp(plainSend("s", 2, false))}
		},
		"select that has promised": func() []*actor {
			return []*actor{receiveSelect("r", 1, true), givingUp(homeSelect("s", 2, false, sends("s")))}
		},
		"select that has promised, and one more": func() []*actor {
			return []*actor{receiveSelect("r", 1, false), givingUp(homeSelect("s", 2, false, sends("s"))), plainSend("x", 0, false)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := everyOrder(t, func(t *testing.T) *orders {
				w := newOrders(t, 0, []int{0, 1, 2}, 0)
				w.actors = actors()
				return w
			}, nil)
			t.Log(n, " orders")
		})
	}
}

// clearing is a world whose victim is being cleared away by the first of the others, step by step.
type clearing struct {
	*world
	departure
	o outcome
}

// newClearing begins to clear the victim away, which waits to receive.
func newClearing(t *testing.T) *clearing {
	w := newWorld(t, 0)
	begin(w.victim, driver.Op{Kind: driver.OpRecv, Max: 1})
	c := &clearing{world: w, departure: departure{m: w.others[0], who: w.victim.name(), op: "receive", why: "its holder died"}}
	w.others[0].do(&c.o, func(tx *tx) {
		at := tx.memberAt(c.who.Index)
		tx.set(at+mState, tx.get(at+mState)|memberLeaving)
	})
	c.step(c.news)
	return c
}

func (c *clearing) step(f func(*outcome) (bool, error)) {
	for more, err := true, error(nil); more; {
		if more, err = f(&c.o); err != nil {
			c.t.Fatal(err)
		}
	}
}

// rest does the steps after waiters, and all again if the victim is not gone.
func (c *clearing) rest() {
	c.step(c.records)
	c.step(c.last)
	c.step(c.stack)
	c.m.do(&c.o, func(t *tx) { t.departed(c.who) })
	if err := c.m.Clear(c.who); err != nil {
		c.t.Fatal(err)
	}
	c.turn()
	c.check()
	if n := c.m.Stats().ReceiversWaiting; n != 0 {
		c.t.Errorf("%d receivers wait, and nobody is there", n)
	}
}

// TestRevokedFromTheDead: a value that came to one who is being cleared away, and is taken back then, leaves
// nothing of him behind.
func TestRevokedFromTheDead(t *testing.T) {
	c := newClearing(t)
	x := begin(c.others[1], sends("v"))
	c.step(c.waiters)
	c.others[1].Cancel(x.Op, errors.New("given up"))
	c.rest()
	if !x.over() || x.N != 0 {
		t.Errorf("the send ended: %v, %d values left", x.over(), x.N)
	}
}

// TestBackFromTheDead: a value that came to one who is being cleared away, and goes to somebody else, is his
// alone.
func TestBackFromTheDead(t *testing.T) {
	c := newClearing(t)
	next, err := c.m.s.Join([16]byte{9}, 9, false, c.m.about) // in the process that clears away
	if err != nil {
		t.Fatal(err)
	}
	got := begin(next, driver.Op{Kind: driver.OpRecv, Max: 1})
	x := begin(c.others[1], sends("v"))
	c.step(c.waiters)
	c.rest()
	next.Collect()
	c.others[1].Collect()
	c.check()
	if !got.over() || len(got.Got) != 1 || !x.over() || x.N != 1 {
		t.Errorf("received %v %v, sent %d", got.over(), got.Got, x.N)
	}
}
