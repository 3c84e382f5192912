package wire

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/handoff-go/handoff/internal/nowait"
)

// ErrEnded is what an Outbox says that takes no more frames.
var ErrEnded = errors.New("the connection has ended")

// keepBytes is how large a buffer may be and still be kept while it is idle.
const keepBytes = 256 << 10

// Outbox collects frames and writes them in bulk: while one write runs,
// whatever comes is collected and goes out with the next. There is no timer, so
// a frame is never late for the sake of those that might follow, and under load
// one write carries many.
//
// Frames are added between Begin and End, by any goroutine. Run, the only
// goroutine that blocks on the transport, belongs to whoever started it. Where
// the transport can be written without blocking, a frame that finds it idle is
// written at once by the goroutine that added it, which saves the way to Run.
//
// An Outbox that keeps (see Keep) is one direction of a session and outlives its
// transports: what the other side has not acknowledged is sent again on the next.
type Outbox struct {
	mu       sync.Mutex // guards everything below
	pending  []byte     // frames not yet given to the transport
	spare    []byte     // the other buffer, nil while a write uses it
	added    uint64     // bytes ever added
	written  uint64     // bytes the transport took
	writing  bool       // a write runs; only its goroutine takes what is pending
	retained bool       // what it writes is kept itself, and not to be used again
	corked   int        // Cork without Uncork
	last     time.Time  // when the last write ended
	ended    bool       // no more frames are taken
	dropped  bool       // what is pending is not to be written either
	room     sync.Cond  // told when pending was taken away, on mu
	torn     bool       // pending begins in the middle of a frame that is being written
	paused   bool       // there is no transport at the moment
	session  session
	turns    turns // not guarded by mu

	wake   chan struct{} // one slot: there is something for Run to do
	direct tryWrite      // nil if the transport has nothing of the kind
	rest   bool          // the transport has taken more than it has written
}

// tryWrite writes what can be without blocking. Where it reports rest, a Write is
// owed, even one of nothing: the transport keeps what it took and could not write.
type tryWrite func(b []byte) (n int, rest bool)

// Trier is a transport that can be written without blocking, but not as a descriptor.
type Trier interface {
	TryWrite(b []byte) (n int, rest bool)
}

// directly returns how w is written without blocking, nil if that is not to be had.
func directly(w io.Writer) tryWrite {
	if t, ok := w.(Trier); ok {
		return t.TryWrite
	}
	if try := nowait.Writer(w); try != nil {
		return func(b []byte) (int, bool) { return try(b), false }
	}
	return nil
}

// rest is how long after a write the next one is left to Run: frames that come
// so fast are better collected.
const rest = 15 * time.Microsecond

// NewOutbox returns an empty Outbox.
func NewOutbox() *Outbox {
	o := &Outbox{wake: make(chan struct{}, 1)}
	o.room.L = &o.mu
	return o
}

// Begin locks the outbox and returns the buffer to append frames to. End must
// follow.
func (o *Outbox) Begin() []byte {
	o.mu.Lock()
	return o.pending
}

// End takes the buffer with the frames appended and unlocks. With flush false
// they may wait for the next frame or Flush. The position counts all bytes added
// so far: once Written has reached it, the transport took the last frame whole.
// After Close or Drop nothing is taken and End returns ErrEnded.
func (o *Outbox) End(b []byte, flush bool) (position uint64, err error) {
	if o.ended {
		o.mu.Unlock()
		return 0, ErrEnded
	}
	o.added += uint64(len(b) - len(o.pending))
	o.pending = b
	position = o.added
	o.mu.Unlock()
	if flush {
		o.Flush()
	}
	return position, nil
}

// Send adds one frame and flushes.
func (o *Outbox) Send(f Frame) (position uint64, err error) {
	return o.End(f.Append(o.Begin()), true)
}

// Post adds one frame and leaves the writing to Run: for those who hold locks.
func (o *Outbox) Post(f Frame) {
	o.End(f.Append(o.Begin()), false)
	o.rouse()
}

// Flush has everything that was added written without waiting for more.
func (o *Outbox) Flush() { o.flush(rest) }

// FlushNow is Flush by who has nothing else to do until there is an answer, or has
// already collected: it does not matter how long ago the last write was.
func (o *Outbox) FlushNow() { o.flush(0) }

// Collect is Flush by one of many: Run does it, once those who are about to add
// something have done so.
func (o *Outbox) Collect() { o.rouse() }

// flush has what was added written: by the caller if the last write was so long ago.
func (o *Outbox) flush(after time.Duration) {
	o.mu.Lock()
	if o.writing || o.corked > 0 || !o.ready() {
		o.mu.Unlock()
		return // whoever writes, uncorks or brings a transport goes on with it
	}
	if o.direct == nil || o.ended || after > 0 && time.Since(o.last) < after {
		o.mu.Unlock()
		o.rouse()
		return
	}
	b, direct := o.begin(), o.direct
	o.mu.Unlock()
	o.turns.feed()
	n, rest := direct(b)
	if o.wrote(b, n, rest) {
		o.rouse()
	}
}

// Cork keeps what is added from being written until Uncork: more is coming.
func (o *Outbox) Cork() {
	o.mu.Lock()
	o.corked++
	o.mu.Unlock()
}

// Uncork undoes one Cork and has written what was added meanwhile.
func (o *Outbox) Uncork() {
	o.mu.Lock()
	o.corked--
	o.mu.Unlock()
	o.FlushNow()
}

// rouse has Run look.
func (o *Outbox) rouse() {
	select {
	case o.wake <- struct{}{}:
	default: // it has been roused and has not looked yet
	}
}

// Run writes to w until Close, and then what is left, or until Drop, Pause or a
// failing write, whose error it returns. After a failing write nothing more is
// taken, unless the outbox keeps: then it is as after Pause.
func (o *Outbox) Run(w io.Writer) error {
	direct := o.attach(w)
	defer o.awaitWrite()
	for range o.wake {
		// Whoever is ready to run may have something to add.
		runtime.Gosched()
		for {
			b, done := o.take()
			if done {
				return nil
			}
			if b == nil {
				break
			}
			o.turns.feed()
			n, err := write(w, direct, b)
			o.wrote(b, n, false)
			if err != nil {
				o.fail()
				return err
			}
		}
	}
	return nil
}

// write writes b to w, which may block only with what direct leaves: w may have more to
// do then, as to bound the time.
func write(w io.Writer, direct tryWrite, b []byte) (n int, err error) {
	rest := len(b) == 0
	if direct != nil && !rest {
		n, rest = direct(b)
	}
	if n < len(b) || rest {
		var m int
		m, err = w.Write(b[n:])
		n += m
	}
	return n, err
}

// awaitWrite waits for the write that another goroutine may be doing without Run.
// It does not block, so it ends soon.
func (o *Outbox) awaitWrite() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.writing {
		o.room.Wait()
	}
}

// attach makes w the transport, and finds out whether it can be written without
// blocking.
func (o *Outbox) attach(w io.Writer) tryWrite {
	direct := directly(w)
	o.mu.Lock()
	o.direct, o.rest = direct, false
	o.turns.turn.Add(1) // what waited may have been received before the resume
	o.mu.Unlock()
	o.turns.feed()
	o.rouse()
	return direct
}

// fail notes that the transport takes no more.
func (o *Outbox) fail() {
	if o.session.keeps {
		o.Pause()
	} else {
		o.Drop()
	}
}

// take takes what Run is to write next, nil if there is nothing for it to do.
// done says that nothing will follow.
func (o *Outbox) take() (b []byte, done bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.writing, o.corked > 0 && !o.ended && !o.paused:
		return nil, false
	case o.paused || o.dropped || !o.ready():
		return nil, o.paused || o.ended
	}
	return o.begin(), false
}

// ready reports whether there is something to write that may be written now. mu
// is held.
func (o *Outbox) ready() bool {
	if o.paused {
		return false
	}
	return o.torn || o.rest || o.session.acknowledges() || len(o.pending) > 0 && !o.stalled()
}

// begin takes what is to be written next, by the caller, who then calls wrote: nothing,
// but not nil, where only the transport's rest is. mu is held.
func (o *Outbox) begin() []byte {
	o.writing = true
	rest := o.rest
	o.rest = false
	if o.session.acknowledges() && !o.torn {
		return o.session.beginAck()
	}
	if rest && (len(o.pending) == 0 || o.stalled() && !o.torn) {
		o.retained = true
		return []byte{}
	}
	b := o.pending
	o.pending, o.spare = o.spare[:0], nil
	o.turns.turn.Add(1)
	// The other side may acknowledge it before the write has returned.
	o.retained = o.session.keep(b)
	o.room.Broadcast()
	return b
}

// wrote notes that the transport took n bytes of b, puts the rest before what
// came meanwhile, and keeps b for reuse. The transport may have a rest to write. more
// says that there is something for Run to do.
func (o *Outbox) wrote(b []byte, n int, rest bool) (more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = false
	o.rest = rest
	o.last = time.Now()
	if !o.session.wroteAck(n) {
		o.written += uint64(n)
		o.session.unkeep(len(b) - n)
		o.torn = n < len(b)
		if o.torn {
			o.pending = append(b[n:len(b):len(b)], o.pending...)
		} else if cap(b) <= keepBytes && !o.retained {
			o.spare = b[:0]
		}
		if o.stalled() {
			o.room.Broadcast()
		}
	}
	if o.ended || o.paused {
		o.room.Broadcast() // Run may wait for this write
	}
	return o.ready() || o.ended || o.paused
}

// Close ends the outbox after what was added. It does not wait: Run does.
func (o *Outbox) Close() { o.end(false) }

// Drop ends the outbox at once. What is pending is not written, but the write
// that may be running goes on: the transport must be closed to end it.
func (o *Outbox) Drop() { o.end(true) }

func (o *Outbox) end(drop bool) {
	o.mu.Lock()
	o.ended = true
	o.dropped = o.dropped || drop
	o.room.Broadcast()
	o.mu.Unlock()
	o.rouse()
}

// Ended reports whether no more frames are taken.
func (o *Outbox) Ended() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended
}

// Written returns how many bytes the transport took. It is final when Run has
// returned.
func (o *Outbox) Written() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.written
}

// Full reports whether more than limit bytes are pending.
func (o *Outbox) Full(limit int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending) > limit
}

// AwaitRoom returns when at most limit bytes are pending, or nothing will be
// written for now: the outbox has ended or is paused, or, which it reports with
// false, waits for what is still to be read, an ACK.
func (o *Outbox) AwaitRoom(limit int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pending) > limit && !o.ended && !o.paused {
		if o.stalled() {
			return false
		}
		o.room.Wait()
	}
	return true
}
