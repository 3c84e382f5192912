package shm

import (
	"github.com/handoff-go/handoff/driver"
)

// fetched is a waiter whose end was fetched from the segment.
type fetched struct {
	w       uint32
	kind    uint32
	result  result
	n       int
	reason  uint32
	records int  // how many of tx.taken are its
	more    bool // it has got more, which is still to be fetched
	asked   bool // it is an offer that still waits, and is asked for
}

// collect ends the operations of this member that something has happened to.
func (m *Member) collect() {
	var o outcome
	m.mu.Lock()
	m.look(&o)
	m.leave(&o)
}

// maxRounds is more than any list takes that is one.
const maxRounds = 1 << 16

// look is collect under the lock.
func (m *Member) look(o *outcome) {
	for rounds := 0; !m.detached && uint32(m.s.load(m.s.memberWord(m.index)+mDone)) != 0; rounds++ {
		if rounds > maxRounds {
			m.s.damage("a list of what has happened without an end")
			return
		}
		if m.do(o, m.fetchDone) != nil {
			return
		}
		m.point(PointHeard)
		// What was received lies on the stack, where a send that goes on puts its values: it
		// is read first.
		m.heard = append(m.heard[:0], m.t.taken...) // what ends may begin a transaction
		records, again := m.heard, []*driver.Op(nil)
		for _, f := range m.fetched {
			mine := records[:f.records]
			records = records[f.records:]
			if f.w < uint32(len(m.calls)) && m.calls[f.w] != nil && !f.asked {
				if op := m.ended(o, m.calls[f.w], f, mine); op != nil {
					again = append(again, op)
				}
			}
		}
		m.askedFor(o)
		// Not before: they may wait again, and by waiters that were fetched just now.
		for _, op := range again {
			m.goOn(o, op)
		}
	}
}

// goOn goes on with op: a batch that has not sent all, or a receive that may have more.
func (m *Member) goOn(o *outcome, op *driver.Op) {
	if op.Kind == driver.OpSend {
		m.sendRest(o, op)
	} else if !m.takeRest(o, op, kindOf(op.Kind)) {
		m.end(o, op, nil)
	}
}

// askedFor answers what was asked for among what was fetched. It may fetch more.
func (m *Member) askedFor(o *outcome) {
	var ask [16]*call
	var ws [16]uint32
	n := 0
	for _, f := range m.fetched {
		if f.asked && n < len(ask) && f.w < uint32(len(m.calls)) {
			ask[n], ws[n] = m.calls[f.w], f.w
			n++
		}
	}
	for i, c := range ask[:n] {
		if c != nil && ws[i] < uint32(len(m.calls)) && m.calls[ws[i]] == c && c.sel != nil {
			m.asked(o, c, ws[i])
		}
	}
}

// fetchDone takes waiters from the list of what has happened. What a plain receive was handed
// by another process is confirmed now: it has arrived.
func (m *Member) fetchDone(t *tx) {
	m.fetched = m.fetched[:0]
	at := m.s.memberWord(m.index)
	for asked := 0; t.room(2*stepWrites) && asked < 16; {
		w := t.get(at + mDone)
		if w == 0 {
			break
		}
		f := fetched{w: w, kind: t.wKind(w), result: result(t.w(w, wResult)), n: int(t.w(w, wCount))}
		if t.phase(w) == phaseWaiting {
			f.asked = true
			asked++
			t.untell(w)
			m.fetched = append(m.fetched, f)
			continue
		}
		m.fetchOne(t, &f)
		if !f.more {
			t.unnotice(w, 0, m.index)
			t.dropWaiter(w)
		}
		m.fetched = append(m.fetched, f)
	}
	t.move()
}

func (m *Member) fetchOne(t *tx, f *fetched) {
	switch f.kind {
	case waitSend:
		if f.result == resRejected {
			if f.reason = t.w(f.w, wRecord); t.isRecord(f.reason) {
				t.push(f.reason)
			}
		}
	case waitRecv, waitTake:
		e := t.w(f.w, wRecord)
		for ; e != 0 && t.room(stepWrites); f.records++ {
			next := t.e(e, eChain)
			if f.kind == waitRecv {
				if t.kind(e) == inHeld {
					t.unhold(e)
					t.confirm(e)
				}
				t.push(e)
			} else if t.due == 0 {
				t.due = m.s.dueOf(e)
			}
			t.taken = append(t.taken, e)
			e = next
		}
		if e != 0 {
			t.setW(f.w, wRecord, e)
			f.more = true
		}
	}
}

// ended ends the operation of c. It returns one that has to go on.
func (m *Member) ended(o *outcome, c *call, f fetched, records []uint32) (again *driver.Op) {
	if c.sel != nil {
		m.completed(o, c, f, records)
		return nil
	}
	op := c.op
	m.paid.waited(m.rungAt() - c.since)
	var err error
	switch {
	case f.result == resNotReady:
		op.NotReady = len(op.Got) == 0
		m.forget(c)
		m.end(o, op, nil)
		return nil
	}
	switch f.kind {
	case waitSend:
		op.N = c.base + f.n
		switch {
		case f.result == resRejected:
			err = driver.Because(driver.ErrRejected, "%s", m.text(f.reason))
		case f.result != resOK:
			err = errOf(f.result)
		case op.N < len(op.Items):
			m.forget(c)
			return op
		}
	case waitStop:
		op.Reason = m.s.stopReason()
	default:
		if err = errOf(f.result); err == nil {
			err = m.readInto(op, records, f.kind)
		}
		if f.more && err == nil {
			return nil
		}
		if err == nil && len(op.Got) < op.Max {
			m.forget(c)
			return op
		}
	}
	m.forget(c)
	m.end(o, op, err)
	return nil
}

// text is what the record e, on the stack, says.
func (m *Member) text(e uint32) string {
	switch {
	case e == exhaustedReason:
		return exhausted
	case e == 0 || e > m.s.records:
		return ""
	}
	_, v, _ := m.s.read(e)
	m.readOut(e)
	return string(v)
}
