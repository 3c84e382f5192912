package shm

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// This file stops a process before each of its steps that others can see, for ever or for a
// while, and looks at what the others find. A process is a Segment of its own over the same
// memory; its steps are the swaps of shared words, as everything else it does is private to
// it or was read before. One that is stopped for a while goes on afterwards, as late as
// can be.

// world is a segment with three processes: one that is stopped, and two that go on.
type world struct {
	t       *testing.T
	words   []uint64
	victim  *Member
	others  [2]*Member
	stopped chan struct{} // closed when the victim has come to its step
	goOn    chan struct{} // closed when it may go on
	left    int           // steps before it stops; -1: it does not
	steps   int           // it has made
	going   bool          // it lives, and is not stopped
	tries   []*try        // of drain
}

func newWorld(t *testing.T, slots int) *world {
	w := &world{t: t, stopped: make(chan struct{}), goOn: make(chan struct{}), left: -1}
	about := About{Name: "explored", Title: "explored", Send: true, Receive: true, Select: driver.SelectClaims}
	p := Params{Slots: slots, Waiters: 16, Members: 4, Pool: 16 * pageBytes, Founder: Founder{ID: [16]byte{1}, About: about}}
	w.words = memory(t, p)
	for i := range 3 {
		s, err := Load(w.words)
		if err != nil {
			t.Fatal(err)
		}
		s.Ring = func(Name) {} // the test looks by itself
		s.node = uint32(i + 1)
		if i == 0 {
			w.others[0] = s.Founded([16]byte{1}, about)
			continue
		}
		m, err := s.Join([16]byte{byte(i + 1)}, i, false, about)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			w.others[1] = m
		} else {
			w.victim = m
		}
	}
	for _, m := range []*Member{w.others[0], w.others[1], w.victim} {
		m.checking = true // what happens is decided here, and not by the time
	}
	w.victim.s.step = func(*Member) {
		if w.left == 0 {
			close(w.stopped)
			<-w.goOn
		}
		w.left--
		w.steps++
	}
	return w
}

// try is an operation as it was begun, and how it ended.
type try struct {
	*driver.Op
	ended chan struct{}
}

func begin(m *Member, op driver.Op) *try {
	x := &try{&op, make(chan struct{})}
	op.OnFinish(func(*driver.Op) { close(x.ended) })
	m.Start(x.Op)
	return x
}

func (x *try) over() bool {
	select {
	case <-x.ended:
		return true
	default:
		return false
	}
}

func sends(values ...string) driver.Op {
	op := driver.Op{Kind: driver.OpSend}
	for _, v := range values {
		op.Items = append(op.Items, driver.Item{Value: []byte(v), Header: map[string]string{"of": v}})
	}
	return op
}

func receives(n int) driver.Op { return driver.Op{Kind: driver.OpRecv, Max: n, Try: true} }

// drain receives by m all there is, or begins to: a try waits for the answer of one who is stopped.
func (w *world) drain(m *Member) {
	for range 64 {
		x := begin(m, receives(1))
		w.tries = append(w.tries, x)
		w.turn()
		if !x.over() || x.NotReady || errors.Is(x.Err, driver.ErrClosed) {
			return
		}
		if x.Err != nil {
			w.t.Fatal(x.Err)
		}
	}
	w.t.Fatal("there is no end of values")
}

// turn has those who go on look at what has happened to them.
func (w *world) turn() {
	for range 3 {
		for _, m := range w.others {
			m.Collect()
		}
		if w.going {
			w.victim.Collect()
		}
	}
}

// scene is something that the victim does, after what was done before. sent are the values that
// count: each must be received once, or be with its sender.
type scene struct {
	name   string
	slots  int
	before func(w *world) []*try
	does   func(m *Member) []*try
}

func scenes() []scene {
	sending := func(values ...string) func(*Member) []*try {
		return func(m *Member) []*try { return []*try{begin(m, sends(values...))} }
	}
	ready := func(values ...string) func(w *world) []*try {
		return func(w *world) []*try { return []*try{begin(w.others[0], sends(values...))} }
	}
	long := string(make([]byte, 3*pageBytes))
	return []scene{
		{"send into a slot", 4, nil, sending("v")},
		{"send of a batch into slots", 4, nil, sending("v1", "v2", "v3")},
		{"send of a batch that waits", 2, nil, sending("v1", "v2", "v3")},
		{"send of much", 4, nil, sending(long)},
		{"send that waits", 0, nil, sending("v")},
		{"send to who waits", 0, func(w *world) []*try {
			return []*try{begin(w.others[0], driver.Op{Kind: driver.OpRecv, Max: 1})}
		}, sending("v")},
		{"receive from a slot", 4, ready("a", "b"), func(m *Member) []*try { return []*try{begin(m, receives(1))} }},
		{"receive of many", 4, ready("a", "b", "c"), func(m *Member) []*try { return []*try{begin(m, receives(3))} }},
		{"receive from who waits", 0, ready("a"), func(m *Member) []*try { return []*try{begin(m, receives(1))} }},
		{"receive that frees a slot for who waits", 1, ready("a", "b", "c"), func(m *Member) []*try { return []*try{begin(m, receives(1))} }},
		{"receive that waits", 2, nil, func(m *Member) []*try { return []*try{begin(m, driver.Op{Kind: driver.OpRecv, Max: 1})} }},
		{"take", 2, ready("a", "b"), func(m *Member) []*try { return []*try{begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true})} }},
		{"take and confirm", 2, ready("a", "b"), func(m *Member) []*try {
			if x := begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true}); len(x.Got) == 1 {
				begin(m, driver.Op{Kind: driver.OpDone, Hold: x.Got[0].Hold})
			}
			return nil
		}},
		{"take and return", 0, ready("a", "b"), func(m *Member) []*try {
			if x := begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true}); len(x.Got) == 1 {
				begin(m, driver.Op{Kind: driver.OpReturn, Hold: x.Got[0].Hold})
			}
			return nil
		}},
		{"take and reject", 0, ready("a"), func(m *Member) []*try {
			if x := begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true}); len(x.Got) == 1 {
				begin(m, driver.Op{Kind: driver.OpReject, Hold: x.Got[0].Hold, Reason: "no"})
			}
			return nil
		}},
		{"send and cancel", 0, nil, func(m *Member) []*try {
			x := begin(m, sends("v"))
			m.Cancel(x.Op, errors.New("given up"))
			return nil
		}},
		{"close with who waits", 1, ready("a", "b"), func(m *Member) []*try { return []*try{begin(m, driver.Op{Kind: driver.OpClose})} }},
		{"stop", 1, ready("a"), func(m *Member) []*try { return []*try{begin(m, driver.Op{Kind: driver.OpStop, Reason: "enough"})} }},
		{"select that waits", 0, nil, func(m *Member) []*try {
			send, recv := sends("v"), &try{Op: &driver.Op{Kind: driver.OpRecv, Max: 1}}
			begin(m, driver.Op{Kind: driver.OpSelect, Cases: []driver.Case{{Channel: m, Op: &send}, {Channel: m, Op: recv.Op}}})
			return []*try{recv}
		}},
		{"send in a select, to who waits", 0, func(w *world) []*try {
			return []*try{begin(w.others[0], driver.Op{Kind: driver.OpRecv, Max: 1})}
		}, selecting(sends("v"))},
		{"send in a select, to a select", 0, func(w *world) []*try {
			return selecting(driver.Op{Kind: driver.OpRecv, Max: 1})(w.others[0])
		}, selecting(sends("v"))},
		{"receive in a select, from a select", 0, func(w *world) []*try {
			return selecting(sends("a"))(w.others[0])
		}, selecting(driver.Op{Kind: driver.OpRecv, Max: 1})},
		{"take in a select, and confirm", 1, ready("a", "b"), func(m *Member) []*try {
			if take := selecting(driver.Op{Kind: driver.OpTake, Max: 1})(m)[0]; len(take.Got) == 1 {
				begin(m, driver.Op{Kind: driver.OpDone, Hold: take.Got[0].Hold})
			}
			return nil
		}},
		{"detach", 2, ready("a", "b"), func(m *Member) []*try {
			begin(m, driver.Op{Kind: driver.OpTake, Max: 1, Try: true})
			m.Detach(context.Background())
			return nil
		}},
	}
}

// selecting returns a select of one case, which is what is judged.
func selecting(op driver.Op) func(*Member) []*try {
	return func(m *Member) []*try {
		c := &try{Op: new(op), ended: make(chan struct{})}
		s := driver.Op{Kind: driver.OpSelect, Cases: []driver.Case{{Channel: m, Op: c.Op}}}
		s.OnFinish(func(*driver.Op) { close(c.ended) })
		m.Start(&s)
		return []*try{c}
	}
}

// explore has the victim stop before step k, the others go on, and it be dead or go on. It returns
// how many steps there were.
func (s scene) explore(t *testing.T, k int, dies bool) (steps int, reached bool) {
	w := newWorld(t, s.slots)
	var before []*try
	if s.before != nil {
		before = s.before(w)
	}
	w.left = k
	finished := make(chan struct{})
	var did []*try
	go func() {
		defer close(finished)
		did = s.does(w.victim)
	}()
	select {
	case <-w.stopped:
		reached = true
	case <-finished:
		w.left, w.going = -1, true
	}
	// The others go on, whatever the victim stopped at: each sends and receives.
	fresh := []*try{begin(w.others[1], sends("x"))}
	w.turn()
	w.check()
	w.drain(w.others[0])
	if reached && !dies {
		w.left, w.going = -1, true
		close(w.goOn)
		<-finished
		w.turn()
	}
	victim := Name{w.victim.index, w.victim.id}
	if reached && dies || !w.victim.detached {
		if err := w.others[0].Clear(victim); err != nil {
			t.Fatal(err)
		}
	}
	w.going = false
	w.turn()
	w.check()
	w.drain(w.others[1])
	w.turn()
	got := w.received(w.tries)
	if !reached || !dies { // what it has received, it has
		got = append(got, w.received(did)...)
	}
	got = append(got, w.received(before)...)
	s.judge(w, append(before, fresh...), got, reached && dies)
	w.atRest()
	if reached && dies {
		w.victim.s.damage("it is dead") // what it still does, it does to itself
		w.victim.s.words = make([]uint64, len(w.words))
		w.left = -1
		close(w.goOn)
		<-finished
	}
	return w.steps, reached
}

func (w *world) received(tries []*try) (got []string) {
	for _, x := range tries {
		if x.Kind != driver.OpRecv {
			continue
		}
		for _, it := range x.Got {
			v := string(it.Value)
			if h := it.Header["of"]; h != v {
				w.t.Errorf("the value %q has the header of %q", v, h)
			}
			got = append(got, v)
		}
	}
	return got
}

// judge compares what was sent by those who live with what was received.
func (s scene) judge(w *world, sent []*try, got []string, died bool) {
	seen := map[string]int{}
	for _, v := range got {
		if seen[v]++; seen[v] > 1 {
			w.t.Errorf("%s was received twice: %q", v[:1], got)
		}
	}
	for _, x := range sent {
		if x.Kind != driver.OpSend {
			continue
		}
		for i, it := range x.Items {
			v := string(it.Value)
			left := i < x.N || !x.over()
			if !left && seen[v] > 0 {
				w.t.Errorf("%s was received, and its send ended with %v after %d", v, x.Err, x.N)
			}
			if x.over() && i < x.N && seen[v] == 0 && !s.mayHave(v, died) {
				w.t.Errorf("%s was sent, and is nowhere; received %q\n%s", v, got, w.others[0].s.Dump())
			}
			if !x.over() {
				w.t.Errorf("the send of %s waits for ever; received %q\n%s", v, got, w.others[0].s.Dump())
			}
		}
	}
}

// mayHave reports whether the victim may have received v: one of those that were there before; or, in a
// select, which it decides itself, what came later, if it has died with it.
func (s scene) mayHave(v string, died bool) bool {
	if v == "x" {
		return died && (s.name[:6] == "select" || s.name[:11] == "receive in ")
	}
	return s.name[:4] != "stop" && s.name[:4] != "send"
}

// check checks what is so in every state.
func (w *world) check() {
	w.t.Helper()
	if err := w.others[0].s.damaged(); err != nil {
		w.t.Fatal(err)
	}
	if err := Audit(w.others[0]); err != nil {
		w.t.Fatalf("%v\n%s", err, w.others[0].s.Dump())
	}
}

// atRest checks that nothing is left over when everything was received.
func (w *world) atRest() {
	w.t.Helper()
	w.check()
	st := w.others[0].Stats()
	if st.Len != 0 || st.Held != 0 || st.SendersWaiting != 0 {
		w.t.Errorf("at the end: %+v\n%s", st, w.others[0].s.Dump())
	}
}

// TestEveryStep stops a process before every step of everything it may do.
func TestEveryStep(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			total := 0
			for _, dies := range []bool{true, false} {
				for k := 0; ; k++ {
					_, reached := s.explore(t, k, dies)
					if t.Failed() {
						t.Fatalf("stopped before step %d, dies %v", k, dies)
					}
					if !reached {
						break
					}
					total++
				}
			}
			if total == 0 {
				t.Error("it does nothing that others see")
			}
			t.Log(fmt.Sprint(total, " stops"))
		})
	}
}
