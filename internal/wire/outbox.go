package wire

import (
	"errors"
	"io"
	"sync"
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
// goroutine that blocks on the transport, belongs to whoever started it.
type Outbox struct {
	mu      sync.Mutex // guards everything below
	pending []byte     // frames not yet given to the transport
	spare   []byte     // the other buffer, nil while a write uses it
	added   uint64     // bytes ever added
	written uint64     // bytes the transport took
	ended   bool       // no more frames are taken
	dropped bool       // what is pending is not to be written either
	room    sync.Cond  // told when pending was taken away, on mu

	wake chan struct{} // one slot: there is something for Run to do
}

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

// Flush has everything that was added written without waiting for more.
func (o *Outbox) Flush() {
	select {
	case o.wake <- struct{}{}:
	default: // Run has been woken and has not looked yet
	}
}

// Run writes to w until Close, and then what is left, or until Drop or a failing
// write, whose error it returns. After a failing write nothing more is taken.
func (o *Outbox) Run(w io.Writer) error {
	for range o.wake {
		for {
			b, done := o.take()
			if len(b) == 0 {
				if done {
					return nil
				}
				break
			}
			n, err := w.Write(b)
			o.wrote(b, n)
			if err != nil {
				o.Drop()
				return err
			}
		}
	}
	return nil
}

// take takes what is to be written next. done says that nothing will follow.
func (o *Outbox) take() (b []byte, done bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dropped {
		o.pending = nil
	}
	b = o.pending
	o.pending, o.spare = o.spare[:0], nil
	o.room.Broadcast()
	return b, o.ended
}

// wrote notes that the transport took n bytes of b, and keeps b for reuse.
func (o *Outbox) wrote(b []byte, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.written += uint64(n)
	if cap(b) <= keepBytes {
		o.spare = b[:0]
	}
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
	o.Flush()
}

// Written returns how many bytes the transport took. It is final when Run has
// returned.
func (o *Outbox) Written() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.written
}

// AwaitRoom returns when at most limit bytes are pending or the outbox has
// ended.
func (o *Outbox) AwaitRoom(limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pending) > limit && !o.ended {
		o.room.Wait()
	}
}
