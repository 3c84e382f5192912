package drivertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Model is a sequential specification in the form history checkers want: Step
// must not change the state it is given.
type Model struct {
	Init     func() any
	Step     func(state, input, output any) (bool, any)
	Equal    func(a, b any) bool
	Describe func(input, output any) string
}

// Call is one call of a recorded history, with the moments at which it began and
// ended.
type Call struct {
	Client        int
	Input, Output any
	Begin, End    int64
}

// Checker returns an error unless the history is linearizable with respect to
// the model.
type Checker func(m Model, history []Call) error

// A blocking operation has two effects at two moments: it arrives, when it is
// served or takes its place in the line, and it is done, when its result is
// fixed. Recording it as two calls, both of which may take effect anywhere
// between its beginning and its end, makes the line itself part of what is
// checked: rendezvous must overlap, nobody overtakes, no try says "not ready"
// while somebody waits.

// phase says which part of an operation a call is.
type phase uint8

func (p phase) String() string { return [...]string{" arrives", " is done", ""}[p] }

const (
	phaseArrive phase = iota
	phaseDone
	phaseWhole // an operation that does not wait
)

// histIn is the input of a call.
type histIn struct {
	op    int // number of the operation in its history
	phase phase
	what  histKind
	v     int
	takes int // settlements: the operation that took
}

type histKind uint8

const (
	histSend histKind = iota
	histRecv
	histTake
	histTrySend
	histTryRecv
	histConfirm
	histReturn
	histClose
)

func (k histKind) String() string {
	return [...]string{"Send", "Recv", "Take", "TrySend", "TryRecv", "Done", "Return", "Close"}[k]
}

// histOut is what a call showed.
type histOut struct {
	out     string
	v       int
	attempt int
}

// histState is a world in which operation n of the history is operation n.
type histState struct {
	w   *world
	key string // equal for states with an equal future
}

func stateOf(w *world) histState { return histState{w, w.key()} }

// historyModel is the reference with the given number of slots.
func historyModel(slots int) Model {
	return Model{
		Init:  func() any { return stateOf(newWorld(slots)) },
		Step:  func(s, in, out any) (bool, any) { return s.(histState).step(in.(histIn), out.(histOut)) },
		Equal: func(a, b any) bool { return a.(histState).key == b.(histState).key },
		Describe: func(in, out any) string {
			i, o := in.(histIn), out.(histOut)
			return fmt.Sprintf("%d %v(%d)%v -> %q %d", i.op, i.what, i.v, i.phase, o.out, o.v)
		},
	}
}

func (s histState) step(in histIn, out histOut) (bool, any) {
	if in.phase == phaseDone {
		return s.stepDone(in, out)
	}
	w := s.w.clone()
	fits := true
	switch {
	case in.phase == phaseArrive && w.op(in.op).out == neverCame:
		w.ops[in.op] = refOp{}
	case in.phase == phaseArrive:
		w.op(in.op).cases = []refArm{in.arm()}
		w.arrive(in.op)
	case in.what == histClose:
		fits = w.close(0) == out.out
	case in.what == histConfirm:
		fits = w.done(in.takes) == out.out
	case in.what == histReturn:
		fits = w.giveBack(in.takes) == out.out
	default:
		w.op(in.op).cases = []refArm{in.arm()}
		w.try(in.op)
		fits = w.ops[in.op].shows(out)
		w.ops[in.op] = refOp{}
	}
	if !fits {
		return false, s
	}
	return true, stateOf(w)
}

// neverCame marks an operation that was cancelled before it arrived: its context
// may have ended at any time after its beginning.
const neverCame = "never came"

// op returns operation n, which need not have been heard of.
func (w *world) op(n int) *refOp {
	for len(w.ops) <= n {
		w.ops = append(w.ops, refOp{})
	}
	return &w.ops[n]
}

func (in histIn) arm() refArm {
	switch in.what {
	case histSend, histTrySend:
		return refArm{kind: armSend, rest: []int{in.v}}
	case histTake:
		return refArm{kind: armTake, room: 1}
	}
	return refArm{kind: armRecv, room: 1}
}

// stepDone is the end of a blocking operation. One that was cancelled gives up
// at this moment, and must still have been waiting, or not have come yet. What
// is over is forgotten.
func (s histState) stepDone(in histIn, out histOut) (bool, any) {
	w := s.w.clone()
	op := w.op(in.op)
	switch {
	case op.cases == nil:
		if out.out != cancelled {
			return false, s
		}
		op.out = neverCame
		return true, stateOf(w)
	case !op.done:
		if out.out != cancelled && out.out != doubtful {
			return false, s
		}
		w.cancel(in.op)
	}
	if !op.shows(out) {
		return false, s
	}
	*op = refOp{}
	return true, stateOf(w)
}

// shows reports whether op ended as out says.
func (op *refOp) shows(out histOut) bool {
	if op.out != out.out {
		return false
	}
	if len(op.got) == 0 {
		return true
	}
	return op.got[0] == out.v && (out.attempt == 0 || op.tries == out.attempt)
}

// recorder records the history of one channel.
type recorder struct {
	ch    Chan[int]
	clock atomic.Int64
	ids   atomic.Int64

	mu    sync.Mutex
	calls []Call
}

func (r *recorder) add(client int, in histIn, out histOut, begin int64) {
	end := r.clock.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.phase == phaseWhole {
		r.calls = append(r.calls, Call{client, in, out, begin, end})
		return
	}
	for _, ph := range []phase{phaseArrive, phaseDone} {
		in.phase = ph
		r.calls = append(r.calls, Call{client, in, out, begin, end})
	}
}

// blocking records one operation that may wait.
func (r *recorder) blocking(ctx context.Context, client int, what histKind, v int) (id int, d Delivery[int], err error) {
	id = int(r.ids.Add(1))
	in := histIn{op: id, what: what, v: v}
	var out histOut
	begin := r.clock.Add(1)
	switch what {
	case histSend:
		err = r.ch.Send(ctx, v)
	case histRecv:
		out.v, err = r.ch.Recv(ctx)
	case histTake:
		d, err = r.ch.Take(ctx)
		out.v, out.attempt = d.Value, d.Attempt
	}
	out.out = classOf(err)
	r.add(client, in, out, begin)
	return id, d, err
}

// whole records one operation that does not wait.
func (r *recorder) whole(client int, in histIn, f func() (v int, ok bool, err error)) {
	in.phase = phaseWhole
	in.op = int(r.ids.Add(1))
	begin := r.clock.Add(1)
	v, ok, err := f()
	out := histOut{out: classOf(err), v: v}
	if err == nil && !ok {
		out.out = notReady
	}
	r.add(client, in, out, begin)
}

// history returns what was recorded, in order of beginning.
func (r *recorder) history() []Call {
	slices.SortFunc(r.calls, func(a, b Call) int { return int(a.Begin - b.Begin) })
	return r.calls
}
