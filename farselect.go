package handoff

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// farCase is a case on a channel of a medium.
type farCase struct {
	link *link
	// begin makes the operation of one turn. h is the header of a send.
	begin func(h engine.Header) (*driver.Op, error)
	// end tells how the case ended, once it was chosen, and runs its callback
	// unless it failed.
	end func(op *driver.Op) error
}

// sendCaseFar is a case that sends *p.
func (at *attachment[T]) sendCaseFar(p *T, do func()) Case {
	return at.caseFar("send", &farCase{
		begin: func(h engine.Header) (*driver.Op, error) {
			it, err := at.far.item(nil, h, p)
			return &driver.Op{Kind: driver.OpSend, Items: []driver.Item{it}}, err
		},
		end: func(op *driver.Op) error {
			if op.Err == nil && do != nil {
				do()
			}
			return op.Err
		},
	})
}

// recvCaseFar is a case that receives and confirms.
func (at *attachment[T]) recvCaseFar(do func(v T, ok bool)) Case {
	return at.receiveCaseFar("recv", driver.OpRecv, func(it *driver.Item) error {
		var v T
		if it != nil {
			if err := at.decode(it, &v); err != nil {
				return err
			}
		}
		if do != nil {
			do(v, it != nil)
		}
		return nil
	})
}

// takeCaseFar is a case that takes and holds.
func (at *attachment[T]) takeCaseFar(do func(d Delivery[T], ok bool)) Case {
	if at.bad() == nil && !at.far.ch.Info().Can.Hold {
		return Case{at: at, op: "take", refuse: errNoHold}
	}
	return at.receiveCaseFar("take", driver.OpTake, func(it *driver.Item) error {
		if it == nil {
			handTaken(Delivery[T]{}, false, do)
			return nil
		}
		d, err := at.deliveryFar(it)
		if err == nil {
			handTaken(d, true, do)
		}
		return err
	})
}

// receiveCaseFar is a case of kind k. got is called with what was received, nil
// once the channel is closed and drained.
func (at *attachment[T]) receiveCaseFar(name string, k driver.Kind, got func(*driver.Item) error) Case {
	return at.caseFar(name, &farCase{
		begin: func(engine.Header) (*driver.Op, error) { return &driver.Op{Kind: k, Max: 1}, nil },
		end: func(op *driver.Op) error {
			switch {
			case errors.Is(op.Err, ErrClosed):
				return got(nil)
			case op.Err != nil:
				return op.Err
			case len(op.Got) == 0:
				return errNothing
			}
			return got(&op.Got[0])
		},
	})
}

// stopCaseFar is the case of a stop. It can be waited for in advance and seen by
// any number of selects, so it takes part in selects of this process too.
func (at *attachment[T]) stopCaseFar(do func(reason string)) Case {
	told := func(reason string) {
		if do != nil {
			do(reason)
		}
	}
	c := at.caseFar("stop", &farCase{
		begin: func(engine.Header) (*driver.Op, error) { return &driver.Op{Kind: driver.OpAwaitStop}, nil },
		end: func(op *driver.Op) error {
			if op.Err == nil {
				told(op.Reason)
			}
			return op.Err
		},
	})
	switch {
	case c.refuse != nil:
	case !at.far.ch.Info().Can.Stop:
		c.refuse = errNoStop
	default:
		c.watch = func() engine.Case {
			w := at.far.stopped()
			return &engine.NativeRecv[struct{}]{
				C:   w.over,
				Err: func() error { return w.err },
				Do:  func(struct{}, bool) { told(w.reason) },
			}
		}
	}
	return c
}

// caseFar is a case on a channel of a medium.
func (at *attachment[T]) caseFar(op string, f *farCase) Case {
	if bad := at.bad(); bad != nil {
		return Case{at: at, op: op, refuse: bad}
	}
	f.link = at.far.link
	return Case{at: at, op: op, far: f}
}

// homeSelect is a select over channels of one home, which decides it.
type homeSelect struct {
	cases []Case
	off   []bool
	local *engine.Select // for turns in which none of those channels takes part
}

// decider is who decides a select.
type decider uint8

const (
	thisProcess decider = iota
	oneHome
	owner // the select itself, asked by several homes or by a home and this process
)

// deciderOf returns who decides a select over cases, or why nobody can. Stops on a
// medium can be seen from here, unless it has to be told at once that there is none.
func deciderOf(cases []Case) (by decider, bad error) {
	var first *Case
	watched, several := !hasDefault(cases), false
	for i := range cases {
		c := &cases[i]
		if c.far == nil || c.watch != nil && watched {
			continue
		}
		info := c.far.link.ch.Info()
		switch {
		case info.Can.Select == driver.SelectNone || info.Home == "":
			if isAlone(cases) {
				return oneHome, nil
			}
			return 0, c.at.fail("select", fault.Because(ErrUnsupported, "its medium takes no part in a select"))
		case first == nil:
			first = c
		case info.Home != first.far.link.ch.Info().Home:
			several = true
		}
	}
	if first == nil {
		return thisProcess, nil
	}
	for i := range cases {
		c := &cases[i]
		switch c.k.(type) {
		case nil, engine.After, engine.Default:
			several = several || c.far != nil && c.far.link.ch.Info().Home != first.far.link.ch.Info().Home
		default:
			several = true
		}
	}
	if !several {
		return oneHome, nil
	}
	return owner, claimable(cases)
}

// isAlone reports whether one of cases is on a medium, and no other takes anything
// from anybody: any medium can do that.
func isAlone(cases []Case) bool {
	n := 0
	for i := range cases {
		switch cases[i].k.(type) {
		case nil, engine.After, engine.Default:
			if cases[i].far != nil {
				n++
			}
		default:
			return false
		}
	}
	return n == 1
}

// hasDefault reports whether there is a Default among cases.
func hasDefault(cases []Case) bool {
	return slices.ContainsFunc(cases, func(c Case) bool {
		_, is := c.k.(engine.Default)
		return is
	})
}

// newHomeSelect makes a select of cases, which are decided at one home.
func newHomeSelect(cases []Case) *homeSelect {
	kinds := make([]engine.Case, len(cases))
	for i, c := range cases {
		kinds[i] = c.k // nil for a channel
	}
	return &homeSelect{cases: cases, off: make([]bool, len(cases)), local: engine.NewSelect(kinds)}
}

// homeTurn is one turn of a homeSelect.
type homeTurn struct {
	op       driver.Op
	index    []int // in cases, of each case of op
	link     *link // of any channel that takes part
	fallback int   // the default
	timer    int   // the After that is over first
}

// do is engine.Select.Do.
func (s *homeSelect) do(ctx context.Context, h engine.Header, first bool) (int, error) {
	if err := engine.Ended(ctx); err != nil {
		return -1, err
	}
	t := homeTurn{fallback: -1, timer: -1}
	t.op.Kind, t.op.First = driver.OpSelect, first
	for i := range s.cases {
		if s.off[i] {
			continue
		}
		if err := t.add(&s.cases[i], i, h); err != nil {
			return i, err
		}
	}
	if t.link == nil {
		return s.local.Do(ctx, h, first)
	}
	if t.link.ch.Info().Can.Select == driver.SelectNone {
		return s.alone(ctx, &t)
	}
	var err error
	if t.op.Try = t.fallback >= 0; t.op.Try {
		t.op.After = 0
		err = t.link.run(ctx, &t.op, t.link.opTimeout, ErrUnreachable)
	} else {
		err = t.link.run(ctx, &t.op, 0, nil)
	}
	return s.ended(&t, err)
}

// alone is a turn with one case on a medium that takes part in no select: it is
// that operation, tried or with a time limit. As its medium cannot tell whether a
// send is chosen and held, that limit may end it in doubt.
func (s *homeSelect) alone(ctx context.Context, t *homeTurn) (int, error) {
	at := slices.IndexFunc(t.op.Cases, func(c driver.Case) bool { return c.Channel != nil })
	op := t.op.Cases[at].Op
	ready := slices.Delete(slices.Clone(t.index), at, at+1) // the cases that are ready at once
	if len(ready) > 0 && (t.op.First && ready[0] < t.index[at] || !t.op.First && rand.IntN(len(ready)+1) > 0) {
		i := ready[0]
		if !t.op.First {
			i = ready[rand.IntN(len(ready))]
		}
		s.runs(i)
		return i, nil
	}
	var err error
	if op.Try = len(ready) > 0 || t.fallback >= 0; op.Try {
		err = t.link.run(ctx, op, t.link.opTimeout, ErrUnreachable)
	} else {
		err = t.link.run(ctx, op, t.op.After, ErrTimeout)
	}
	switch {
	case errors.Is(err, ErrUnreachable):
		return -1, err
	case op.NotReady && len(ready) > 0:
		s.runs(ready[0])
		return ready[0], nil
	case op.NotReady:
		s.runs(t.fallback)
		return t.fallback, nil
	case err == ErrTimeout && t.timer >= 0:
		s.runs(t.timer)
		return t.timer, nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, ErrInDoubt):
		return -1, err
	}
	return t.index[at], s.cases[t.index[at]].far.end(op)
}

// runs runs the callback of case i, an After or a Default.
func (s *homeSelect) runs(i int) {
	switch k := s.cases[i].k.(type) {
	case engine.After:
		call(k.Do)
	case engine.Default:
		call(k.Do)
	}
}

// add adds case i to the turn.
func (t *homeTurn) add(c *Case, i int, h engine.Header) error {
	switch k := c.k.(type) {
	case engine.Default:
		if t.fallback < 0 {
			t.fallback = i
		}
		return nil
	case engine.After:
		if k.D <= 0 {
			t.op.Cases = append(t.op.Cases, driver.Case{})
			t.index = append(t.index, i)
		} else if t.op.After == 0 || k.D < t.op.After || k.D == t.op.After && rand.IntN(2) == 0 {
			t.op.After, t.timer = k.D, i
		}
		return nil
	}
	if c.far == nil {
		return nil // the zero Case
	}
	op, err := c.far.begin(h)
	if err != nil {
		return err
	}
	t.link = c.far.link
	t.op.Cases = append(t.op.Cases, driver.Case{Channel: c.far.link.ch, Op: op})
	t.index = append(t.index, i)
	return nil
}

// ended runs the callback of the case that was chosen.
func (s *homeSelect) ended(t *homeTurn, err error) (int, error) {
	var i int
	switch {
	case errors.Is(err, ErrTimeout) && t.timer >= 0:
		i = t.timer
	case err != nil:
		return -1, err
	case t.op.NotReady:
		i = t.fallback
	default:
		i = t.index[t.op.Chosen]
	}
	if s.cases[i].far == nil {
		s.runs(i)
		return i, nil
	}
	return i, s.cases[i].far.end(t.op.Cases[t.op.Chosen].Op)
}

func call(do func()) {
	if do != nil {
		do()
	}
}
