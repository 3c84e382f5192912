package drivertest

import (
	"errors"

	"github.com/handoff-go/handoff/driver"
)

var selectTableLaws = []Law{
	{
		Name:   "L6/what-blocks-and-what-does-not",
		Says:   "the whole table of one case by state of the channel: nil waits, empty receive waits, full send waits, closed is ready, a case with room or a value is ready",
		Source: "chan/select3.go, reflect TestSelect; research 20, 24",
		Needs:  []Feature{FeatureSelect, FeatureCancel},
		Run:    lawTable,
	}, {
		Name:   "L6/random-tables",
		Says:   "a select over any mix of ready, blocked, nil and closed cases chooses a ready one, waits when there is none, and has that one effect",
		Source: "reflect TestSelect",
		Needs:  []Feature{FeatureSelect, FeatureCancel},
		Run:    lawRandomTables,
	},
}

// state is a state of a channel with one slot, as a select may find it.
type state int

const (
	isNil state = iota
	isEmpty
	isFull
	isClosed
	isClosedFull
	hasReceiver // empty, and somebody waits to receive
	hasSender   // full, and somebody waits to send
	states
)

func (s state) String() string {
	return [...]string{"nil", "empty", "full", "closed", "closed with a value", "with a receiver", "with a sender"}[s]
}

// prepare makes a channel in state s whose first value is v.
func (e *Env) prepare(s state, v int) Chan[int] {
	e.Helper()
	if s == isNil {
		return e.H.Nil()
	}
	ch := e.Chan(1)
	switch s {
	case hasReceiver:
		e.Recv(ch).Blocked()
	case isFull, isClosedFull, hasSender:
		e.Sends(ch, v)
	}
	switch s {
	case hasSender:
		e.Send(ch, v+1).Blocked()
	case isClosed, isClosedFull:
		e.OK("Close", ch.Close())
	}
	return ch
}

// sendReady and recvReady say what a case does on a channel in state s.
func (s state) sendReady() bool {
	return s == isEmpty || s == isClosed || s == isClosedFull || s == hasReceiver
}
func (s state) recvReady() bool {
	return s == isFull || s == isClosed || s == isClosedFull || s == hasSender
}

// probe is one case of a table.
type probe struct {
	s     state
	sends bool
	ch    Chan[int]
	v     int // what a send sends
	got   int
	ran   bool
}

func (p *probe) String() string {
	if p.sends {
		return "send, " + p.s.String()
	}
	return "receive, " + p.s.String()
}

func (p *probe) ready() bool {
	if p.sends {
		return p.s.sendReady()
	}
	return p.s.recvReady()
}

func (p *probe) arm() arm {
	if p.sends {
		return arm{c: p.ch.OnSend(p.v, func() { p.ran = true }), w: p.waits()}
	}
	return arm{c: p.ch.OnRecv(func(v int, ok bool) {
		if p.ran, p.got = true, v; !ok {
			p.got = closedValue
		}
	}), w: p.waits()}
}

func (p *probe) waits() []wait {
	if p.s == isNil {
		return nil
	}
	return []wait{{on: p.ch, sends: p.sends}}
}

// check fails the law unless the select that chose p had p's effect.
func (p *probe) check(e *Env, first int, err error) {
	e.Helper()
	closed := p.s == isClosed || p.s == isClosedFull
	switch {
	case p.sends && closed:
		if !errors.Is(err, driver.ErrClosed) || p.ran {
			e.Fatalf("a send case %v: error %v, function ran: %v", p.s, err, p.ran)
		}
	case err != nil || !p.ran:
		e.Fatalf("a chosen case %v: error %v, function ran: %v", p.s, err, p.ran)
	case !p.sends && p.s == isClosed && p.got != closedValue, !p.sends && p.s != isClosed && p.got != first:
		e.Fatalf("a receive case %v got %d", p.s, p.got)
	}
}

func lawTable(e *Env) {
	for s := range states {
		for _, sends := range []bool{true, false} {
			for _, withDefault := range []bool{false, e.H.Has[FeatureDefault]} {
				p := &probe{s: s, sends: sends, ch: e.prepare(s, 40), v: 60}
				a := []arm{p.arm()}
				if withDefault {
					a = append(a, arm{c: e.H.Default(nil)})
				}
				ctx, cancel := e.ending()
				op := e.SelCtx(ctx, a...)
				switch {
				case p.ready():
					if op.Ended(); op.N != 0 {
						e.Fatalf("a ready case (send %v, %v) was not chosen: index %d, %v", sends, s, op.N, op.Err)
					}
					p.check(e, 40, op.Err)
				case withDefault:
					op.Chose(1)
				default:
					op.Blocked()
				}
				cancel()
				e.Settle()
				op.Ended()
				e.endAll()
			}
		}
	}
}

// endAll ends the operations under way and starts a new context for the law.
func (e *Env) endAll() {
	e.free()
	for _, op := range e.ops {
		op.Ended()
	}
	e.ops = nil
	e.renew()
}

func lawRandomTables(e *Env) {
	for range min(400, e.Scale(400)) {
		n := 1 + e.Rand.IntN(6)
		probes := make([]*probe, n)
		ready := 0
		var arms []arm
		for i := range probes {
			s := state(e.Rand.IntN(int(states)))
			probes[i] = &probe{s: s, sends: e.Rand.IntN(2) == 0, v: 60 + i}
			if i > 0 && s == probes[i-1].s && e.Rand.IntN(2) == 0 {
				probes[i].ch = probes[i-1].ch // the same channel twice
			} else {
				probes[i].ch = e.prepare(s, 100*i)
			}
			if probes[i].ready() {
				ready++
			}
			arms = append(arms, probes[i].arm())
		}
		ctx, cancel := e.ending()
		op := e.SelCtx(ctx, arms...)
		if ready == 0 {
			// Two cases of one full or empty channel cannot be ready together
			// with none of them alone, so nothing here may have met.
			op.Blocked()
			cancel()
			e.Settle()
			op.Failed(ctx.Err())
			e.endAll()
			continue
		}
		if op.Ended(); op.N < 0 || op.N >= n || !probes[op.N].ready() {
			e.Fatalf("chose %d (error %v) among %v", op.N, op.Err, probes)
		}
		chosen := probes[op.N]
		first := 100 * op.N
		for i := op.N; i > 0 && probes[i].ch == probes[i-1].ch; i-- {
			first = 100 * (i - 1)
		}
		chosen.check(e, first, op.Err)
		for i, p := range probes {
			if i != op.N && p.ran {
				e.Fatalf("case %d lost, and its function ran", i)
			}
		}
		cancel()
		e.endAll()
	}
}
