package drivertest

import (
	"slices"
	"strconv"
)

// This file is the reference: channels as anybody would write them who need not
// care for speed. One goroutine, no locks, slices; every operation arrives, has
// its effect on all others at once, and is done or waits. The random laws make
// the same calls on the subject and here and compare after each; the recorded
// histories are checked against it.
//
// All of it is plain values that refer to each other by number, so that a whole
// world can be copied.

// world is some channels and all operations ever begun on them.
type world struct {
	chans []refChan
	ops   []refOp
	topUp []int // batch receives completed in this step: they take what is there
}

// refChan is one channel.
type refChan struct {
	slots  int
	closed bool
	// line holds every unconfirmed value in send order: first those that were
	// handed out, then those in slots, then those of blocked senders.
	line  []refValue
	recvq []refCase // receivers that wait, first come first
}

// refValue is one value in a line.
type refValue struct {
	v, attempt int
	slot       bool
	handed     bool    // was handed out at least once
	holder     int     // the operation that holds it, or -1
	sender     refCase // whose send waits for it; op -1 if none does
	orphan     bool    // held, and its sender gave up
}

// refCase is case idx of operation op.
type refCase struct{ op, idx int }

var nobody = refCase{-1, -1}

// outcome classes of an operation.
const (
	okay      = ""
	closed    = "closed"
	cancelled = "cancelled"
	doubtful  = "cancelled, in doubt"
	rejected  = "rejected"
	abandoned = "abandoned"
	settledE  = "settled"
	notReady  = "not ready"
)

// refOp is one operation: a select of one case or more.
type refOp struct {
	cases  []refArm
	done   bool
	chosen int
	n      int   // values sent
	got    []int // values received
	tries  int   // attempt of the value received last
	out    string
}

// refArm is one case: which channel, and what to do.
type refArm struct {
	ch   int
	kind armKind
	rest []int // values to send
	room int   // how many to receive
}

type armKind uint8

const (
	armSend armKind = iota
	armRecv
	armTake
	armDefault
)

func newWorld(slots ...int) *world {
	w := &world{}
	for _, n := range slots {
		w.chans = append(w.chans, refChan{slots: n})
	}
	return w
}

// clone copies the world.
func (w *world) clone() *world {
	c := &world{chans: slices.Clone(w.chans), ops: slices.Clone(w.ops)}
	for i := range c.chans {
		c.chans[i].line = slices.Clone(c.chans[i].line)
		c.chans[i].recvq = slices.Clone(c.chans[i].recvq)
	}
	for i := range c.ops {
		c.ops[i].cases = slices.Clone(c.ops[i].cases)
		c.ops[i].got = slices.Clone(c.ops[i].got)
	}
	return c
}

// key is equal for equal worlds.
func (w *world) key() string {
	b := make([]byte, 0, 256)
	num := func(ns ...int) {
		for _, n := range ns {
			b = append(strconv.AppendInt(b, int64(n), 36), ' ')
		}
	}
	yes := func(bs ...bool) {
		for _, t := range bs {
			b = strconv.AppendBool(b, t)
		}
	}
	for _, c := range w.chans {
		yes(c.closed)
		for _, v := range c.line {
			num(v.v, v.attempt, v.holder, v.sender.op, v.sender.idx)
			yes(v.slot, v.handed, v.orphan)
		}
		b = append(b, '|')
		for _, k := range c.recvq {
			num(k.op, k.idx)
		}
		b = append(b, '|')
	}
	for i, op := range w.ops {
		if op.cases == nil && op.out == "" {
			continue // not begun, or over
		}
		num(i, op.n, op.tries)
		num(op.got...)
		yes(op.done)
		b = append(b, op.out...)
	}
	return string(b)
}

func (c *refChan) used() int {
	n := 0
	for _, v := range c.line {
		if v.slot {
			n++
		}
	}
	return n
}

// length is what Len should say.
func (c *refChan) length() int {
	n := 0
	for _, v := range c.line {
		if v.slot && v.holder < 0 {
			n++
		}
	}
	return n
}

// next is the place of the value to be handed out next, or -1.
func (c *refChan) next() int {
	return slices.IndexFunc(c.line, func(v refValue) bool { return v.holder < 0 })
}

// begin adds an operation; it has not arrived yet.
func (w *world) begin(cases ...refArm) int {
	w.ops = append(w.ops, refOp{cases: cases, chosen: -1})
	return len(w.ops) - 1
}

// ready returns which cases of op could be committed now.
func (w *world) ready(op int) (ready []int) {
	withDefault := slices.ContainsFunc(w.ops[op].cases, func(a refArm) bool { return a.kind == armDefault })
	for i, a := range w.ops[op].cases {
		if a.kind == armDefault {
			continue
		}
		c := &w.chans[a.ch]
		var yes bool
		if a.kind == armSend {
			free := c.used() < c.slots
			yes = c.closed || free || len(c.recvq) > 0
			if withDefault && !c.closed && len(c.recvq) > 0 && !free {
				yes = w.arm(c.recvq[0]).kind != armTake // see L13 on TrySend
			}
		} else {
			yes = c.next() >= 0 || c.closed && c.used() == 0
		}
		if yes {
			ready = append(ready, i)
		}
	}
	return ready
}

func (w *world) arm(k refCase) *refArm { return &w.ops[k.op].cases[k.idx] }

// commit begins op with its ready case idx.
func (w *world) commit(op, idx int) {
	k := refCase{op, idx}
	w.ops[op].chosen = idx
	a := w.arm(k)
	switch {
	case a.kind == armDefault:
		w.end(op, okay)
	case a.kind == armSend && w.chans[a.ch].closed:
		w.end(op, closed)
	case a.kind == armSend:
		w.present(k)
	default:
		w.receive(k)
	}
}

// queue has op wait in the lines of all its cases.
func (w *world) queue(op int) {
	for i, a := range w.ops[op].cases {
		c := &w.chans[a.ch]
		if k := (refCase{op, i}); a.kind == armSend {
			c.line = append(c.line, offered(a.rest[0], k))
		} else {
			c.recvq = append(c.recvq, k)
		}
	}
}

func offered(v int, sender refCase) refValue { return refValue{v: v, holder: -1, sender: sender} }

// arrive begins a plain operation, and waits if it cannot be done at once.
func (w *world) arrive(op int) {
	if len(w.ready(op)) > 0 {
		w.commit(op, 0)
	} else {
		w.queue(op)
	}
}

// try begins a plain operation that does not wait.
func (w *world) try(op int) {
	w.ops[op].cases = append(w.ops[op].cases, refArm{kind: armDefault})
	if len(w.ready(op)) > 0 {
		w.commit(op, 0)
	} else {
		w.end(op, notReady)
	}
}

// end completes op.
func (w *world) end(op int, out string) {
	w.ops[op].done, w.ops[op].out = true, out
}

// win commits the waiting case k: its select leaves all other lines. Its own
// value stays where it is, its own place among the receivers is gone.
func (w *world) win(k refCase) {
	w.ops[k.op].chosen = k.idx
	for i := range w.chans {
		c := &w.chans[i]
		c.recvq = slices.DeleteFunc(c.recvq, func(x refCase) bool { return x.op == k.op })
		c.line = slices.DeleteFunc(c.line, func(v refValue) bool { return v.sender.op == k.op && v.sender != k })
	}
}

// present offers the values of sender k until all are gone or one must wait.
func (w *world) present(k refCase) {
	a := w.arm(k)
	c := &w.chans[a.ch]
	for {
		v := refValue{v: a.rest[0], holder: -1, sender: nobody, slot: true}
		switch free := c.used() < c.slots; {
		case len(c.recvq) > 0:
			r := c.recvq[0]
			w.win(r)
			if w.arm(r).kind != armTake {
				w.give(r, v.v, 1)
				w.filled(r)
				break
			}
			if !free {
				v.slot, v.sender = false, k
			}
			v.handed, v.holder, v.attempt = true, r.op, 1
			w.insertHanded(c, v)
			w.give(r, v.v, 1)
			w.filled(r)
			if !free {
				return // waits for the settlement
			}
		case free:
			w.insertSlot(c, v)
		default:
			c.line = append(c.line, offered(v.v, k))
			return
		}
		if w.sent(k); len(a.rest) == 0 {
			w.end(k.op, okay)
			return
		}
	}
}

// sent counts one value of k as out of custody.
func (w *world) sent(k refCase) {
	w.ops[k.op].n++
	a := w.arm(k)
	a.rest = a.rest[1:]
}

// insertHanded puts a value into the line behind all that were handed out,
// insertSlot behind all that have a slot or were handed out.
func (w *world) insertHanded(c *refChan, v refValue) {
	i := slices.IndexFunc(c.line, func(x refValue) bool { return !x.handed })
	if i < 0 {
		i = len(c.line)
	}
	c.line = slices.Insert(c.line, i, v)
}

func (w *world) insertSlot(c *refChan, v refValue) {
	i := slices.IndexFunc(c.line, func(x refValue) bool { return !x.handed && !x.slot })
	if i < 0 {
		i = len(c.line)
	}
	c.line = slices.Insert(c.line, i, v)
}

// give hands value v to receiver k.
func (w *world) give(k refCase, v, attempt int) {
	op := &w.ops[k.op]
	op.got, op.tries = append(op.got, v), attempt
}

// filled completes a waiting receiver that was given its first value.
func (w *world) filled(k refCase) {
	w.end(k.op, okay)
	if a := w.arm(k); a.room > 1 {
		w.topUp = append(w.topUp, k.op)
	}
}

// receive takes values for the committed receiver k, one of which is there.
func (w *world) receive(k refCase) {
	a := w.arm(k)
	c := &w.chans[a.ch]
	for len(w.ops[k.op].got) < a.room {
		i := c.next()
		if i < 0 {
			break
		}
		w.take(k, i, a.room-len(w.ops[k.op].got))
	}
	if len(w.ops[k.op].got) == 0 {
		w.end(k.op, closed)
		return
	}
	w.end(k.op, okay)
}

// take hands the value at place i to k. room is how many k still wants: a
// blocked batch of which k takes the first passes that many in its turn.
func (w *world) take(k refCase, i, room int) {
	a := w.arm(k)
	c := &w.chans[a.ch]
	v := &c.line[i]
	if v.sender.op >= 0 && !v.handed {
		w.win(v.sender) // may shorten the line before i
		i = c.next()
		v = &c.line[i]
	}
	v.attempt++
	w.give(k, v.v, v.attempt)
	if a.kind == armTake {
		v.handed, v.holder = true, k.op
		return
	}
	w.confirm(a.ch, i, room)
}

// confirm removes the value at place i.
func (w *world) confirm(ch, i, room int) {
	c := &w.chans[ch]
	v := c.line[i]
	c.line = slices.Delete(c.line, i, i+1)
	switch {
	case v.slot:
		w.promote(ch)
		w.checkDrained(ch)
	case v.sender.op < 0: // an orphan
	case v.handed:
		w.proceed(v.sender)
	default:
		w.endTurn(v.sender, room)
	}
}

// proceed goes on with the sender of a value that is out of custody.
func (w *world) proceed(k refCase) {
	w.sent(k)
	a := w.arm(k)
	switch {
	case len(a.rest) == 0:
		w.end(k.op, okay)
	case w.chans[a.ch].closed:
		w.end(k.op, closed)
	default:
		w.present(k)
	}
}

// endTurn goes on with a blocked sender whose value was taken from the line. If
// the taker wants more, the next value stands first; else it queues again.
func (w *world) endTurn(k refCase, room int) {
	w.sent(k)
	a := w.arm(k)
	c := &w.chans[a.ch]
	switch {
	case len(a.rest) == 0:
		w.end(k.op, okay)
	case room > 1:
		i := c.next()
		if i < 0 {
			i = len(c.line)
		}
		c.line = slices.Insert(c.line, i, offered(a.rest[0], k))
	default:
		c.line = append(c.line, offered(a.rest[0], k))
	}
}

// promote gives free slots to the oldest values without one.
func (w *world) promote(ch int) {
	c := &w.chans[ch]
	for c.used() < c.slots {
		i := slices.IndexFunc(c.line, func(v refValue) bool { return !v.slot && v.sender.op >= 0 })
		if i < 0 {
			return
		}
		v := &c.line[i]
		k := v.sender
		if v.handed {
			v.slot, v.sender = true, nobody
			w.proceed(k)
			continue
		}
		w.win(k)
		c.line = slices.DeleteFunc(c.line, func(v refValue) bool { return v.sender == k })
		w.fillSlots(k)
	}
}

// fillSlots is the turn of a blocked sender when a slot is free.
func (w *world) fillSlots(k refCase) {
	a := w.arm(k)
	c := &w.chans[a.ch]
	for c.used() < c.slots {
		w.insertSlot(c, refValue{v: a.rest[0], holder: -1, sender: nobody, slot: true})
		if w.sent(k); len(a.rest) == 0 {
			w.end(k.op, okay)
			return
		}
	}
	c.line = append(c.line, offered(a.rest[0], k))
}

// checkDrained tells waiting receivers that the channel is closed and empty.
func (w *world) checkDrained(ch int) {
	c := &w.chans[ch]
	for c.closed && c.used() == 0 && len(c.recvq) > 0 {
		r := c.recvq[0]
		w.win(r)
		w.end(r.op, closed)
	}
}
