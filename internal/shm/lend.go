package shm

import "github.com/handoff-go/handoff/driver"

// A block is a record that a member has borrowed: out of the line and off its stack, with as
// much memory as it asked for. It is sent by going into the line as it is, and read where it lies.

// Borrow implements driver.Borrower.
func (m *Member) Borrow(n int) (driver.Loan, error) {
	var o outcome
	m.mu.Lock()
	defer m.leave(&o)
	switch {
	case m.detached:
		return driver.Loan{}, driver.ErrDetached
	case !m.about.Send:
		return driver.Loan{}, driver.ErrDenied
	case n < 0:
		return driver.Loan{}, driver.Because(driver.ErrConflict, "a block of %d bytes", n)
	case n > m.s.maxValue:
		return driver.Loan{}, driver.Because(driver.ErrTooLarge, "%d bytes, maxvalue is %d", n, m.s.maxValue)
	}
	if err := m.fetch(1); err != nil {
		return driver.Loan{}, err
	}
	var e uint32
	if err := m.do(&o, func(t *tx) { e = t.lend(n) }); err != nil {
		return driver.Loan{}, err
	}
	if e == 0 {
		return driver.Loan{}, driver.Because(driver.ErrFull, "%d bytes do not fit into what is left of the pool (pool=)", n)
	}
	at := m.s.geometry.recordAt + e*recordWords
	loan := driver.Loan{ID: uint64(e), Generation: m.s.load(at+eLoans) & 0xffffffff, Bytes: n}
	m.s.note(at+eSize, uint64(n))
	m.s.lent.Add(1)
	return loan, nil
}

// lend makes the record on top of the stack a block of n bytes. It returns 0 if there are not so many.
func (t *tx) lend(n int) (e uint32) {
	var p uint32
	if n > 8*inlineWords {
		if p = t.takePages(pagesFor(n)); p == 0 {
			return 0
		}
	}
	e = t.pop()
	t.freePages(e) // of a value that was staged here, and then elsewhere
	t.setE(e, eExtent, p)
	t.state(e, inLent, 0, t.m.index)
	t.add2(e, eLoans)
	return e
}

// isLent reports whether loan is one of this member's.
func (t *tx) isLent(loan driver.Loan) bool {
	e := uint32(loan.ID)
	return loan.ID-1 < uint64(t.s.records) && t.kind(e) == inLent && t.holder(e) == t.m.index && uint64(t.e(e, eLoans)) == loan.Generation
}

// repay frees the block of loan, if it is one.
func (t *tx) repay(loan driver.Loan) bool {
	if !t.isLent(loan) {
		return false
	}
	t.free(uint32(loan.ID))
	return true
}

// restore ends e, which is out of the line and has not left the custody of the send w: a block is on
// loan again, any other value is with its sender anyway.
func (t *tx) restore(e, w uint32) {
	t.setE(e, eFrom, 0)
	if t.w(w, wLent) != 0 {
		t.state(e, inLent, 0, t.wMember(w))
		return
	}
	t.free(e)
}

// Repay implements driver.Borrower.
func (m *Member) Repay(loan driver.Loan) error {
	var o outcome
	m.mu.Lock()
	defer m.leave(&o)
	if m.detached {
		return driver.ErrSettled // it has gone back
	}
	var was bool
	if err := m.do(&o, func(t *tx) { was = t.repay(loan) }); err != nil {
		return err
	}
	if !was {
		return driver.ErrSettled
	}
	m.s.lent.Add(-1)
	return nil
}

// Memory implements driver.Borrower.
func (m *Member) Memory(loan driver.Loan) []byte {
	return m.peek(loan.ID, inLent, eLoans, loan.Generation, loan.Bytes)
}

// Held implements driver.Borrower.
func (m *Member) Held(hold driver.Hold) []byte {
	return m.peek(hold.ID, inHeld, eHold, hold.Generation, -1)
}

// peek returns the n bytes of the record id, all there are if n is negative, if it is of that kind, this member's, and
// of that generation.
func (m *Member) peek(id uint64, kind, counter uint32, generation uint64, n int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.detached || id-1 >= uint64(m.s.records) {
		return nil
	}
	var is bool
	var o outcome
	e := uint32(id)
	m.do(&o, func(t *tx) {
		is = t.kind(e) == kind && t.holder(e) == m.index && uint64(t.e(e, counter)) == generation
	})
	if !is {
		return nil
	}
	if n < 0 {
		_, v, _ := m.s.read(e)
		return v[:len(v):len(v)]
	}
	if b := m.s.content(e); n <= len(b) {
		return b[:n:n]
	}
	return nil
}

// sendLoan sends the block op.Loan.
func (m *Member) sendLoan(o *outcome, op *driver.Op) {
	if len(op.Items) > 0 {
		m.end(o, op, driver.Because(driver.ErrUnsupported, "a block and values in one operation"))
		return
	}
	e := uint32(op.Loan.ID)
	var w uint32
	var was bool
	err := m.do(o, func(t *tx) {
		if was = t.isLent(op.Loan); !was {
			return
		}
		t.lends = true
		t.push(e)
		if w = t.send(1, op.Try, false); t.get(t.me(mStack)) == e { // it was not even offered
			t.pop()
			t.state(e, inLent, 0, m.index)
		}
	})
	t := &m.t
	switch {
	case err != nil:
	case !was:
		err = driver.ErrSettled
	case w != 0:
		m.wait(op, w, 0)
		return
	default:
		op.N, op.NotReady, err = t.n, t.result == resNotReady, errOf(t.result)
	}
	m.end(o, op, err)
}

// showInto appends the values of records, which are held, to op.Got where they lie.
func (m *Member) showInto(op *driver.Op, records []uint32) error {
	for _, e := range records {
		h, v, ok := m.s.read(e)
		if !ok {
			m.s.damage("a value that is longer than its memory")
			return m.s.damaged()
		}
		at := m.s.geometry.recordAt + e*recordWords
		op.Got = append(op.Got, driver.Item{Value: v[:len(v):len(v)], Header: parseHeader(h), Attempt: max(1, int(m.s.load(at+eTries)&0xffff)),
			Hold: driver.Hold{ID: uint64(e), Generation: m.s.load(at+eHold) & 0xffffffff}})
		m.s.lent.Add(1)
	}
	return nil
}
