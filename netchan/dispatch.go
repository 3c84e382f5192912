package netchan

import (
	"bytes"
	"slices"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// read handles frames until the connection ends, and returns why it did. It lets
// others read meanwhile, who wait for the only operation there is.
func (l *link) read() error {
	d := &l.dispatcher
	d.link = l
	for {
		if err := d.step(l.out.Flush); err != nil {
			return err
		}
		if d.lends && !l.in.Ready() && l.lend() {
			if err := l.awaitBack(); err != nil {
				return err
			}
		}
	}
}

// dispatcher is the own room of who reads.
type dispatcher struct {
	link    *link
	end     wire.End
	deliver wire.Deliver
	order   wire.Order
	ended   []*driver.Op // to be finished once mu is free
	wrote   bool         // frames were added and not flushed

	performed bool // the call of the last frame was
	lends     bool // and no other is out
}

// step handles the next frame, and others that have come with it. What it has to say
// goes out by flush, once all are handled.
func (d *dispatcher) step(flush func()) error {
	l := d.link
	h, body, err := l.in.Next()
	if err != nil {
		return err
	}
	err = d.handle(h, body)
	finish(d.ended)
	clear(d.ended)
	d.ended = d.ended[:0]
	if err != nil || l.in.Ready() {
		return err
	}
	if l.to.resume > 0 {
		l.out.Received(l.in.Received())
	}
	if d.wrote {
		flush()
		d.wrote = false
	}
	return nil
}

// mostAtOnce is how many frames are handled under one lock.
const mostAtOnce = 64

// handle handles a frame and those behind it that are there, up to one of the session.
func (d *dispatcher) handle(h wire.Header, body []byte) (err error) {
	l := d.link
	if h.Type.OfSession() {
		return d.dispatch(h, body)
	}
	l.mu.Lock()
	l.handling = true
	for n := 1; ; n++ {
		if err = d.dispatch(h, body); err != nil || n == mostAtOnce || !l.in.Ready() {
			break
		}
		if h, body, err = l.in.Next(); err != nil || h.Type.OfSession() {
			break
		}
	}
	l.handling = false
	d.lends = d.performed && len(l.calls) == 0
	l.mu.Unlock()
	if err == nil && h.Type.OfSession() {
		err = d.dispatch(h, body)
	}
	return err
}

// dispatch handles one frame, under mu if it is not of the session.
func (d *dispatcher) dispatch(h wire.Header, body []byte) error {
	l := d.link
	switch h.Type {
	case wire.TypeEnd:
		if err := d.end.Parse(h, body); err != nil {
			return err
		}
		return d.withCall(h, d.end.Channel, d.end.Op, d.onEnd)
	case wire.TypeDeliver:
		if err := d.deliver.Parse(h, body); err != nil {
			return err
		}
		return d.withCall(h, d.deliver.Channel, d.deliver.Op, d.onDeliver)
	case wire.TypeChosen:
		f, err := wire.ParseChosen(h, body)
		if err != nil {
			return err
		}
		return d.withCall(h, f.Channel, f.Op, func(c *call) error { return d.onChosen(c, f) })
	case wire.TypeClaim, wire.TypeRelease, wire.TypeBind:
		return d.onClaim(h, body)
	case wire.TypeLooked:
		f, err := wire.ParseLooked(h, body)
		if err != nil {
			return err
		}
		return d.withCall(h, f.Channel, f.Op, func(c *call) error { return d.onLooked(c, f) })
	case wire.TypeOpened:
		f, err := wire.ParseOpened(h, body)
		if err != nil {
			return err
		}
		return d.answer(h, f.Channel, f.Op, answer{opened: f})
	case wire.TypeFigures:
		f, err := wire.ParseFigures(h, body)
		if err != nil {
			return err
		}
		return d.answer(h, f.Channel, f.Op, answer{stats: &f.Stats})
	case wire.TypeNames:
		f, err := wire.ParseNames(h, body)
		if err != nil {
			return err
		}
		return d.answer(h, 0, f.Op, answer{names: f})
	case wire.TypeFate:
		f, err := wire.ParseFate(h, body)
		if err != nil {
			return err
		}
		return d.answer(h, 0, f.Op, answer{fate: f})
	case wire.TypeAck:
		f, err := wire.ParseAck(h, body)
		if err != nil {
			return err
		}
		return l.out.Acked(f.Received)
	case wire.TypePing:
		f, err := wire.ParsePing(h, body)
		if err == nil && l.beat == 0 {
			err = wire.Unexpected(h.Type, "where there are no heartbeats")
		}
		if err == nil && !f.Answer {
			l.out.Ping(true)
		}
		return err
	case wire.TypeBye:
		f, err := wire.ParseBye(h, body)
		if err != nil {
			return err
		}
		return byeError{f}
	}
	if h.Type.Optional() {
		return nil
	}
	_, err := wire.Parse(h, body)
	if err == nil {
		err = wire.Unexpected(h.Type, "from the home at "+l.name)
	}
	return err
}

// withCall has do handle the frame with the call it answers.
func (d *dispatcher) withCall(h wire.Header, channel uint32, id uint64, do func(*call) error) error {
	c := d.link.calls[id]
	if c == nil || c.at.id != channel {
		return wire.Unexpected(h.Type, "for an operation that is not under way")
	}
	d.performed = c.performed
	return do(c)
}

// answer gives got to the call it answers, which is not an Op.
func (d *dispatcher) answer(h wire.Header, channel uint32, id uint64, got answer) error {
	return d.withCall(h, channel, id, func(c *call) error {
		if !got.answers(c.frame) {
			return wire.Unexpected(h.Type, "as the answer to something else")
		}
		if asked, ok := c.frame.(*wire.Open); ok && asked.MaxValue > 0 && got.opened.MaxValue != asked.MaxValue {
			return wire.Unexpected(h.Type, "with another maxvalue than was asked for")
		}
		delete(d.link.calls, id)
		d.ended = c.tell(d.ended, got)
		return nil
	})
}

// onEnd ends the call c by d.end.
func (d *dispatcher) onEnd(c *call) error {
	l, f := d.link, &d.end
	if f.N > 0 && (c.kind != driver.OpSend || int64(f.N) > int64(c.count)) {
		return wire.Unexpected(wire.TypeEnd, "with more values than were sent")
	}
	if c.ticketed() && c.outcome != nil && c.outcome.home {
		return wire.Unexpected(wire.TypeEnd, "of what has ended")
	}
	if _, isOpen := c.frame.(*wire.Open); isOpen && f.Code == wire.CodeDone {
		return wire.Unexpected(wire.TypeEnd, "that grants nothing to OPEN")
	}
	delete(l.calls, c.id) // from here on c is ended here, and nowhere else
	err := wire.Err(f.Code, f.Flags&wire.EndInDoubt != 0, f.Text, c.cause)
	if c.frame != nil {
		d.ended = c.tell(d.ended, answer{err: err})
		return nil
	}
	if c.ticketed() && c.op != nil {
		if err == nil {
			err = wire.Unexpected(wire.TypeEnd, "of an operation that has nothing and no reason")
		}
		d.wrote = true
		d.ended = l.answered(c, err, d.ended)
		return nil
	}
	d.leave(c)
	c.told(fault.Fate{N: int(f.N), Chosen: -1, Err: err})
	if c.kind == driver.OpSend {
		d.sent(c, err)
		l.reuse(c)
		return nil
	}
	if c.op == nil {
		return nil
	}
	c.op.NotReady = f.Flags&wire.EndNotReady != 0
	if (c.receives() || c.kind == driver.OpSelect || c.kind == driver.OpLook) && err == nil && !c.op.NotReady {
		err = wire.Unexpected(wire.TypeEnd, "of an operation that has nothing and no reason")
		d.ended = c.finished(d.ended, err)
		return err
	}
	if c.kind == driver.OpAwaitStop && err == nil {
		c.op.Reason = f.Text
	}
	if c.kind == driver.OpSelect && c.cause != nil && err == c.cause {
		d.ended = c.nothingChosen(d.ended)
		return nil
	}
	d.ended = c.finished(d.ended, err)
	return nil
}

// sent notes the end of a frame of values; the next one goes out if there are
// more and nothing stands against it.
func (d *dispatcher) sent(c *call, err error) {
	l, f := d.link, &d.end
	c.next += int(f.N)
	if c.op == nil {
		return
	}
	notReady := f.Flags&wire.EndNotReady != 0
	if err == nil && !notReady && int(f.N) == c.count && c.next < len(c.op.Items) {
		switch {
		case c.at.detached:
			err = fault.ErrDetached
		case c.cause != nil:
			err = c.cause
		}
		if err != nil {
			c.op.N = c.next
			d.ended = c.finished(d.ended, err)
			return
		}
		c.prepare()
		if w := c.window(); w == nil || w.enter(c) {
			l.begin(c)
			d.wrote = true
		}
		return
	}
	c.op.N, c.op.NotReady = c.next, notReady
	d.ended = c.finished(d.ended, err)
}

// leave frees c's place in its window for those kept back.
func (d *dispatcher) leave(c *call) {
	if d.link.makeRoom(c) {
		d.wrote = true
	}
}

// onDeliver gives the values in d.deliver to c, whose reader answers TAKEN with
// that. For a call that was cancelled the answer is the CANCEL that is on its
// way, and the home has the values again.
func (d *dispatcher) onDeliver(c *call) error {
	l, f := d.link, &d.deliver
	if !c.receives() {
		return wire.Unexpected(wire.TypeDeliver, "as the answer to something else")
	}
	if len(f.Items) > c.count {
		return wire.Unexpected(wire.TypeDeliver, "of more values than were asked for")
	}
	c.count -= len(f.Items)
	for i := range f.Items {
		if len(f.Items[i].Value) > c.at.maxValue {
			return wire.Unexpected(wire.TypeDeliver, "of a value that is longer than its channel lets through")
		}
	}
	more := f.Flags&wire.FlagMore != 0
	if c.op != nil {
		c.got = d.keep(c)
	}
	if more {
		return nil
	}
	delete(l.calls, c.id)
	d.leave(c)
	if c.op == nil {
		return nil
	}
	l.order(wire.TypeTaken, c)
	d.wrote = true
	c.op.Got = c.got
	d.ended = c.finished(d.ended, nil)
	l.reuse(c)
	return nil
}

// keep adds copies of the values in d.deliver, which lie in the reader's buffer,
// to those that came before.
func (d *dispatcher) keep(c *call) []driver.Item {
	got := c.got
	if got == nil {
		got = slices.Grow(c.op.Got[:0], len(d.deliver.Items))
	}
	before := len(got)
	got = wire.Keep(got, d.deliver.Items, d.link.in.Lasting())
	if c.kind == driver.OpRecv {
		for i := range got[before:] {
			got[before+i].Hold = driver.Hold{}
		}
	}
	return got
}

// owned is it, which lies in the reader's buffer, in memory of its own, for a
// receive of kind k.
func owned(it driver.Item, k driver.Kind) driver.Item {
	it.Value = bytes.Clone(it.Value)
	if k == driver.OpRecv {
		it.Hold = driver.Hold{}
	}
	return it
}
