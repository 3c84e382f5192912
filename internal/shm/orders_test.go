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
	words := memory(t, p)
	processes := map[int]*Segment{}
	for i, at := range place {
		var err error
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
		m.checking = true // what happens is decided here, and not by the time
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
