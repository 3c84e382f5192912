package shm

import (
	"errors"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// The worlds of orders_test.go.

// once is an actor that does one thing.
func once(name string, f func(w *orders)) *actor { return &actor{name, []func(*orders){f}} }

// Parts of worlds. Each names the member that does it.
func receiving(name string, i int) *actor {
	return once(name, func(w *orders) { w.do(name, i, driver.Op{Kind: driver.OpRecv, Max: 1}) })
}

func plainSend(name string, i int, try bool) *actor {
	return once(name, func(w *orders) { op := sends(name); op.Try = try; w.do(name, i, op) })
}

func tryReceive(name string, i int) *actor {
	return once(name, func(w *orders) { w.do(name, i, receives(1)) })
}

func sendSelect(name string, i int, native bool) *actor {
	return once(name, func(w *orders) { w.selects(name, i, native, sends(name)) })
}

func receiveSelect(name string, i int, native bool) *actor {
	return once(name, func(w *orders) { w.selects(name, i, native, driver.Op{Kind: driver.OpRecv, Max: 1}) })
}

// homeSelect is one that has no ticket from elsewhere.
func homeSelect(name string, i int, try bool, cases ...driver.Op) *actor {
	return once(name, func(w *orders) {
		op := driver.Op{Kind: driver.OpSelect, Try: try}
		for k := range cases {
			c := cases[k] // of this run
			op.Cases = append(op.Cases, driver.Case{Op: &c})
		}
		w.do(name, i, op)
	})
}

// rivalled is a select that another home claims once, too.
func rivalled(a *actor) *actor {
	begin := a.steps[0]
	return once(a.name, func(w *orders) {
		begin(w)
		w.ops[len(w.ops)-1].rivals = 1
	})
}

// holding takes a value, once it is there, and settles it.
func holding(name string, i int, how driver.Kind) *actor {
	a := &actor{name: name}
	var take *deed
	a.steps = []func(*orders){
		func(w *orders) { take = w.do(name, i, driver.Op{Kind: driver.OpTake, Max: 1}) },
		func(w *orders) {
			if !take.over() {
				w.members[i].Cancel(take.Op, errors.New("given up"))
				w.members[i].Collect()
			}
			if len(take.Got) == 1 {
				settle := driver.Op{Kind: how, Hold: take.Got[0].Hold}
				if settle.OnFinish(func(*driver.Op) {}); how == driver.OpReturn {
					take.Got = nil // it has it no more
				}
				w.members[i].Start(&settle)
			}
		},
	}
	return a
}

func closing(i int) *actor {
	return once("close", func(w *orders) { w.do("close", i, driver.Op{Kind: driver.OpClose}) })
}

// orderCase is a world, and who is in it.
type orderCase struct {
	name   string
	slots  int
	place  []int
	ticks  int
	actors func() []*actor
	also   func(w *orders)
}

func orderCases() []orderCase {
	apart, together, half := []int{0, 1, 2}, []int{0, 0, 0}, []int{0, 0, 1}
	var all []orderCase
	add := func(name string, slots, ticks int, actors func() []*actor, also func(w *orders)) {
		for _, at := range []struct {
			name  string
			place []int
		}{{"apart", apart}, {"in one process", together}, {"two in one process", half}} {
			all = append(all, orderCase{name + ", " + at.name, slots, at.place, ticks, actors, also})
		}
	}
	recv := driver.Op{Kind: driver.OpRecv, Max: 1}
	add("a try behind an offer", 0, 0, func() []*actor {
		return []*actor{receiving("r", 0), sendSelect("a", 1, true), plainSend("t", 2, true)}
	}, neverFalse)
	add("a select that tries, behind an offer", 0, 0, func() []*actor {
		return []*actor{receiving("r", 0), sendSelect("a", 1, true), homeSelect("t", 2, true, sends("t"))}
	}, neverFalse)
	add("a select, behind an offer", 0, 0, func() []*actor {
		return []*actor{receiving("r", 0), sendSelect("a", 1, true), homeSelect("t", 2, false, sends("t"))}
	}, nil)
	add("a receive that tries, behind an offer", 0, 0, func() []*actor {
		return []*actor{plainSend("s", 0, false), receiveSelect("a", 1, true), tryReceive("t", 2)}
	}, neverFalse)
	add("a select that tries to receive, behind an offer", 0, 0, func() []*actor {
		return []*actor{plainSend("s", 0, false), receiveSelect("a", 1, true), homeSelect("t", 2, true, recv)}
	}, neverFalse)
	add("two selects with native cases that send", 0, 0, func() []*actor {
		return []*actor{receiving("r", 0), sendSelect("a", 1, true), sendSelect("b", 2, true)}
	}, nil)
	add("two selects that send, and two receives", 0, 0, func() []*actor {
		return []*actor{receiving("r1", 0), receiving("r2", 0), sendSelect("a", 1, true), sendSelect("b", 2, false)}
	}, nil)
	add("two selects that meet", 0, 0, func() []*actor {
		return []*actor{sendSelect("a", 1, true), receiveSelect("b", 2, true)}
	}, nil)
	add("two selects that meet, and a lease ends", 0, 1, func() []*actor {
		return []*actor{sendSelect("a", 1, true), receiveSelect("b", 2, true)}
	}, nil)
	add("two selects that meet, and a receive", 0, 0, func() []*actor {
		return []*actor{sendSelect("a", 1, false), receiveSelect("b", 2, true), receiving("r", 0)}
	}, nil)
	add("two selects that meet, and a receive that tries", 0, 0, func() []*actor {
		return []*actor{sendSelect("a", 1, true), receiveSelect("b", 2, true), tryReceive("r", 0)}
	}, nil)
	add("two selects that send, and a slot", 1, 0, func() []*actor {
		return []*actor{sendSelect("a", 1, true), sendSelect("b", 2, true), tryReceive("r", 0)}
	}, nil)
	add("a send that tries behind an offer, and a slot", 1, 0, func() []*actor {
		return []*actor{{"r", []func(w *orders){
			func(w *orders) { w.do("s", 0, sends("s")) },
			func(w *orders) { w.do("r", 0, receives(1)) },
		}}, sendSelect("a", 1, true), plainSend("t", 2, true)}
	}, nil)
	add("a select that sends, and close", 0, 0, func() []*actor {
		return []*actor{sendSelect("a", 1, true), receiveSelect("b", 2, false), closing(0)}
	}, nil)
	add("two selects that meet, and another home claims one", 0, 0, func() []*actor {
		return []*actor{rivalled(sendSelect("a", 1, true)), receiveSelect("b", 2, false)}
	}, nil)
	add("two selects that meet, and other homes claim both", 0, 0, func() []*actor {
		return []*actor{rivalled(sendSelect("a", 1, false)), rivalled(receiveSelect("b", 2, false))}
	}, nil)
	add("two selects that send, one of them claimed, and a receive", 0, 0, func() []*actor {
		return []*actor{rivalled(sendSelect("a", 1, false)), sendSelect("b", 2, true), receiving("r", 0)}
	}, nil)
	add("a select that sends to one who confirms", 0, 0, func() []*actor {
		return []*actor{holding("h", 0, driver.OpDone), sendSelect("a", 1, true)}
	}, nil)
	add("a select that sends to one who gives back", 0, 0, func() []*actor {
		return []*actor{holding("h", 0, driver.OpReturn), sendSelect("a", 1, true), receiving("r", 2)}
	}, nil)
	add("a try behind an offer, and one who holds", 0, 0, func() []*actor {
		return []*actor{holding("h", 0, driver.OpDone), sendSelect("a", 1, true), plainSend("t", 2, true)}
	}, nil)
	add("a select that tries both, and one that takes to hold", 0, 0, func() []*actor {
		return []*actor{once("k", func(w *orders) { w.selects("k", 1, true, driver.Op{Kind: driver.OpTake, Max: 1}) }), receiving("r", 0),
			homeSelect("t", 2, true, sends("t"), driver.Op{Kind: driver.OpTake, Max: 1})}
	}, neverFalse)
	add("a select that tries both, and one that takes to hold or sends", 0, 0, func() []*actor {
		return []*actor{once("s", func(w *orders) { w.selects("s", 1, false, driver.Op{Kind: driver.OpTake, Max: 1}, sends("s")) }),
			homeSelect("t", 2, true, sends("t"), recv)}
	}, waitsInVain)
	add("selects that send and receive", 0, 0, func() []*actor {
		both := func(name string, i int) *actor {
			return once(name, func(w *orders) { w.selects(name, i, false, sends(name), driver.Op{Kind: driver.OpRecv, Max: 1}) })
		}
		return []*actor{both("a", 1), both("b", 2)}
	}, nil)
	return all
}

// neverFalse: a try that found nothing had nothing in its way but what was there.
func neverFalse(w *orders) {
	met, left := false, false
	for _, d := range w.ops {
		switch d.name {
		case "a", "k":
			met = d.Won
		case "r", "s":
			left = !d.over()
		}
	}
	for _, d := range w.ops {
		if d.name == "t" && d.NotReady && d.late && !met && left && w.began("r", "s", "t") {
			w.t.Errorf("t was not ready, though who waits waits still, and who stood before it had gone")
		}
	}
}

// waitsInVain: a try found nothing though s, which had sent before it, waits still.
func waitsInVain(w *orders) {
	if w.ops[0].name == "s" && !w.ops[0].over() && len(w.ops) > 1 && w.ops[1].NotReady {
		w.t.Errorf("t was not ready, though s stood before it, and waits still")
	}
}

// began reports whether one of a was begun before b.
func (w *orders) began(a1, a2, b string) bool {
	for _, d := range w.ops {
		switch d.name {
		case a1, a2:
			return true
		case b:
			return false
		}
	}
	return false
}

// TestEveryOrderOfSelects runs each world in every order.
func TestEveryOrderOfSelects(t *testing.T) {
	total := 0
	for _, c := range orderCases() {
		t.Run(c.name, func(t *testing.T) {
			n := everyOrder(t, func(t *testing.T) *orders {
				w := newOrders(t, c.slots, c.place, c.ticks)
				w.actors = c.actors()
				return w
			}, c.also)
			t.Log(n, " orders")
			total += n
		})
	}
	t.Log(total, " orders")
}
