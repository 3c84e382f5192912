package wire

import (
	"errors"
	"io"
	"math"
	"sync/atomic"
	"time"
)

// readBytes is how much a Reader asks the transport for at once.
const readBytes = 64 << 10

// Reader reads frames in bulk: one read of the transport brings as many frames
// as have come. It is for one goroutine, but for Raise.
type Reader struct {
	// Halfway, if not nil, is called before a read that waits for the rest of a frame,
	// of at least n bytes with its head, of which a part has come.
	Halfway func(n int)

	r     io.Reader
	buf   []byte
	lo    int          // first byte not consumed
	hi    int          // end of what was read
	limit atomic.Int64 // the longest body taken

	given int // the last body, if its buffer is not d's any more; else 0

	received uint64 // position in the session's stream: the frames that Next returned

	came  atomic.Uint64 // bytes ever read
	stale time.Duration // see Distrust; 0 for never
	read  time.Time     // when something was read last
}

// NewReader returns a Reader that takes bodies up to limit.
func NewReader(r io.Reader, limit int) *Reader {
	d := &Reader{r: r, buf: make([]byte, readBytes)}
	d.limit.Store(int64(limit))
	return d
}

// Raise lets bodies up to limit in from now on, if that is more than before. Any
// goroutine may call it.
func (d *Reader) Raise(limit int) {
	for {
		old := d.limit.Load()
		if int64(limit) <= old || d.limit.CompareAndSwap(old, int64(limit)) {
			return
		}
	}
}

// Limit sets the longest body taken.
func (d *Reader) Limit(limit int) { d.limit.Store(int64(limit)) }

// Have is the position in the session's stream up to which bytes have come,
// also of frames that Next has not returned, or not yet whole. It is asked once
// the connection is over. What cannot be told to be of the stream, as the
// beginning of a head, is dropped and not counted.
func (d *Reader) Have() uint64 {
	at := d.lo
	for d.hi-at >= HeaderLength {
		h, err := ParseHeader(d.buf[at:])
		if err != nil || !h.Type.counted() {
			break
		}
		at += min(HeaderLength+int(h.Length), d.hi-at)
	}
	d.hi = at
	return d.received + uint64(d.hi-d.lo)
}

// Switch has d go on, behind what Have has counted, with what from reads: the next
// connection of its session, whose handshake from has read. from is not used any
// more.
func (d *Reader) Switch(from *Reader) {
	d.r = from.r
	d.hold(d.buf[d.lo:d.hi], from.buf[from.lo:from.hi])
}

// Unread puts frames back that Next has returned since Received was received,
// without those that need not be read again.
func (d *Reader) Unread(frames []byte, received uint64) {
	d.received = received
	d.hold(frames, d.buf[d.lo:d.hi])
}

// hold has d go on with first and then second, which have been read.
func (d *Reader) hold(first, second []byte) {
	n := len(first) + len(second)
	buf := make([]byte, max(n, readBytes))
	copy(buf[copy(buf, first):], second)
	d.buf, d.lo, d.hi = buf, 0, n
}

// Received is the position in the session's stream behind the last frame that
// Next returned.
func (d *Reader) Received() uint64 { return d.received }

// Preface reads the peer's preface and returns its version.
func (d *Reader) Preface() (version uint8, err error) {
	if err := d.fill(PrefaceLength); err != nil {
		return 0, err
	}
	version, err = ParsePreface(d.buf[d.lo : d.lo+PrefaceLength])
	d.lo += PrefaceLength
	return version, err
}

// Next returns the next frame. The body is good until the call after. io.EOF
// means that the stream ended between two frames, io.ErrUnexpectedEOF within
// one; an [*Error] means that the peer broke the rules and nothing more can be
// read.
func (d *Reader) Next() (Header, []byte, error) {
	if err := d.fill(HeaderLength); err != nil {
		return Header{}, nil, err
	}
	h, err := ParseHeader(d.buf[d.lo:])
	if err != nil {
		return h, nil, err
	}
	if limit := d.limit.Load(); int64(h.Length) > limit {
		return h, nil, Overlong(h, int(limit))
	}
	n := HeaderLength + int(h.Length)
	if err := d.fill(n); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return h, nil, err
	}
	body := d.buf[d.lo+HeaderLength : d.lo+n : d.lo+n]
	d.lo += n
	d.giveAway(len(body))
	if h.Type.counted() {
		d.received += uint64(n)
	}
	return h, body, nil
}

// giveAway leaves the buffer to the frame of n bytes that fills it, so that a large
// value need not be copied out of it.
func (d *Reader) giveAway(n int) {
	d.given = 0
	if n < readBytes || n < len(d.buf)/4*3 {
		return
	}
	d.given = n
	buf := make([]byte, readBytes)
	if behind := d.hi - d.lo; behind > readBytes {
		buf = make([]byte, behind)
	}
	d.buf, d.lo, d.hi = buf, 0, copy(buf, d.buf[d.lo:d.hi])
}

// Lasting is the length from which on values in the last body stay as they are: they
// are at least half of the body, and that is of a buffer which is not used again and at
// most a third longer.
func (d *Reader) Lasting() int {
	if d.given == 0 {
		return math.MaxInt
	}
	return d.given / 2
}

// Ready reports whether Next has all it needs without reading, be it a frame or
// an error.
func (d *Reader) Ready() bool {
	have := d.hi - d.lo
	if have < HeaderLength {
		return false
	}
	h, err := ParseHeader(d.buf[d.lo:])
	return err != nil || int64(h.Length) > d.limit.Load() || have >= HeaderLength+int(h.Length)
}

// fill reads until n bytes are there to be consumed.
func (d *Reader) fill(n int) error {
	for d.hi-d.lo < n {
		d.makeRoom(n)
		if d.hi > d.lo && d.Halfway != nil {
			d.Halfway(n)
		}
		m, err := d.r.Read(d.buf[d.hi:])
		if d.isStale() {
			return ErrStale
		}
		d.came.Add(uint64(m))
		d.hi += m
		if err != nil && d.hi-d.lo < n {
			if err == io.EOF && d.hi > d.lo {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// ErrStale is what Next says of bytes that may be older than the session.
var ErrStale = errors.New("this process stood still for so long that its session may have ended")

// Came returns how many bytes have come. Any goroutine may call it.
func (d *Reader) Came() uint64 { return d.came.Load() }

// Distrust has what comes later than so long after what came before be dropped,
// with ErrStale: where the peer says something more often than that, this process
// was stopped, and the peer may have ended the session meanwhile. What is dropped
// was not received, and comes again if the session goes on.
func (d *Reader) Distrust(after time.Duration) {
	d.stale, d.read = after, time.Now()
}

// isStale reports whether what was read just now is to be dropped.
func (d *Reader) isStale() bool {
	if d.stale == 0 {
		return false
	}
	before := d.read
	d.read = time.Now()
	return d.read.Sub(before) > d.stale
}

// makeRoom makes room behind hi for what is missing of n bytes, or a good part
// of it: a buffer grows with what has come, not with what is announced, and one
// that grew is given up when it is empty.
func (d *Reader) makeRoom(n int) {
	have := d.hi - d.lo
	if have == 0 {
		d.lo, d.hi = 0, 0
		if len(d.buf) > keepBytes {
			d.buf = make([]byte, readBytes)
		}
		return
	}
	if d.lo+n <= len(d.buf) {
		return
	}
	buf := d.buf
	if have == len(buf) {
		buf = make([]byte, min(n, 2*len(buf)))
	}
	copy(buf, d.buf[d.lo:d.hi])
	d.buf, d.lo, d.hi = buf, 0, have
}
