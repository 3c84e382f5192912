package shm

import "github.com/handoff-go/handoff/driver"

// The free records of a member are its stack: one word says which is on top. A value
// is written into the records on top before the transaction that puts them in line, and
// read out of those that a transaction has put on top: nobody else touches them in
// between, and if the member dies there, they are still on its stack. Free records
// of nobody lie in magazines of a few, which change hands as one.

// push puts e on top of this member's stack.
func (t *tx) push(e uint32) {
	at := t.me(mStack)
	t.state(e, inReady, withSlot, 0) // held by nobody, and most often what it will be next
	t.setE(e, eNext, t.get(at))
	t.set(at, e)
	t.pushed++
}

// ready makes e, which is on this member's stack, a value with a slot that nobody has, behind prev, as
// a value is written there: at once, and for nothing if the transaction is not committed. A block is
// on the stack only once the transaction is.
func (t *tx) ready(e, prev uint32) {
	at := t.recordAt(e)
	if t.bad != "" {
		return
	}
	set := t.mine
	if t.lends {
		set = t.set
	}
	set(at+eState, inReady|withSlot)
	set(at+ePrev, prev)
	set(at+eFrom, 0)
	set(at+eTries, 0)
}

// mine writes a word that nobody else uses. It keeps its version, so who is late with writing what a
// transaction before has changed still sees that it is written. A word that this transaction changes
// is one of its words: it is swapped for what it was.
func (t *tx) mine(off, v uint32) {
	if t.find(off) >= 0 {
		t.set(off, v)
		return
	}
	if old := t.s.load(off); uint32(old) != v {
		if t.s.step != nil {
			t.s.step(t.m)
		}
		t.s.note(off, old&^(1<<32-1)|uint64(v))
	}
}

// pop takes the record on top.
func (t *tx) pop() uint32 {
	at := t.me(mStack)
	e := t.get(at)
	t.set(at, t.e(e, eNext))
	t.pushed--
	return e
}

// free ends e, whatever it was: its memory and it itself can be used again.
func (t *tx) free(e uint32) {
	t.freePages(e)
	t.push(e)
}

// fetch sees to it that there are n records on the stack.
func (m *Member) fetch(n int) error {
	m.tidy() // or pages of a value that is gone would be freed under the next one
	for m.free < n {
		t := &m.t
		t.begin()
		e, got := t.get(gFree), 0
		if e != 0 {
			if got = int(t.e(e, eFrom)); got > int(m.s.records) {
				t.fail("a magazine of too many")
				got = 0
			}
			t.set(gFree, t.e(e, eChain))
			t.setE(e, eFrom, 0)
			last := e
			for i := 1; i < got; i++ {
				last = t.e(last, eNext)
			}
			t.setE(last, eNext, t.get(t.me(mStack)))
			t.set(t.me(mStack), e)
		}
		if t.bad == "" && e == 0 {
			if !t.commit() {
				continue
			}
			return driver.Because(driver.ErrFull, "no record of the segment is free: too many values are held or wait (waiters=)")
		}
		if t.commit() {
			m.free += got
		} else if err := m.s.damaged(); err != nil {
			return err
		}
	}
	return nil
}

// give gives back the records that the member has too many of.
func (m *Member) give() {
	for m.free > keepRecords {
		n := min(m.free-keepRecords/2, 4*keepRecords)
		t := &m.t
		t.begin()
		t.magazine(n)
		if t.commit() {
			m.free -= n
		} else if m.s.damaged() != nil {
			return
		}
	}
}

// magazine makes a magazine of the n records on top of the stack.
func (t *tx) magazine(n int) {
	at := t.me(mStack)
	e := t.get(at)
	last := e
	for i := 1; i < n; i++ {
		last = t.e(last, eNext)
	}
	t.set(at, t.e(last, eNext))
	t.setE(last, eNext, 0)
	t.setE(e, eFrom, uint32(n))
	t.setE(e, eChain, t.get(gFree))
	t.set(gFree, e)
}
