package shm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/ticket"
)

// This file runs small worlds of selects in every order there is. A step is an operation
// as it is begun, a process that hears its bell, an owner who looks again after a release,
// a native case that fires, or the end of a lease: all that others can see between two of
// them is one state of the segment. What happens within a step is TestEveryStep's.

// orders is one world, as it is run once.
type orders struct {
	t       *testing.T
	clock   int64 // ms
	members []*Member
	rung    []bool // by member: in another process than who did something
	actors  []*actor
	ticks   int // leases that may end still
	path    []string
	ops     []*deed
}

// actor is what happens one after the other.
type actor struct {
	name  string
	steps []func(w *orders)
}

// deed is an operation that was begun.
type deed struct {
	*try
	name   string
	m      *Member
	native bool // it is a select with a native case, which may fire
	fired  bool // and has
	wants  bool // its ticket was released, and its owner is to look
	rivals int  // how often another home may claim the ticket still
	taken  bool // another home has claimed it
	late   bool // it is a try that began when another's native case had fired
}

// place says which process each member is of.
func newOrders(t *testing.T, slots int, place []int, ticks int) *orders {
	w := &orders{t: t, ticks: ticks, rung: make([]bool, len(place))}
	about := About{Send: true, Receive: true, Select: driver.SelectClaims}
	p := Params{Slots: slots, Waiters: 12, Members: len(place) + 1, Pool: pageBytes, Founder: Founder{ID: [16]byte{1}, About: about}}
	size, _, err := p.Size()
	if err != nil {
		t.Fatal(err)
	}
	words := make([]uint64, size/8)
	if err := Make(words, p); err != nil {
		t.Fatal(err)
	}
	processes := map[int]*Segment{}
	for i, at := range place {
		s := processes[at]
		if s == nil {
			if s, err = Load(words); err != nil {
				t.Fatal(err)
			}
			s.Ring = func(n Name) { w.rung[n.Index] = true }
			s.Clock = func() int64 { return w.clock * 1e6 }
			s.node = uint32(at + 1)
			processes[at] = s
		}
		m := (*Member)(nil)
		if i == 0 {
			m = s.Founded([16]byte{1}, about)
		} else if m, err = s.Join([16]byte{byte(i + 1)}, i, false, about); err != nil {
			t.Fatal(err)
		}
		w.members = append(w.members, m)
	}
	return w
}

// do begins an operation of member i.
func (w *orders) do(name string, i int, op driver.Op) *deed {
	d := &deed{name: name, m: w.members[i], late: slices.ContainsFunc(w.ops, func(d *deed) bool { return d.fired })}
	for k := range op.Cases {
		op.Cases[k].Channel = d.m
	}
	d.try = &try{&op, make(chan struct{})}
	op.OnFinish(func(*driver.Op) { close(d.ended) })
	w.ops = append(w.ops, d)
	d.m.Start(d.Op)
	return d
}

// selects begins a select with a ticket, whose owner has a native case beside. Its number is
// that of the deed.
func (w *orders) selects(name string, i int, native bool, cases ...driver.Op) {
	d := &deed{name: name, m: w.members[i], native: native}
	op := driver.Op{Kind: driver.OpSelect, Case: 7, Number: uint64(len(w.ops) + 1), Ticket: &ticket.Ticket{Notify: func() { d.wants = true }}}
	op.Ticket.Reset()
	for k := range cases {
		op.Cases = append(op.Cases, driver.Case{Channel: d.m, Op: &cases[k]})
	}
	d.try = &try{&op, make(chan struct{})}
	op.OnFinish(func(*driver.Op) { close(d.ended) })
	w.ops = append(w.ops, d)
	d.m.Start(d.Op)
}

// fires has the native case of d be the one.
func (w *orders) fires(d *deed) {
	d.Ticket.Fire(0)
	d.fired = true
	d.m.Cancel(d.Op, errors.New("another case was chosen"))
}

// enabled are the steps that are possible now.
func (w *orders) enabled() (names []string, steps []func()) {
	add := func(name string, f func()) { names, steps = append(names, name), append(steps, f) }
	for _, a := range w.actors {
		if len(a.steps) > 0 {
			add(a.name, func() { f := a.steps[0]; a.steps = a.steps[1:]; f(w) })
		}
	}
	for _, d := range w.ops {
		if d.rivals > 0 && d.Ticket.State() == ticket.Waiting {
			add(d.name+" is claimed", func() { d.rivals--; d.taken = d.Ticket.Claim() == ticket.Won })
		}
		if d.taken {
			add(d.name+" is released", func() { d.taken = false; d.Ticket.Release() })
		}
	}
	for i, m := range w.members {
		if w.rung[i] {
			add(fmt.Sprint("bell", i), func() { w.rung[i] = false; m.Collect() })
		}
	}
	for _, d := range w.ops {
		if d.wants && !d.over() {
			add(d.name+" looks", func() {
				if d.wants = false; d.Ticket.State() == ticket.Waiting {
					d.Ticket.Looked()
				}
				d.m.Freed(d.Op)
			})
		}
		if d.native && !d.fired && d.Ticket.State() == ticket.Waiting {
			add(d.name+" fires", func() { w.fires(d) })
		}
	}
	if w.ticks > 0 && len(names) > 0 {
		add("tick", func() {
			w.ticks--
			w.clock += lease + 10
			for _, m := range w.members {
				m.onAlarm()
			}
		})
	}
	return names, steps
}

// judge compares what was said with what was seen, when nothing more happens.
func (w *orders) judge() {
	got := map[string]int{}
	sent := map[string]bool{}
	var senders, receivers []*deed
	look := func(d *deed, op *driver.Op, chosen bool) {
		for _, it := range op.Got {
			got[string(it.Value)]++
			if !chosen {
				w.t.Errorf("%s has got %s, and that case was not chosen", d.name, it.Value)
			}
		}
		if op.Kind == driver.OpSend && chosen {
			for i, it := range op.Items {
				sent[string(it.Value)] = i < op.N
				if i >= op.N && op.Err == nil && !op.NotReady {
					w.t.Errorf("%s: the send of %s ended well, with %d", d.name, it.Value, op.N)
				}
			}
		}
	}
	for _, d := range w.ops {
		over := d.over()
		if d.Try && !over {
			w.t.Errorf("%s is a try, and waits", d.name)
		}
		if d.Kind != driver.OpSelect {
			look(d, d.Op, over)
		}
		for i := range d.Cases {
			k := d.Cases[i].Op
			look(d, k, over && !d.fired && d.Chosen == i && !d.NotReady && d.Err == nil && (d.Ticket == nil || d.Won))
			if !over && k.Kind == driver.OpSend {
				senders = append(senders, d)
			} else if !over {
				receivers = append(receivers, d)
			}
		}
		switch {
		case over && d.Won && d.fired:
			w.t.Errorf("%s was won twice", d.name)
		case over && d.Ticket != nil && !d.Won && !d.fired:
			w.t.Errorf("%s has ended, and nothing was chosen: %v", d.name, d.Err)
		case !over && d.Ticket != nil && d.Ticket.State() != ticket.Waiting:
			w.t.Errorf("%s waits, and its ticket is %d", d.name, d.Ticket.State())
		case !over && d.Kind == driver.OpSend:
			senders = append(senders, d)
		case !over && (d.Kind == driver.OpRecv || d.Kind == driver.OpTake):
			receivers = append(receivers, d)
		}
	}
	for v, n := range got {
		if n > 1 || !sent[v] {
			w.t.Errorf("%s was received %d times, sent: %v", v, n, sent[v])
		}
	}
	st := w.members[0].Stats()
	left := 0
	for v, is := range sent {
		if is && got[v] == 0 {
			left++
		}
	}
	if left != st.Len+st.Held {
		w.t.Errorf("%d values were sent and not received, and %d are there", left, st.Len+st.Held)
	}
	for _, s := range senders {
		for _, r := range receivers {
			if s != r {
				w.t.Errorf("%s waits to send, and %s to receive", s.name, r.name)
			}
		}
		if st.Len+st.Held < st.Slots {
			w.t.Errorf("%s waits to send, and a slot is free", s.name)
		}
	}
	if len(receivers) > 0 && st.Len > 0 {
		w.t.Errorf("%s waits to receive, and %d values are there", receivers[0].name, st.Len)
	}
	if err := Audit(w.members[0]); err != nil {
		w.t.Error(err)
	}
}

func (w *orders) end() {
	for _, m := range w.members {
		m.mu.Lock()
		if m.timer != nil {
			m.timer.Stop()
		}
		if m.slow != nil {
			m.slow.Stop()
		}
		m.mu.Unlock()
	}
}

// settling is how many steps a world may take: more is a livelock.
const settling = 200

// everyOrder runs the world in all orders, and returns how many there are.
func everyOrder(t *testing.T, build func(t *testing.T) *orders, also func(w *orders)) (n int) {
	var choices, width []int
	for n = 0; ; n++ {
		w := build(t)
		for depth := 0; ; depth++ {
			names, steps := w.enabled()
			if len(steps) == 0 {
				break
			}
			if depth == len(choices) {
				choices, width = append(choices, 0), append(width, 0)
			}
			width[depth] = len(steps)
			w.path = append(w.path, names[choices[depth]])
			steps[choices[depth]]()
			if depth > settling {
				t.Errorf("it does not settle")
				break
			}
		}
		w.judge()
		if also != nil {
			also(w)
		}
		w.end()
		if t.Failed() {
			t.Fatalf("in order %d: %s\n%s", n, strings.Join(w.path, ", "), w.members[0].s.Dump())
		}
		width = width[:len(w.path)]
		choices = choices[:len(w.path)]
		for len(choices) > 0 && choices[len(choices)-1]+1 >= width[len(width)-1] {
			choices, width = choices[:len(choices)-1], width[:len(width)-1]
		}
		if len(choices) == 0 {
			return n + 1
		}
		choices[len(choices)-1]++
	}
}

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
