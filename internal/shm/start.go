package shm

import (
	"github.com/handoff-go/handoff/driver"
)

// start begins op. It ends in o, or waits.
func (m *Member) start(o *outcome, op *driver.Op) {
	switch {
	case m.detached:
		if op.Kind == driver.OpDone || op.Kind == driver.OpReturn || op.Kind == driver.OpReject || op.Kind == driver.OpExtend {
			m.end(o, op, driver.ErrSettled) // what it held has gone back
		} else {
			m.end(o, op, driver.ErrDetached)
		}
		return
	case m.about.Select == driver.SelectNone && (op.Kind == driver.OpSelect || op.Kind == driver.OpLook),
		op.Ticket != nil && op.Kind != driver.OpSelect, op.Plain, op.Unheard, op.Unseen, op.Bid != nil:
		m.end(o, op, driver.ErrUnsupported)
		return
	}
	switch op.Kind {
	case driver.OpSend:
		m.send(o, op)
	case driver.OpRecv:
		m.receive(o, op, waitRecv)
	case driver.OpTake:
		m.receive(o, op, waitTake)
	case driver.OpDone, driver.OpReturn, driver.OpReject, driver.OpExtend:
		m.settle(o, op)
	case driver.OpClose:
		m.simple(o, op, func(t *tx) {
			if t.get(gClosed) != 0 {
				t.result = resClosed
				return
			}
			t.close()
		})
	case driver.OpStop:
		m.stop(o, op)
	case driver.OpAwaitStop:
		m.awaitStop(o, op)
	case driver.OpSelect:
		m.choose(o, op)
	case driver.OpLook:
		m.lookAt(o, op)
	default:
		m.end(o, op, driver.ErrUnsupported)
	}
}

// errOf is the error of a result.
func errOf(r result) error {
	switch r {
	case resClosed:
		return driver.ErrClosed
	case resDetached:
		return driver.ErrDetached
	case resFull:
		return driver.Because(driver.ErrFull, "no more operations can wait in the segment (waiters=)")
	}
	return nil
}

// simple is an operation that ends at once.
func (m *Member) simple(o *outcome, op *driver.Op, build func(*tx)) {
	err := m.do(o, build)
	if err == nil {
		err = errOf(m.t.result)
	}
	m.end(o, op, err)
}

// atOnce is how many values of a batch one transaction offers at most.
const atOnce = 64

func (m *Member) send(o *outcome, op *driver.Op) {
	if !m.about.Send {
		m.end(o, op, driver.ErrDenied)
		return
	}
	for i := range op.Items {
		if n := len(op.Items[i].Value); n > m.s.maxValue {
			m.end(o, op, driver.Because(driver.ErrTooLarge, "%d bytes, maxvalue is %d", n, m.s.maxValue))
			return
		}
	}
	op.N = 0
	if op.Loan.ID != 0 {
		m.sendLoan(o, op)
		return
	}
	m.sendRest(o, op)
}

// sendRest sends what of op has not left yet.
func (m *Member) sendRest(o *outcome, op *driver.Op) {
	for op.N < len(op.Items) {
		base := op.N
		k := min(len(op.Items)-base, atOnce)
		var w uint32
		err := m.doWith(o, func() (err error) {
			k, err = m.stage(op.Items[base : base+k])
			return err
		}, func(t *tx) { w = t.send(k, op.Try, base+k < len(op.Items)) })
		t := &m.t
		if err == nil {
			err = errOf(t.result)
		} else {
			t.n = 0 // it was not committed
		}
		if err == nil && w != 0 {
			m.wait(op, w, base)
			return
		}
		op.N = base + t.n
		if err != nil || t.result == resNotReady {
			m.unstage(k - t.n)
			op.NotReady = err == nil
			m.end(o, op, err)
			return
		}
	}
	m.end(o, op, nil)
}

// stage fills the records on top of the stack with items, the first on top, as many as there
// are records for.
func (m *Member) stage(items []driver.Item) (int, error) {
	err := m.fetch(len(items))
	if err != nil && m.free == 0 {
		return 0, err
	}
	m.point(PointFetched)
	items = items[:min(len(items), m.free)]
	e := uint32(m.s.load(m.s.memberWord(m.index) + mStack))
	for i := range items {
		if e-1 >= m.s.records {
			m.s.damage("a stack that leads nowhere")
			return 0, m.s.damaged()
		}
		it := &items[i]
		m.header = appendHeader(m.header[:0], it.Header)
		if n := len(m.header) + len(it.Value); n > 8*inlineWords {
			if err := m.memory(e, n); err != nil {
				if i > 0 {
					return i, nil
				}
				return 0, err
			}
		}
		m.write(e, m.header, it.Value)
		e = uint32(m.s.load(m.s.geometry.recordAt + e*recordWords + eNext))
	}
	m.point(PointWritten)
	return len(items), nil
}

// unstage frees the memory of what was staged and not sent.
func (m *Member) unstage(k int) {
	e := uint32(m.s.load(m.s.memberWord(m.index) + mStack))
	for ; k > 0 && e-1 < m.s.records; k-- {
		m.readOut(e)
		e = uint32(m.s.load(m.s.geometry.recordAt + e*recordWords + eNext))
	}
}

// readOut notes that e, which is on the stack, needs its pages no longer.
func (m *Member) readOut(e uint32) {
	if uint32(m.s.load(m.s.geometry.recordAt+e*recordWords+eExtent)) != 0 {
		m.untidy = append(m.untidy, e)
	}
}

func (m *Member) receive(o *outcome, op *driver.Op, kind uint32) {
	switch {
	case !m.about.Receive:
		m.end(o, op, driver.ErrDenied)
		return
	case op.Max <= 0:
		m.end(o, op, nil)
		return
	}
	var w uint32
	err := m.do(o, func(t *tx) { w = t.receive(kind, min(op.Max, 1<<20), op.Try) })
	t := &m.t
	switch {
	case err != nil:
	case w != 0:
		m.wait(op, w, 0)
		return
	case t.result == resNotReady:
		op.NotReady = true
	default:
		if err = errOf(t.result); err == nil {
			m.point(PointTaken)
			err = m.readInto(op, t.taken, kind)
		}
		if err == nil && m.takeRest(o, op, kind) {
			return
		}
	}
	m.end(o, op, err)
}

// takeRest goes on with a receive of many that has got something: with what did not fit into one
// transaction, and with what is there when the offers before it have answered. It returns true if it
// waits for that.
func (m *Member) takeRest(o *outcome, op *driver.Op, kind uint32) (waits bool) {
	for len(op.Got) < op.Max && op.Kind != driver.OpSelect && uint32(m.s.load(gReady)) != 0 {
		var w uint32
		err := m.do(o, func(t *tx) {
			w = 0
			if t.result = resNotReady; t.mayGet(0, kind) {
				t.result = resOK
				w = t.receive(kind, op.Max-len(op.Got), true)
			}
		})
		switch {
		case err == nil && w != 0:
			m.wait(op, w, len(op.Got))
			return true
		case err != nil, m.t.result != resOK:
			return false // what it has got, it has
		}
		if m.readInto(op, m.t.taken, kind) != nil {
			return false
		}
	}
	return false
}

// readInto appends the values of records to op.Got. Those of a plain receive are on the stack.
func (m *Member) readInto(op *driver.Op, records []uint32, kind uint32) error {
	if op.InPlace && kind == waitTake {
		return m.showInto(op, records)
	}
	total := 0
	for _, e := range records {
		total += int(min(m.s.load(m.s.geometry.recordAt+e*recordWords+eSize)&(1<<32-1), uint64(m.s.maxValue)))
	}
	room := make([]byte, 0, total)
	if cap(op.Got)-len(op.Got) < len(records) {
		op.Got = append(make([]driver.Item, 0, len(op.Got)+len(records)), op.Got...)
	}
	for _, e := range records {
		h, v, ok := m.s.read(e)
		if !ok || len(v) > cap(room)-len(room) {
			m.s.damage("a value that is longer than its memory, or changes while it is read")
			return m.s.damaged()
		}
		start := len(room)
		room = append(room, v...)
		it := driver.Item{Value: room[start:len(room):len(room)], Header: parseHeader(h)}
		at := m.s.geometry.recordAt + e*recordWords
		it.Attempt = max(1, int(m.s.load(at+eTries)&0xffff))
		if kind == waitTake {
			it.Hold = driver.Hold{ID: uint64(e), Generation: m.s.load(at+eHold) & 0xffffffff}
		} else {
			m.readOut(e)
		}
		op.Got = append(op.Got, it)
	}
	return nil
}

func (m *Member) settle(o *outcome, op *driver.Op) {
	var reason uint32
	var settled error
	var prepare func() error
	if op.Kind == driver.OpReject {
		prepare = func() error { reason = m.stageText(op.Reason); return nil }
	}
	err := m.doWith(o, prepare, func(t *tx) { settled = t.settle(op.Kind, op.Hold, op.Delay, reason, op.Reason) })
	if err == nil {
		err = settled
	}
	m.unstage(1)
	if err == nil {
		err = m.dig(o)
	}
	if err == nil && op.InPlace && op.Kind != driver.OpExtend {
		m.s.lent.Add(-1)
	}
	m.end(o, op, err)
}

// stageText puts a record with text on the stack, cut if it has to be. It returns 0 if there is none.
func (m *Member) stageText(text string) uint32 {
	if text == "" || m.fetch(1) != nil {
		return 0
	}
	e := uint32(m.s.load(m.s.memberWord(m.index) + mStack))
	if e-1 >= m.s.records {
		m.s.damage("a stack that leads nowhere")
		return 0
	}
	if len(text) > 8*inlineWords && m.memory(e, min(len(text), 1<<16)) != nil {
		text = text[:8*inlineWords]
	}
	m.write(e, nil, []byte(text[:min(len(text), 1<<16)]))
	return e
}

func (m *Member) stop(o *outcome, op *driver.Op) {
	var reason uint32
	err := m.doWith(o, func() error { reason = m.stageText(op.Reason); return nil }, func(t *tx) {
		if t.get(gClosed) != 0 {
			t.result = resClosed
			return
		}
		t.stop(reason, op.Reason)
	})
	if err == nil {
		err = errOf(m.t.result)
	}
	m.unstage(1)
	m.end(o, op, err)
}

func (m *Member) awaitStop(o *outcome, op *driver.Op) {
	var w uint32
	err := m.do(o, func(t *tx) {
		if w = 0; t.get(gStopped) != 0 {
			return
		}
		if w = t.newWaiter(waitStop); w == 0 {
			t.result = resFull
			return
		}
		t.enlist(watches, w)
	})
	if err == nil {
		err = errOf(m.t.result)
	}
	if err == nil && w != 0 {
		m.wait(op, w, 0)
		return
	}
	op.Reason = m.s.stopReason()
	m.end(o, op, err)
}

// stopReason is the reason of the stop. Its record is never written again.
func (s *Segment) stopReason() string {
	e := uint32(s.load(gStopped))
	switch {
	case e == reasonGone:
		return lastGone
	case e == 0 || e > s.records:
		return ""
	}
	_, v, _ := s.read(e)
	return string(v)
}
