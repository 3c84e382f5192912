package home

import (
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/commit"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// startSelect begins op, all of whose cases must be on channels of this process.
// It can be cancelled through any attachment it has a case on; it is kept with
// the one it was started on.
func (at *attachment) startSelect(op *driver.Op) {
	cases := make([]engine.Case, len(op.Cases), len(op.Cases)+1)
	for i := range op.Cases {
		c, err := engineCase(&op.Cases[i])
		if err != nil {
			op.Err = err
			op.Finish()
			return
		}
		cases[i] = c
	}
	if op.Try {
		cases = append(cases, engine.Default{})
	}
	var x *engine.AsyncSelect
	var timer *time.Timer
	done := func() {
		at.mu.Lock()
		delete(at.selects, op)
		at.mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
		selected(op, x)
		op.Finish()
	}
	if op.Bid == nil {
		x = engine.NewAsyncSelect(cases, done)
	} else {
		x = newOffer(cases, op.Bid, done)
	}
	at.mu.Lock()
	at.selects[op] = x
	at.mu.Unlock()
	if op.After > 0 {
		timer = time.AfterFunc(op.After, func() { x.Cancel(fault.ErrTimeout, true) })
	}
	x.Begin(op.First)
}

// newOffer is a select that its owner decides.
func newOffer(cases []engine.Case, b *driver.Bid, done func()) *engine.AsyncSelect {
	post := func(m engine.Message) {
		switch m {
		case engine.AskClaim:
			b.Claim()
		case engine.AskRelease:
			b.Release()
		case engine.AskBind:
			b.Bind()
		}
	}
	x := engine.NewOffer(cases, commit.Ticket{Node: b.Node, Number: b.Number}, post, done)
	b.Note = x
	return x
}

// Aside implements driver.Bidder.
func (at *attachment) Aside(op *driver.Op) {
	x := op.Bid.Note.(*engine.AsyncSelect)
	at.mu.Lock()
	at.selects[op] = x
	at.mu.Unlock()
	x.StandAside()
}

// Back implements driver.Bidder.
func (at *attachment) Back(op *driver.Op) {
	at.mu.Lock()
	x := at.selects[op]
	at.mu.Unlock()
	if x != nil {
		x.StandBack()
	}
}

// Granted implements driver.Bidder.
func (at *attachment) Granted(op *driver.Op) {
	at.mu.Lock()
	x := at.selects[op]
	at.mu.Unlock()
	if x != nil {
		x.Granted()
	}
}

// look is op, an OpLook.
func look(op *driver.Op) error {
	for i := range op.Cases {
		at, ok := op.Cases[i].Channel.(*attachment)
		if !ok {
			return fault.Because(fault.ErrUnsupported, "a look at channels of several homes")
		}
		kind := op.Cases[i].Op.Kind
		if kind == driver.OpAwaitStop {
			if _, stopped := at.ch.c.Stopped(); stopped { // for good: no count is needed
				op.Ready++
			}
			continue
		}
		ready, times := at.ch.c.Look(&at.a, kind == driver.OpSend)
		if ready {
			op.Ready++
		}
		op.Times += times
	}
	return nil
}

// selected copies the outcome of x into op and its cases.
func selected(op *driver.Op, x *engine.AsyncSelect) {
	i, err := x.Chosen()
	switch {
	case i < 0:
		op.Err = err
	case i == len(op.Cases):
		op.NotReady = true
	default:
		op.Chosen = i
		if c := op.Cases[i].Op; c != nil && err != nil {
			c.Err = err
		}
	}
}

// engineCase is c as the engine sees it. Its callback fills in c's Op.
func engineCase(c *driver.Case) (engine.Case, error) {
	if c.Channel == nil {
		return engine.After{}, nil // ready at once
	}
	at, ok := c.Channel.(*attachment)
	if !ok {
		return nil, fault.Because(fault.ErrUnsupported, "a select over several homes")
	}
	op := c.Op
	e := at.ch.c
	switch op.Kind {
	case driver.OpSend:
		if len(op.Items) != 1 {
			return nil, fault.Because(fault.ErrUnsupported, "a select case that sends %d values", len(op.Items))
		}
		v := item{op.Items[0].Value, op.Items[0].Header}
		return &engine.SendCase[item]{C: e, A: &at.a, V: &v, Do: func() { op.N = 1 }}, nil
	case driver.OpRecv:
		return &engine.RecvCase[item]{C: e, A: &at.a, Do: at.received(op)}, nil
	case driver.OpTake:
		return &engine.TakeCase[item]{C: e, A: &at.a, Do: at.received(op), Plain: op.Plain, Unheard: op.Unheard}, nil
	case driver.OpAwaitStop:
		return &engine.StopCase[item]{C: e, A: &at.a, Do: func(reason string) { op.Reason = reason }}, nil
	}
	return nil, fault.Because(fault.ErrUnsupported, "a select case of kind %d", op.Kind)
}

// received fills in op, a receive that was chosen.
func (at *attachment) received(op *driver.Op) func(*engine.Got[item], bool) {
	return func(g *engine.Got[item], ok bool) {
		if !ok {
			op.Err = fault.ErrClosed
			return
		}
		op.Got = at.items(op, []engine.Got[item]{*g})
	}
}
