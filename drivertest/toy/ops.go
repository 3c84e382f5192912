package toy

import (
	"container/list"

	"github.com/handoff-go/handoff/driver"
)

// start begins op on a.
func (c *channel) start(a *attachment, op *driver.Op) {
	if op.Ticket != nil {
		c.end(op, driver.Because(driver.ErrUnsupported, "a select over several homes"))
		return
	}
	switch op.Kind {
	case driver.OpSend:
		c.send(a, op)
	case driver.OpRecv, driver.OpTake:
		c.receive(a, op)
	case driver.OpDone, driver.OpReturn, driver.OpReject:
		c.end(op, c.settle(a, op))
	case driver.OpClose:
		c.end(op, c.close())
	case driver.OpStop:
		if c.closed {
			c.end(op, driver.ErrClosed)
			return
		}
		c.stop(op.Reason)
		c.end(op, nil)
	case driver.OpAwaitStop:
		if op.Reason = c.reason; c.stopped {
			c.end(op, nil)
			return
		}
		c.wait(&c.watch, &waiter{op: op, at: a})
	default: // OpExtend, OpSelect, OpHeard, and what comes after this was written
		c.end(op, driver.ErrUnsupported)
	}
	c.move()
}

func (c *channel) send(a *attachment, op *driver.Op) {
	for _, it := range op.Items {
		if c.cfg.MaxValue > 0 && len(it.Value) > c.cfg.MaxValue {
			c.end(op, driver.ErrTooLarge)
			return
		}
	}
	switch {
	case !a.sends:
		c.end(op, driver.ErrDenied)
	case c.closed:
		c.end(op, driver.ErrClosed)
	case len(op.Items) == 0:
		c.end(op, nil)
	case op.Try && !c.takesOne():
		op.NotReady = true
		c.end(op, nil)
	default:
		w := &waiter{op: op, at: a}
		c.wait(&c.senders, w)
		c.offer(w)
	}
}

// takesOne reports whether a value that is sent now leaves its sender at once:
// there is a slot, or the first receiver is one that does not hold.
func (c *channel) takesOne() bool {
	if c.used < c.slots {
		return true
	}
	first := c.takers.Front()
	return first != nil && first.Value.(*waiter).op.Kind == driver.OpRecv
}

func (c *channel) receive(a *attachment, op *driver.Op) {
	switch {
	case !a.receives:
		c.end(op, driver.ErrDenied)
	case op.Max <= 0:
		c.end(op, nil)
	case op.Try && c.ready() == nil && !(c.closed && c.used == 0):
		op.NotReady = true
		c.end(op, nil)
	default:
		c.wait(&c.takers, &waiter{op: op, at: a}) // move ends it, if it can
	}
}

// settle ends the hold of op.
func (c *channel) settle(a *attachment, op *driver.Op) error {
	v := c.held[op.Hold]
	switch {
	case v == nil || v.by != a:
		return driver.ErrSettled
	case op.Kind == driver.OpDone:
		c.confirm(v)
	case v.elem == nil: // there is no sender to give it back to
		return driver.ErrAbandoned
	case op.Kind == driver.OpReject:
		c.reject(v, op.Reason)
	case op.Delay > 0:
		return driver.Because(driver.ErrUnsupported, "a toy has no clock")
	default:
		c.putBack(v)
	}
	return nil
}

// reject ends v: its receiver refuses it. A sender that waits has it back.
func (c *channel) reject(v *value, reason string) {
	c.count.Rejected++
	c.tell(driver.EventRejected, "reject", reason, v)
	c.remove(v)
	if v.from == nil {
		c.tell(driver.EventDropped, "reject", reason, v)
		return
	}
	c.finish(v.from, driver.Because(driver.ErrRejected, "%s", reason))
}

func (c *channel) close() error {
	if c.closed {
		return driver.ErrClosed
	}
	c.closed = true
	for e := c.senders.Front(); e != nil; {
		w := e.Value.(*waiter)
		if e = e.Next(); w.v.by == nil {
			c.remove(w.v)
			c.finish(w, driver.ErrClosed)
		}
	}
	return nil
}

// stop asks the senders to end. The first reason stays.
func (c *channel) stop(reason string) {
	if c.stopped {
		return
	}
	c.stopped, c.reason = true, reason
	c.tell(driver.EventStopped, "stop", reason, nil)
	for e := c.watch.Front(); e != nil; e = c.watch.Front() {
		w := e.Value.(*waiter)
		w.op.Reason = reason
		c.finish(w, nil)
	}
}

// giveUp ends w because of why. The value of a send that somebody holds stays
// with its holder, and the sender is in doubt.
func (c *channel) giveUp(w *waiter, why error) {
	if v := w.v; v != nil && v.by != nil {
		why = driver.Doubtful(why)
		c.tell(driver.EventAbandoned, "send", why.Error(), v)
		c.line.Remove(v.elem)
		v.elem, v.from = nil, nil
	} else if v != nil {
		c.remove(v)
	}
	c.finish(w, why)
}

// detach ends the attachment a.
func (c *channel) detach(a *attachment) {
	a.detached = true
	delete(c.ends, a)
	for _, l := range []*list.List{&c.senders, &c.takers, &c.watch} {
		for e := l.Front(); e != nil; {
			w := e.Value.(*waiter)
			if e = e.Next(); w.at == a {
				c.giveUp(w, driver.ErrDetached)
			}
		}
	}
	for _, v := range c.held {
		if v.by != a {
			continue
		}
		if v.elem == nil {
			c.remove(v)
			c.tell(driver.EventDropped, "detach", "its sender and its holder are gone", v)
			continue
		}
		c.tell(driver.EventReturned, "detach", "its holder detached", v)
		c.putBack(v)
	}
	senders, receivers := c.rights()
	if a.sends && senders == 0 && c.cfg.CloseWhenSendersGone && c.close() == nil {
		c.tell(driver.EventClosed, "detach", "the last sender is gone", nil)
	}
	if a.receives && receivers == 0 && !c.closed {
		c.stop("the last receiver is gone")
	}
	c.move()
}

// lose tells of the values that end with the channel.
func (c *channel) lose() {
	for e := c.line.Front(); e != nil; e = e.Next() {
		c.tell(driver.EventDropped, "detach", "the last attachment is gone", e.Value.(*value))
	}
}
