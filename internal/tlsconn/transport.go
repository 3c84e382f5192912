package tlsconn

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff/internal/nowait"
)

// mostAtOnce is how much is made records of at once, and so about the most that may
// wait for a transport that takes no more.
const mostAtOnce = 64 << 10

// mostAnswers is how much the answers of TLS itself may add to that: to a peer that
// asks and asks, and does not read.
const mostAnswers = 64 << 10

var errDeaf = errors.New("the peer asks for more than it reads")

// transport is what TLS writes its records to, and reads from. Once the peer is known
// TLS never waits in a write, so that nobody waits for its locks: what the connection
// does not take at once is kept for flush.
type transport struct {
	net.Conn
	known atomic.Bool
	said  int // before it was known; one goroutine reads at a time

	try func([]byte) int // nil: every write may wait

	mu       sync.Mutex // guards the rest, and is held while something is tried
	rest     []byte     // is to be written before anything else
	flushing bool       // flush writes what was before rest
}

func newTransport(raw net.Conn) *transport {
	return &transport{Conn: raw, try: nowait.Writer(raw)}
}

// Read implements net.Conn.
func (t *transport) Read(b []byte) (int, error) {
	if t.known.Load() {
		return t.Conn.Read(b)
	}
	if t.said >= MaxHandshake {
		return 0, errLongHandshake
	}
	n, err := t.Conn.Read(b[:min(len(b), MaxHandshake-t.said)])
	t.said += n
	return n, err
}

// Write implements net.Conn, for TLS.
func (t *transport) Write(b []byte) (int, error) {
	if t.try == nil || !t.known.Load() {
		return t.Conn.Write(b)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	if t.pass() {
		n = t.try(b)
	}
	if t.rest = append(t.rest, b[n:]...); len(t.rest) > 2*mostAtOnce+mostAnswers {
		return n, errDeaf
	}
	return len(b), nil
}

// pass writes of the rest what it can, and reports whether that was all. mu is held.
func (t *transport) pass() bool {
	if t.flushing {
		return false
	}
	if len(t.rest) > 0 {
		n := t.try(t.rest)
		t.rest = t.rest[:copy(t.rest, t.rest[n:])]
	}
	return len(t.rest) == 0
}

// tries reports whether something can be written without blocking, as far as one can
// say.
func (t *transport) tries() bool {
	if t.try == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pass()
}

// waits reports whether something waits for flush.
func (t *transport) waits() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rest) > 0
}

// flush writes the rest, and waits until it is written. What TLS writes meanwhile goes
// behind it.
func (t *transport) flush() error {
	for t.try != nil {
		t.mu.Lock()
		done := t.pass()
		rest := t.rest // what pass has left
		if !done {
			t.rest, t.flushing = nil, true
		}
		t.mu.Unlock()
		if done {
			break
		}
		_, err := t.Conn.Write(rest)
		t.mu.Lock()
		t.flushing = false
		t.mu.Unlock()
		if err != nil {
			return err // and the connection is over: what is before the rest is lost
		}
	}
	return nil
}
