package wire

import (
	"bytes"
	"slices"
)

// The figures of section 8.
const (
	ackEvery = 16 << 10 // how much is received before it is acknowledged
	maxKept  = 8 << 20  // how much may be written and not acknowledged
)

// session is what an Outbox knows of its session. It is guarded by the outbox's
// mu.
type session struct {
	keeps bool
	kept  kept   // what was given to the transport and not acknowledged
	head  []byte // what is before kept of the frame that begins there, if it does not
	given int    // bytes at its end of which the write still runs

	told   uint64 // the last position acknowledged to the other side
	due    uint64 // the position to acknowledge, if above told
	ack    []byte // an ACK and PINGs, or what is left of them, being written
	acking bool   // the write that runs is of ack

	asks, answers bool // PINGs to be written
}

// Keep makes the outbox keep what it has written until it is acknowledged. It is
// called before anything is written.
func (o *Outbox) Keep() {
	o.mu.Lock()
	o.session.keeps = true
	o.mu.Unlock()
}

// Kept returns how many bytes are kept until they are acknowledged.
func (o *Outbox) Kept() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.session.kept.length()
}

// stalled reports whether so much is not acknowledged that no more is written. mu
// is held.
func (o *Outbox) stalled() bool { return o.session.kept.length() >= maxKept && !o.ended }

// Received is told how far the stream of the other side was received and done,
// and acknowledges it when it is time.
func (o *Outbox) Received(position uint64) {
	o.mu.Lock()
	s := &o.session
	// Of a frame that came over two connections it was told before it was whole.
	due := s.keeps && position > s.told && position-s.told >= ackEvery
	if due {
		s.due = position
	}
	o.mu.Unlock()
	if due {
		o.Flush()
	}
}

// Ping asks the other side for a sign of life, or gives it one.
func (o *Outbox) Ping(answer bool) {
	o.mu.Lock()
	if answer {
		o.session.answers = true
	} else {
		o.session.asks = true
	}
	o.mu.Unlock()
	o.Flush()
}

// Acked is told that the other side has received everything before position.
func (o *Outbox) Acked(position uint64) error {
	o.mu.Lock()
	s := &o.session
	base, end := o.base(), o.written+uint64(s.given)
	if !s.keeps || position <= base || position > end {
		o.mu.Unlock()
		return broken("ACK: of %d, with %d to %d sent and not acknowledged", position, base, end)
	}
	waits := o.stalled()
	if free := s.kept.drop(int(position - base)); o.spare == nil && !o.writing && cap(free) <= keepBytes {
		o.spare = free
	}
	s.head = nil // it is the end of a frame
	o.mu.Unlock()
	if waits {
		o.Flush()
	}
	return nil
}

// base is the position where what is kept begins. mu is held.
func (o *Outbox) base() uint64 {
	return o.written + uint64(o.session.given) - uint64(o.session.kept.length())
}

// keep notes that b is given to the transport. It reports whether b itself is kept,
// and must not be written to any more.
func (s *session) keep(b []byte) (itself bool) {
	if s.keeps {
		itself = s.kept.add(b)
		s.given = len(b)
	}
	return itself
}

// unkeep notes that the write has ended and n bytes were not taken.
func (s *session) unkeep(n int) {
	if s.keeps {
		s.kept.cut(min(n, s.kept.length())) // it may have been acknowledged all the same, by a liar
		s.given = 0
	}
}

// Pause has Run end, now or when it is called, until Rewind: the transport is
// over. Frames are taken and kept. It does not end a write that is running;
// closing the transport does.
func (o *Outbox) Pause() {
	o.mu.Lock()
	o.paused, o.direct = true, nil
	o.room.Broadcast()
	o.mu.Unlock()
	o.rouse()
}

// Rewind prepares for Run with the next transport: the other side has received everything
// before theirs, and is told by the handshake that this side has received
// everything before ours. Run has returned. An error means that theirs cannot be.
func (o *Outbox) Rewind(theirs, ours uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := &o.session
	base := o.base()
	if !s.keeps || theirs < base || theirs > o.added {
		return broken("a resume from %d, with %d to %d sent and not acknowledged", theirs, base, o.added)
	}
	s.head = o.beginning(theirs)
	if theirs <= o.written {
		again := s.kept.bytes()[theirs-base:]
		o.pending = append(append(make([]byte, 0, len(again)+len(o.pending)), again...), o.pending...)
	} else {
		o.pending = append(o.pending[:0], o.pending[theirs-o.written:]...)
	}
	s.kept.reset()
	o.written = theirs
	s.told, s.due, s.ack, s.asks, s.answers = ours, ours, nil, false, false
	// The other side may have the beginning of a frame.
	o.paused, o.torn = false, len(o.pending) > 0
	o.direct = nil // of the transport that is over: Run may have come to it after Pause
	return nil
}

// beginning returns what is before position of the frame that it is in. mu is held.
func (o *Outbox) beginning(position uint64) []byte {
	all := o.unacknowledged()
	before := all[:int(position-o.base())+len(o.session.head)]
	for len(before) >= HeaderLength {
		h, err := ParseHeader(before)
		if n := HeaderLength + int(h.Length); err != nil || n > len(before) {
			break
		} else {
			before = before[n:]
		}
	}
	return bytes.Clone(before)
}

// Unacknowledged returns the frames that the other side has not acknowledged,
// written or not. It is asked once nothing more is written.
func (o *Outbox) Unacknowledged() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.unacknowledged()
}

func (o *Outbox) unacknowledged() []byte {
	return slices.Concat(o.session.head, o.session.kept.bytes(), o.pending)
}

// acknowledges reports whether an ACK or a PING is to be written.
func (s *session) acknowledges() bool { return len(s.ack) > 0 || s.due > s.told || s.asks || s.answers }

// beginAck returns the ACK and PINGs to be written, or what is left of them.
func (s *session) beginAck() []byte {
	if len(s.ack) == 0 {
		if s.due > s.told {
			s.told = s.due
			s.ack = (&Ack{s.due}).Append(nil)
		}
		if s.asks {
			s.ack = (&Ping{}).Append(s.ack)
		}
		if s.answers {
			s.ack = (&Ping{Answer: true}).Append(s.ack)
		}
		s.asks, s.answers = false, false
	}
	s.acking = true
	return s.ack
}

// wroteAck notes that n bytes were written, if they were of an ACK, which it
// reports.
func (s *session) wroteAck(n int) bool {
	if !s.acking {
		return false
	}
	s.acking = false
	s.ack = s.ack[n:]
	return true
}
