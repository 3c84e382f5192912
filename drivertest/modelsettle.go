package drivertest

import "slices"

// The rest of the reference: what settles, ends and closes.

// heldBy finds the value that op holds.
func (w *world) heldBy(op int) (ch, i int) {
	for ch := range w.chans {
		i := slices.IndexFunc(w.chans[ch].line, func(v refValue) bool { return v.holder == op })
		if i >= 0 {
			return ch, i
		}
	}
	return -1, -1
}

// done confirms what op holds.
func (w *world) done(op int) string {
	ch, i := w.heldBy(op)
	if ch < 0 {
		return settledE
	}
	w.confirm(ch, i, 0)
	return okay
}

// giveBack returns what op holds to its place.
func (w *world) giveBack(op int) string {
	ch, i := w.heldBy(op)
	if ch < 0 {
		return settledE
	}
	c := &w.chans[ch]
	v := &c.line[i]
	if v.orphan {
		return abandoned
	}
	if c.closed && !v.slot {
		k := v.sender
		c.line = slices.Delete(c.line, i, i+1)
		w.end(k.op, closed)
		return okay
	}
	v.holder = -1
	if len(c.recvq) > 0 { // so nothing else is ready
		r := c.recvq[0]
		w.win(r)
		w.take(r, c.next(), w.arm(r).room)
		w.filled(r)
	}
	return okay
}

// refuse rejects what op holds. There is no dead letter here.
func (w *world) refuse(op int) string {
	ch, i := w.heldBy(op)
	if ch < 0 {
		return settledE
	}
	c := &w.chans[ch]
	v := c.line[i]
	if v.orphan {
		return abandoned
	}
	c.line = slices.Delete(c.line, i, i+1)
	if v.slot {
		w.promote(ch)
		w.checkDrained(ch)
	} else {
		w.end(v.sender.op, rejected)
	}
	return okay
}

// close closes channel ch.
func (w *world) close(ch int) string {
	c := &w.chans[ch]
	if c.closed {
		return closed
	}
	c.closed = true
	for {
		i := slices.IndexFunc(c.line, func(v refValue) bool { return !v.slot && v.holder < 0 })
		if i < 0 {
			break
		}
		k := c.line[i].sender
		w.win(k)
		c.line = slices.DeleteFunc(c.line, func(v refValue) bool { return v.sender == k })
		w.end(k.op, closed)
	}
	w.checkDrained(ch)
	return okay
}

// cancel ends the context of op, if it still waits.
func (w *world) cancel(op int) {
	if w.ops[op].done {
		return
	}
	out := cancelled
	for i := range w.chans {
		c := &w.chans[i]
		c.recvq = slices.DeleteFunc(c.recvq, func(x refCase) bool { return x.op == op })
		for j := range c.line {
			if v := &c.line[j]; v.sender.op == op && v.holder >= 0 {
				v.sender, v.orphan, out = nobody, true, doubtful
			}
		}
		c.line = slices.DeleteFunc(c.line, func(v refValue) bool { return v.sender.op == op })
	}
	w.end(op, out)
}

// settle lets batch receives that were completed take what else is there.
func (w *world) settle() {
	for _, op := range w.topUp {
		k := refCase{op, w.ops[op].chosen}
		a := w.arm(k)
		c := &w.chans[a.ch]
		for len(w.ops[op].got) < a.room && len(c.recvq) == 0 {
			i := c.next()
			if i < 0 {
				break
			}
			w.take(k, i, a.room-len(w.ops[op].got))
		}
	}
	w.topUp = nil
}
