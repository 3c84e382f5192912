package shm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
)

// A value is buried in another segment, the dead letter, and no transaction spans two
// segments. So it is done in four, each by the one who holds the value at that moment, and
// each of which may be his last:
//
//  1. Here: the hold becomes a burial, which nobody ends but its holder, or who clears that
//     one away when it has died.
//  2. There: the value is put into a slot, and in the same transaction its identity is
//     written into the table of burials. Where it stands there already, nothing is done.
//  3. Here: the value leaves the line.
//  4. There: the entry is free.
//
// A holder that dies before 2 leaves a value that comes back as any held one. If it dies
// after 2, whoever clears it away finds the entry, and goes on with 3. So the value is in
// exactly one of the two places for all who receive, wherever anybody is killed.

// tombs is how many burials a table remembers for each member there can be. Every one that
// lives has at most one under way; the rest are of those who died between 2 and 4, and
// whose entries nobody has needed yet. When all are taken the oldest is forgotten.
const tombs = 2

// Of an entry of the table of burials.
const (
	buryID    = iota // four words: the incarnation of the segment the value comes from
	_                //
	_                //
	_                //
	buryLow          // number of the value there
	buryHigh         //
	buryTurn         // counts the burials, from 1; 0: the entry is free
	buryWords = 8
)

// identity names a value for all time: its segment, and the number of its first hand-out there.
type identity struct {
	born  [16]byte
	order uint64
}

// burial is a value that this member holds and has to bury.
type burial struct {
	e        uint32
	op, why  string // why its hold ended, for the event if it goes back
	reason   string // what the dead letter says
	settling bool   // its receiver rejects it, and is told if the dead letter has no room
	heir     bool   // another holder died over it, who may have buried it
}

const exhausted = "attempts exhausted"

// exhaustedReason is wRecord of a rejected send whose reason that is: it needs no record.
const exhaustedReason = 1<<32 - 3

// DeadType is the fingerprint of the dead letters of values with this one.
func DeadType(fingerprint string) string {
	if fingerprint == "" {
		return ""
	}
	return codec.DeadFingerprint(fingerprint)
}

// isExhausted reports whether e was handed out as often as it may be.
func (t *tx) isExhausted(e uint32) bool {
	return t.s.maxAttempts > 0 && t.tries(e) >= t.s.maxAttempts
}

// bury makes the hold of e a burial by this member. What follows is done by dig, once the
// transaction is committed.
func (t *tx) bury(b burial) {
	t.state(b.e, inHeld, t.e(b.e, eState)&(withSlot|wasHanded|isOrphan)|isBurying, t.m.index)
	if !b.settling {
		t.add2(b.e, eHold)
	}
	t.burials = append(t.burials, b)
}

// mayBury reports whether e, which is held, goes to the dead letter if it is not wanted: its
// sender does not wait for it any more.
func (t *tx) mayBury(e uint32) bool {
	return t.m.about.Grave != nil && t.e(e, eFrom) == 0
}

// dig ends the burials that the last transactions have begun. The error is that of one whose
// receiver rejects it.
func (m *Member) dig(o *outcome) (rejected error) {
	for len(m.burials) > 0 {
		b := m.burials[0]
		m.burials = m.burials[1:]
		err := m.inter(o, b)
		if b.settling {
			rejected = err
		}
	}
	m.burials = nil
	return rejected
}

// inter ends the burial b: the value is in the dead letter and nowhere else, or held or back as
// if nothing had been.
func (m *Member) inter(o *outcome, b burial) error {
	g := m.about.Grave
	id := m.identityOf(b.e)
	if o.grave == nil {
		o.grave = new(outcome)
	}
	var err error
	if b.heir {
		var found bool
		if found, err = g.isBuried(o.grave, id); err == nil && !found {
			return m.do(o, func(t *tx) {
				if t.isMine(b.e) {
					t.unbury(b.e)
					t.lost(b.e, b.op, b.why)
					t.move()
				}
			})
		}
	} else {
		err = g.receiveDead(o.grave, id, func() (driver.Item, error) { return m.deadItem(b) })
	}
	gone := false
	if err == nil {
		err = m.do(o, func(t *tx) {
			if gone = t.isMine(b.e); gone {
				t.interred(b.e, b.reason)
			}
		})
		m.point(PointInterred)
		g.forgetBurial(o.grave, id)
		return err
	}
	return m.refused(o, b, err)
}

// refused undoes b, which the dead letter has refused for why. A receiver that rejects has its
// hold as it was; without one the value returns to its place, as it would be lost otherwise.
func (m *Member) refused(o *outcome, b burial, why error) error {
	err := m.do(o, func(t *tx) {
		if !t.isMine(b.e) {
			return
		}
		t.unbury(b.e)
		if !b.settling {
			t.back(b.e, b.op, b.why+"; dead letter: "+why.Error())
			t.move()
		}
	})
	switch {
	case err != nil:
		return err
	case errors.Is(why, driver.ErrFull):
		return why
	}
	// Its error is not this channel's: a closed dead letter closes nothing here.
	return fmt.Errorf("dead letter: %v", why)
}

// isMine reports whether e is under burial by this member.
func (t *tx) isMine(e uint32) bool {
	return t.kind(e) == inHeld && t.is(e, isBurying) && t.holder(e) == t.m.index
}

// unbury makes the burial of e a hold again.
func (t *tx) unbury(e uint32) { t.setE(e, eState, t.e(e, eState)&^isBurying) }

// interred ends e, which is in the dead letter.
func (t *tx) interred(e uint32, reason string) {
	t.add(gRejected, 1)
	t.tell(driver.EventRejected, "reject", reason, t.tries(e))
	t.tell(driver.EventDeadLetter, "reject", reason, t.tries(e))
	t.unhold(e)
	if !t.is(e, isOrphan) {
		t.unlink(e)
		t.add(gBuried, 1)
	}
	t.setE(e, eFrom, 0)
	t.free(e)
	t.move()
}

// identityOf is that of e, which was handed out.
func (m *Member) identityOf(e uint32) identity {
	at := m.s.geometry.recordAt + e*recordWords
	high := uint64(uint32(m.s.load(at+eTries)) >> 16)
	return identity{m.s.born, high<<32 | uint64(uint32(m.s.load(at+eOrder)))}
}

// deadItem is the value of b as its dead letter carries it.
func (m *Member) deadItem(b burial) (driver.Item, error) {
	h, v, ok := m.s.read(b.e)
	if !ok {
		m.s.damage("a value that is longer than its memory")
		return driver.Item{}, m.s.damaged()
	}
	tries := int(m.s.load(m.s.geometry.recordAt+b.e*recordWords+eTries) & 0xffff)
	fate := codec.AppendFate(nil, codec.Fate{Reason: b.reason, Attempts: tries, From: m.about.Title})
	return driver.Item{Value: append(fate, v...), Header: parseHeader(h)}, nil
}

// receiveDead puts the item of a value of another segment into a slot of this one, unless it was
// done before. It is ErrFull if no slot is free.
func (g *Member) receiveDead(o *outcome, id identity, item func() (driver.Item, error)) error {
	it, err := item()
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.settleDown(o)
	if g.detached {
		return driver.ErrDetached
	}
	var found bool
	items := []driver.Item{it}
	err = g.doWith(o, func() error { _, err := g.stage(items); return err }, func(t *tx) {
		if _, found = t.tomb(id); found {
			return
		}
		if t.get(gClosed) == 0 && (t.get(gNoSlot) != 0 || t.used() >= t.s.slots) {
			t.result = resFull
			return
		}
		t.setTomb(id)
		if t.send(1, false, false); t.result != resOK {
			t.clearTomb(id)
		}
	})
	t := &g.t
	sent := err == nil && !found && t.result == resOK
	if !sent {
		g.unstage(1)
	}
	if err == nil && t.result == resFull {
		return driver.ErrFull
	}
	if err == nil {
		err = errOf(t.result)
	}
	g.point(PointBuried)
	return err
}

// isBuried reports whether the burial of id is known here.
func (g *Member) isBuried(o *outcome, id identity) (found bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.detached {
		return false, driver.ErrDetached
	}
	err = g.do(o, func(t *tx) { _, found = t.tomb(id) })
	return found, err
}

// forgetBurial frees the entry of id, whose value has left its segment.
func (g *Member) forgetBurial(o *outcome, id identity) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.detached {
		g.do(o, func(t *tx) { t.clearTomb(id) })
	}
}

func (t *tx) tombAt(i uint32) uint32 { return t.s.geometry.buryAt + i*buryWords }

// tomb returns the entry of id.
func (t *tx) tomb(id identity) (at uint32, ok bool) {
	for i := range t.s.members * tombs {
		if at = t.tombAt(i); t.get(at+buryTurn) != 0 && t.get(at+buryLow) == uint32(id.order) && t.isTombOf(at, id) {
			return at, true
		}
	}
	return 0, false
}

func (t *tx) isTombOf(at uint32, id identity) bool {
	same := t.get(at+buryHigh) == uint32(id.order>>32)
	for k := range uint32(4) {
		same = same && t.get(at+buryID+k) == binary.LittleEndian.Uint32(id.born[4*k:])
	}
	return same
}

// setTomb enters id, in the place of the oldest if all are taken.
func (t *tx) setTomb(id identity) {
	turn := t.add(gTombs, 1)
	if turn == 0 {
		turn = t.add(gTombs, 1)
	}
	at, age := t.tombAt(0), uint32(0)
	for i := range t.s.members * tombs {
		had := t.get(t.tombAt(i) + buryTurn)
		if had == 0 {
			at = t.tombAt(i)
			break
		}
		if turn-had > age {
			at, age = t.tombAt(i), turn-had
		}
	}
	for k := range uint32(4) {
		t.set(at+buryID+k, binary.LittleEndian.Uint32(id.born[4*k:]))
	}
	t.set(at+buryLow, uint32(id.order))
	t.set(at+buryHigh, uint32(id.order>>32))
	t.set(at+buryTurn, turn)
}

func (t *tx) clearTomb(id identity) {
	if at, ok := t.tomb(id); ok {
		t.set(at+buryTurn, 0)
	}
}
