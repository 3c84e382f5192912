package netchan

import (
	"bytes"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// startSelect sends op, a select, or keeps it back. An error means that it was
// not begun.
func (a *attachment) startSelect(op *driver.Op) error {
	c := &call{at: a, op: op, kind: op.Kind, count: len(op.Cases), left: -1}
	if op.Ticket != nil {
		if !a.link.claims {
			return fault.Because(fault.ErrUnsupported, "a select over several homes: the home at %s does not know of it", a.link.name)
		}
		c.offered = &offered{}
	}
	op.Note = c
	for i := range op.Cases {
		if err := c.addCase(&op.Cases[i]); err != nil {
			return err
		}
	}
	if err := c.caseLimits(); err != nil {
		return err
	}
	if op.Try || op.Kind == driver.OpLook {
		c.due = time.Now().Add(a.cfg.OpTimeout)
	}
	detached, err := a.link.admitSelect(c)
	switch {
	case err != nil:
		return err
	case detached >= 0:
		if c.ticketed() {
			return fault.ErrDetached
		}
		op.Note = nil // as in Start
		op.Chosen, op.Cases[detached].Op.Err = detached, fault.ErrDetached
		op.Finish()
		return nil
	}
	a.link.out.Flush()
	return nil
}

// addCase checks one case and counts it in.
func (c *call) addCase(one *driver.Case) error {
	if one.Channel == nil {
		return nil
	}
	on, ok := one.Channel.(*attachment)
	if !ok || on.link != c.at.link {
		return fault.Because(fault.ErrUnsupported, "a select over channels of two homes")
	}
	switch one.Op.Kind {
	case driver.OpSend:
		c.sends = true
		if len(one.Op.Items) != 1 {
			return fault.Because(fault.ErrUnsupported, "a select case that sends %d values", len(one.Op.Items))
		}
		c.cost += wire.Cost(&one.Op.Items[0])
	case driver.OpRecv, driver.OpTake, driver.OpAwaitStop:
	default:
		return fault.Because(fault.ErrUnsupported, "a select case of kind %d", one.Op.Kind)
	}
	return on.refuse(one.Op)
}

// caseLimits refuses a select that is too large for one frame.
func (c *call) caseLimits() error {
	if c.count > wire.MaxCases {
		return fault.Because(fault.ErrTooLarge, "a select of %d cases, at most %d can be", c.count, wire.MaxCases)
	}
	limit := c.at.link.maxBody
	for i := range c.op.Cases {
		if on, ok := c.op.Cases[i].Channel.(*attachment); ok {
			limit = max(limit, on.maxValue+wire.Overhead)
		}
	}
	f := c.selectFrame()
	if n := f.Length() - wire.HeaderLength; n > limit {
		return fault.Because(fault.ErrTooLarge, "a select with %d bytes of values, at most %d can be", n, limit)
	}
	return nil
}

var caseKinds = map[driver.Kind]wire.CaseKind{
	driver.OpSend: wire.CaseSend, driver.OpRecv: wire.CaseRecv,
	driver.OpTake: wire.CaseTake, driver.OpAwaitStop: wire.CaseStop,
}

// selectFrame is the frame that begins c.
func (c *call) selectFrame() wire.Select {
	f := wire.Select{Channel: c.at.id, Op: c.id, Cases: make([]wire.Case, len(c.op.Cases))}
	if c.op.Try {
		f.Flags |= wire.FlagTry
	}
	if c.op.First {
		f.Flags |= wire.FlagFirst
	}
	if c.ticketed() {
		f.Flags |= wire.FlagOffer
		f.Ticket = c.op.Number
	}
	if c.kind == driver.OpLook {
		f.Flags |= wire.FlagLook
	}
	if c.sends && c.op.After > 0 {
		f.After = max(time.Until(c.until), 1)
	}
	for i, one := range c.op.Cases {
		on, ok := one.Channel.(*attachment)
		if !ok {
			continue // ready at once
		}
		f.Cases[i] = wire.Case{Kind: caseKinds[one.Op.Kind], Channel: on.id}
		if one.Op.Kind == driver.OpSend && c.kind != driver.OpLook {
			f.Cases[i].Item = one.Op.Items[0]
		}
	}
	return f
}

// admitSelect begins c or keeps it back. If an attachment of it is detached it
// returns the index of that case instead; else -1.
func (l *link) admitSelect(c *call) (detached int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, one := range c.op.Cases {
		if on, ok := one.Channel.(*attachment); ok && on.detached {
			return i, nil
		}
	}
	if l.dead != nil {
		return -1, l.dead
	}
	// The home may still choose a send when time is over here, so it has the
	// clock, once it has the select. A receive that comes too late is put back, so
	// there it is ours.
	if c.op.After > 0 {
		c.until = time.Now().Add(c.op.After)
		c.grace = time.AfterFunc(c.op.After, c.timeOver)
	}
	if w := c.window(); w == nil || w.enter(c) {
		l.begin(c)
	}
	return -1, nil
}

// timeOver ends a select without a send that waits too long. It runs on the
// timer's goroutine.
func (c *call) timeOver() {
	l := c.at.link
	l.mu.Lock()
	var ended []*driver.Op
	if c.op != nil && c.cause == nil && l.dead == nil && (c.queued || !c.sends) {
		ended = c.at.cancel(c, fault.ErrTimeout)
	}
	l.mu.Unlock()
	l.out.Flush()
	finish(ended)
}

// leaveSelect ends the select c because a, which a case of it is on, is detached:
// that case is the one chosen, unless a send had its effect before. A value under
// way is dropped, and goes back when the home reads CANCEL. The link's mu is held.
func (a *attachment) leaveSelect(c *call, ended []*driver.Op) []*driver.Op {
	i, ok := c.has(a)
	if !ok || c.cause != nil {
		return ended
	}
	if c.ticketed() {
		return a.link.leaveOffer(c, i, ended)
	}
	switch {
	case c.queued: // and taken out of those kept back already
	case c.harmless():
		a.link.order(wire.TypeCancel, c)
	default:
		c.left = i
		return append(ended, a.cancel(c, fault.ErrDetached)...)
	}
	return c.chose(ended, i, fault.ErrDetached)
}

// chose ends the select c with case i, which has failed.
func (c *call) chose(ended []*driver.Op, i int, err error) []*driver.Op {
	c.op.Chosen, c.op.Cases[i].Op.Err = i, err
	return c.finished(ended, nil)
}

// nothingChosen ends the select c, of which the home has said that nothing was
// chosen since it was cancelled.
func (c *call) nothingChosen(ended []*driver.Op) []*driver.Op {
	if c.left >= 0 {
		return c.chose(ended, c.left, c.cause)
	}
	return c.finished(ended, c.cause)
}

// has reports whether a is what a case of c is on. The link's mu is held, and c
// has not ended.
func (c *call) has(a *attachment) (i int, ok bool) {
	if c.op == nil || c.kind != driver.OpSelect {
		return 0, false
	}
	for i := range c.op.Cases {
		if on, ok := c.op.Cases[i].Channel.(*attachment); ok && on == a {
			return i, true
		}
	}
	return 0, false
}

// keptBack takes the selects with a case on a, or all if a is nil, out of those
// kept back. mu is held.
func (l *link) keptBack(of *attachment) (calls []*call) {
	for _, c := range append([]*call(nil), l.selecting.queue...) {
		if _, ok := c.has(of); ok || of == nil {
			l.selecting.drop(c)
			calls = append(calls, c)
		}
	}
	if of != nil {
		l.beginKept(&l.selecting)
	}
	return calls
}

// onChosen ends the select c by f.
func (d *dispatcher) onChosen(c *call, f *wire.Chosen) error {
	if c.kind != driver.OpSelect || c.frame != nil {
		return wire.Unexpected(wire.TypeChosen, "as the answer to something else")
	}
	if int(f.Case) >= c.count {
		return wire.Unexpected(wire.TypeChosen, "of a case that is not there")
	}
	if c.ticketed() && c.outcome != nil && c.outcome.home {
		return wire.Unexpected(wire.TypeChosen, "for the second time")
	}
	l := d.link
	value := f.Flags&wire.ChosenValue != 0
	if c.op != nil && c.ticketed() && l.fair(c, f) {
		if value && c.cause != nil { // its home puts it back when it reads CANCEL
			d.wrote = true
			d.ended = l.answered(c, c.cause, d.ended)
			return nil
		}
		if value {
			f.Item.Value = bytes.Clone(f.Item.Value) // it may have to wait
		}
		d.wrote = true
		d.ended = l.take(c, &outcome{i: int(f.Case), f: f, home: true}, d.ended)
		return nil
	}
	delete(l.calls, c.id)
	d.leave(c)
	c.told(fault.Fate{N: int(f.N()), Chosen: int(f.Case), Err: wire.Err(f.Code, f.Flags&wire.ChosenInDoubt != 0, f.Text, c.cause)})
	if c.op == nil {
		return nil // cancelled; a value in it goes back when the home reads that
	}
	if value && c.cause != nil && !c.ticketed() {
		d.ended = c.nothingChosen(d.ended)
		return nil
	}
	if !l.fair(c, f) {
		d.ended = c.finished(d.ended, fault.Because(fault.ErrInDoubt, "the home broke the rules of the wire"))
		return wire.Unexpected(wire.TypeChosen, "without its value, or with one that cannot be")
	}
	d.wrote = true
	l.choose(c, f)
	d.ended = c.finished(d.ended, nil)
	return nil
}

// fair reports whether f has a value where its case and its code say so, and only
// there, and one that its channel lets through.
func (l *link) fair(c *call, f *wire.Chosen) bool {
	op := c.op.Cases[f.Case].Op
	if on, ok := c.op.Cases[f.Case].Channel.(*attachment); ok && len(f.Item.Value) > on.maxValue {
		return false
	}
	receives := op != nil && (op.Kind == driver.OpRecv || op.Kind == driver.OpTake)
	return (f.Flags&wire.ChosenValue != 0) == (receives && f.Code == wire.CodeDone)
}

// choose fills in the case that f says was chosen, and answers a value in it.
func (l *link) choose(c *call, f *wire.Chosen) {
	won := c.op.Cases[f.Case].Op
	if won == nil {
		won = &driver.Op{}
	}
	won.Err = wire.Err(f.Code, f.Flags&wire.ChosenInDoubt != 0, f.Text, c.cause)
	switch {
	case f.Flags&wire.ChosenValue != 0:
		won.Got = []driver.Item{owned(f.Item, won.Kind)}
		l.order(wire.TypeTaken, c)
	case won.Kind == driver.OpSend && won.Err == nil:
		won.N = 1
	case won.Kind == driver.OpAwaitStop && won.Err == nil:
		won.Reason = f.Text
	}
	c.op.Chosen = int(f.Case)
}

// leaveOffer is leaveSelect for one that has a ticket: case i fails.
func (l *link) leaveOffer(c *call, i int, ended []*driver.Op) []*driver.Op {
	if c.queued {
		return l.take(c, &outcome{i: i, err: fault.ErrDetached}, ended)
	}
	if c.outcome != nil && c.outcome.home {
		if c.outcome.f != nil && c.outcome.f.Flags&wire.ChosenValue == 0 {
			return ended // its home has said how it ends
		}
		l.forget(c)
	}
	l.order(wire.TypeCancel, c)
	if c.part.Held && c.sends {
		c.cause, c.left = fault.ErrDetached, i
		c.grace = time.AfterFunc(c.at.cfg.CancelGrace, func() { c.at.graceOver(c) })
		return ended
	}
	return l.take(c, &outcome{i: i, err: fault.ErrDetached}, ended)
}
