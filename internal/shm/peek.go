package shm

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Seen is what somebody sees of a segment who is no member of it.
type Seen struct {
	Stats   driver.Stats
	Ended   bool // nobody joins any more
	Members []Attached
}

// Attached is a member as others see it.
type Attached struct {
	Name
	Pid           int
	Since         time.Time
	Send, Receive bool
}

// peeks is how often Peek tries to see one state of a channel that is in use.
const peeks = 1000

// Peek looks at the channel, in one state of it. It writes what a transaction that is committed has
// still to write, as anybody does, and nothing else. ErrContended if others were always faster.
func (s *Segment) Peek() (Seen, error) {
	t := tx{s: s}
	for range peeks {
		t.begin()
		seen := Seen{Stats: t.figures(), Ended: t.get(gDead) != 0}
		for i := range s.members {
			at := s.memberWord(i)
			state := t.get(at + mState)
			if state&memberJoined == 0 || state&memberReaps != 0 {
				continue
			}
			who := Attached{Name: Name{Index: i}, Pid: int(t.get(at + mPid)), Since: time.Unix(int64(t.get(at+mBirth)), 0),
				Send: state&memberSends != 0, Receive: state&memberTakes != 0}
			for k := range uint32(4) {
				v := t.get(at + mID + k)
				who.ID[4*k], who.ID[4*k+1], who.ID[4*k+2], who.ID[4*k+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
			}
			seen.Members = append(seen.Members, who)
		}
		if t.commit() {
			seen.Stats.AsOf = time.Now()
			return seen, nil
		}
		if err := s.damaged(); err != nil {
			return Seen{}, err
		}
	}
	return Seen{}, driver.ErrContended
}

// figures are those of the channel.
func (t *tx) figures() driver.Stats {
	wide := func(low, high uint32) uint64 { return uint64(t.get(high))<<32 | uint64(t.get(low)) }
	s := driver.Stats{
		Slots: int(t.s.slots), Len: int(t.used() - t.get(gHeldSlots)), Held: int(t.get(gHeld)),
		SendersWaiting: int(t.get(gSenders)), ReceiversWaiting: int(t.get(gReceivers)),
		Sent: wide(gSent, gSentHigh), Received: wide(gReceived, gReceivedHigh),
		Redelivered: uint64(t.get(gRedelivered)), Rejected: uint64(t.get(gRejected)),
		Closed: t.get(gClosed) != 0, Stopped: t.get(gStopped) != 0,
	}
	s.Senders, s.Receivers = t.rights()
	s.Matching = t.matching()
	return s
}

// matching reports whether something that waits could take effect, and has not only because the owner of
// an offer is still to answer, or that the owner of one has not heard yet what became of it. One that is
// passed over is still to answer, too: its ticket is claimed for something else.
func (t *tx) matching() bool {
	closed := t.get(gClosed) != 0
	for e := t.get(gNoSlot); e != 0; e = t.noSlotAfter(e) {
		if t.used() < t.s.slots || closed && t.kind(e) != inHeld {
			return true
		}
	}
	for w := t.get(gTakers); w != 0; w = t.w(w, wNext) {
		if closed && t.used() == 0 {
			return true
		}
		for e := t.get(gReady); e != 0; e = t.readyAfter(e) {
			if !t.sameTicket(w, t.e(e, eFrom)) {
				return true
			}
		}
	}
	for i := range t.s.members {
		for w := t.get(t.s.memberWord(i) + mDone); w != 0; w = t.w(w, wDone) {
			if t.w(w, wOffer)&(isOffer|isBound) != 0 {
				return true
			}
		}
	}
	return t.get(gWatch) != 0 && t.get(gStopped) != 0
}
