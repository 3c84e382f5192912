package netchan

import (
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/commit"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// This file is the owner's side of a select that lies at several homes, as far as
// one of them is concerned: docs/spec/select.md. Package commit has the decisions;
// here they meet frames. All of it runs under the link's mu.

// offered is what a call has besides if its select has a ticket.
type offered struct {
	part    commit.Part
	outcome *outcome    // what is to take effect once the ticket can be had
	granted uint64      // where the last GRANT ends in the stream
	tires   *time.Timer // of a value that is parked
}

// patience is how long a value may wait for a ticket that another home has claimed,
// before it goes back to where others can have it.
const patience = time.Second

// outcome is a case that takes effect, or fails.
type outcome struct {
	i    int
	f    *wire.Chosen // with a value of its own, or nil
	err  error        // if f is nil
	home bool         // its home has ended the operation, which is still counted here
}

// word is the ticket of op, for package commit. The answers have the same numbers.
type word struct{ op *driver.Op }

func (w word) Claim() commit.Answer { return commit.Answer(w.op.Ticket.Claim()) }
func (w word) Win() commit.Answer   { return commit.Answer(w.op.Ticket.Win(w.op.Case)) }
func (w word) Confirm()             { w.op.Ticket.Confirm(w.op.Case) }
func (w word) Bind()                { w.op.Ticket.Bind(w.op.Case) }
func (w word) Release()             { w.op.Ticket.Release() }

// scope is with what a case at this home may share a select.
func (l *link) scope() driver.SelectScope {
	if l.claims {
		return driver.SelectClaims
	}
	return driver.SelectHome
}

// ticketed reports whether c is such a select. Its op may be gone.
func (c *call) ticketed() bool { return c.offered != nil }

// onClaim handles CLAIM, RELEASE and BIND. One for an operation that has ended may have
// crossed its end.
func (d *dispatcher) onClaim(h wire.Header, body []byte) error {
	f := &d.order
	if err := f.Parse(h, body); err != nil {
		return err
	}
	l := d.link
	c := l.calls[f.Op]
	if c == nil && f.Op <= l.lastOp {
		return nil
	}
	if c == nil || c.at.id != f.Channel || !c.ticketed() {
		return wire.Unexpected(h.Type, "for an operation that is not offered")
	}
	if c.op == nil {
		return nil // withdrawn, as the home is about to read
	}
	var r commit.Reply
	switch h.Type {
	case wire.TypeClaim:
		c.part, r = c.part.Claimed(word{c.op})
	case wire.TypeBind:
		c.part, r = c.part.Binds(word{c.op})
	default:
		c.part, r = c.part.Released(word{c.op})
	}
	d.wrote = true
	d.ended = l.replied(c, r, d.ended)
	if r == commit.Invalid {
		return wire.Unexpected(h.Type, "out of turn")
	}
	return nil
}

// replied sends the answer to a claim.
func (l *link) replied(c *call, r commit.Reply, ended []*driver.Op) []*driver.Op {
	switch r {
	case commit.Grant:
		f := wire.Order{Type: wire.TypeGrant, Channel: c.at.id, Op: c.id}
		c.granted, _ = l.out.End(f.Append(l.out.Begin()), false)
	case commit.Refuse:
		l.order(wire.TypeCancel, c)
		return c.finished(ended, nil)
	}
	return ended
}

// take has o take effect if the ticket of c can be had, now or later.
func (l *link) take(c *call, o *outcome, ended []*driver.Op) []*driver.Op {
	c.outcome = o
	var r commit.Reply
	c.part, r = c.part.Tried(word{c.op})
	return l.took(c, r, ended)
}

// took ends c as its ticket says.
func (l *link) took(c *call, r commit.Reply, ended []*driver.Op) []*driver.Op {
	if r == commit.Later {
		if c.tires == nil && c.parksValue() {
			c.tires = time.AfterFunc(patience, c.tired)
		}
		return ended
	}
	o := c.outcome
	l.forget(c)
	if r == commit.Refuse {
		if o.f != nil && o.f.Flags&wire.ChosenValue != 0 {
			l.order(wire.TypeCancel, c)
		}
		return c.finished(ended, nil)
	}
	op := c.op
	op.Won, op.Chosen = true, o.i
	if o.f == nil {
		op.Cases[o.i].Op.Err = o.err
		return c.finished(ended, nil)
	}
	l.choose(c, o.f)
	return c.finished(ended, nil)
}

// parksValue reports whether a value of c's home waits here for the ticket.
func (c *call) parksValue() bool {
	o := c.outcome
	return c.part.Parked == commit.Try && o != nil && o.home && o.f != nil && o.f.Flags&wire.ChosenValue != 0
}

// tired sends such a value back, to come again once the ticket is free. It runs on the
// timer's goroutine.
func (c *call) tired() {
	l := c.at.link
	l.mu.Lock()
	if c.op != nil && l.dead == nil && c.parksValue() {
		c.part, _ = c.part.Tired()
		c.outcome, c.tires = nil, nil
		l.order(wire.TypeAside, c)
	}
	l.mu.Unlock()
	l.out.Flush()
}

// forget has nothing more come for c, whose home has ended it, or will without
// being understood.
func (l *link) forget(c *call) {
	if !c.outcome.home || l.dead != nil {
		return
	}
	c.outcome.home = false
	delete(l.calls, c.id)
	l.makeRoom(c)
}

// withdraw ends c because of why: what its ticket says from now on is none of its
// home's business. A claim for a send is waited for.
func (l *link) withdraw(c *call, why error, ended []*driver.Op) []*driver.Op {
	if c.part.Held && c.sends {
		c.cause = why
		l.order(wire.TypeCancel, c)
		c.grace = time.AfterFunc(c.at.cfg.CancelGrace, func() { c.at.graceOver(c) })
		return ended
	}
	if c.part.Held {
		c.part, _ = c.part.Released(word{c.op})
	}
	if c.outcome != nil {
		l.forget(c)
	}
	if l.dead == nil {
		l.order(wire.TypeCancel, c)
	}
	return c.finished(ended, why)
}

// answered ends c, of which its home says that no case will take effect.
func (l *link) answered(c *call, err error, ended []*driver.Op) []*driver.Op {
	switch {
	case c.part.Bound: // a send was chosen, and came to nothing
		return l.take(c, &outcome{i: c.firstSend(), err: err, home: true}, ended)
	case c.cause == nil || err != c.cause:
		return l.take(c, &outcome{i: 0, err: err, home: true}, ended)
	case c.left >= 0:
		return l.take(c, &outcome{i: c.left, err: err, home: true}, ended)
	}
	if c.part.Held {
		c.part, _ = c.part.Released(word{c.op})
	}
	delete(l.calls, c.id)
	l.makeRoom(c)
	return c.finished(ended, err)
}

// unsure ends c, whose home does not answer: it may have let a send take effect.
func (l *link) unsure(c *call, err error, ended []*driver.Op) []*driver.Op {
	return l.take(c, &outcome{i: c.firstSend(), err: c.traced(err)}, ended)
}

func (c *call) firstSend() int {
	for i := range c.op.Cases {
		if c.op.Cases[i].Op.Kind == driver.OpSend {
			return i
		}
	}
	return 0
}

// failOffer ends c, whose link is dead. written is how much of the stream was given
// to the transport; orderly says that the home let nothing take effect after that.
func (l *link) failOffer(c *call, doubt error, orderly bool, written uint64, ended []*driver.Op) []*driver.Op {
	if c.op == nil {
		return ended
	}
	why := l.dead
	if c.cause != nil {
		why, doubt = c.cause, fault.Doubtful(c.cause)
	}
	if c.part.Held && c.sends && !orderly && c.granted <= written {
		return l.unsure(c, doubt, ended)
	}
	if c.cause != nil && c.left < 0 {
		return l.withdrawDead(c, why, ended)
	}
	return l.take(c, &outcome{i: max(c.left, 0), err: why}, ended)
}

// withdrawDead is withdraw where there is no home any more.
func (l *link) withdrawDead(c *call, why error, ended []*driver.Op) []*driver.Op {
	if c.part.Held {
		c.part, _ = c.part.Released(word{c.op})
	}
	return c.finished(ended, why)
}

// Freed implements driver.Claimer.
func (a *attachment) Freed(op *driver.Op) {
	c, _ := op.Note.(*call)
	if c == nil {
		return
	}
	l := a.link
	l.mu.Lock()
	var ended []*driver.Op
	if c.op == op && c.ticketed() && c.part.Parked != commit.Nothing {
		var r commit.Reply
		wanted := c.part.Parked
		switch c.part, r = c.part.Freed(word{op}); wanted {
		case commit.Claim:
			ended = l.replied(c, r, nil)
		case commit.Aside:
			l.order(wire.TypeBack, c)
		default:
			ended = l.took(c, r, nil)
		}
	}
	l.mu.Unlock()
	l.out.Flush()
	for _, op := range ended {
		op.Finish()
	}
}

// makeRoom frees c's place in its window for those kept back; whoever calls it
// flushes.
func (l *link) makeRoom(c *call) (begun bool) {
	w := c.window()
	if w == nil {
		return false
	}
	w.leave(c)
	return l.beginKept(w)
}

// onLooked ends a look.
func (d *dispatcher) onLooked(c *call, f *wire.Looked) error {
	if c.kind != driver.OpLook || int(f.Ready) > c.count {
		return wire.Unexpected(wire.TypeLooked, "as the answer to something else")
	}
	delete(d.link.calls, c.id)
	if c.op != nil {
		c.op.Ready, c.op.Times = int(f.Ready), f.Times
		d.ended = c.finished(d.ended, nil)
	}
	return nil
}
