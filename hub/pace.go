package hub

import (
	"io"
	"net"
	"syscall"
	"time"

	"github.com/handoff-go/handoff/internal/tlsconn"
	"github.com/handoff-go/handoff/internal/wire"
)

// pace bounds how often something happens: so often a second, and after a quiet
// second so often at once. It is for one goroutine.
type pace struct {
	every time.Duration // 0: no bound
	next  time.Time
}

func newPace(perSecond int) pace {
	if perSecond <= 0 {
		return pace{}
	}
	return pace{every: time.Second / time.Duration(perSecond)}
}

// take counts one more, at now, and returns how long it has to wait.
func (p *pace) take(now time.Time) time.Duration {
	if p.every == 0 {
		return 0
	}
	if quiet := now.Add(-time.Second); p.next.Before(quiet) {
		p.next = quiet
	}
	p.next = p.next.Add(p.every)
	return max(0, p.next.Sub(now))
}

// A peer on a network that neither reads nor writes, or only now and then a byte,
// is cut off: MaxStall bounds how long it may take to read so much, and to finish a
// frame it has begun, for which it has MaxStall more for each so much of it. One
// that comes through a file of this machine is watched instead: it may be stopped,
// and keeps what it has.
const stallChunk = 256 << 10

// isFar reports whether MaxStall is for the client at the other end of conn.
func isFar(conn net.Conn) bool {
	switch conn.(type) {
	case *net.TCPConn, askingConn, tlsconn.Peer:
		return true
	}
	return false
}

// paced returns conn as what the session's frames are written to.
func (s *session) paced(conn net.Conn) io.Writer {
	if !isFar(conn) || s.hub.opts.MaxStall <= 0 {
		return conn
	}
	w := &pacedWriter{s: s, conn: conn}
	switch direct := conn.(type) { // for writing without blocking
	case wire.Trier:
		return struct {
			*pacedWriter
			wire.Trier
		}{w, direct}
	case syscall.Conn:
		return struct {
			*pacedWriter
			syscall.Conn
		}{w, direct}
	}
	return w
}

// pacedWriter writes to a client that has to read. It is for one goroutine.
type pacedWriter struct {
	s    *session
	conn net.Conn
	due  time.Time // the deadline that stands
}

// Write implements io.Writer.
func (w *pacedWriter) Write(b []byte) (n int, err error) {
	for {
		w.renew()
		m, err := w.conn.Write(b[n:min(n+stallChunk, len(b))])
		if n += m; err != nil || n == len(b) {
			return n, err
		}
	}
}

// renew sees to it that the next write has MaxStall, or up to a quarter more: to set
// a deadline costs as much as a short write.
func (w *pacedWriter) renew() {
	stall := w.s.hub.opts.MaxStall
	if now := time.Now(); w.due.Sub(now) < stall {
		w.due = now.Add(stall + stall/4)
		w.s.until(w.conn.SetWriteDeadline, w.due)
	}
}

// until sets a deadline, unless that of the last words stands.
func (s *session) until(set func(time.Time) error, due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.parting {
		set(due)
	}
}

// halfway is told by the reader that of a frame of at least n bytes a part has
// come, and waits for the rest.
func (s *session) halfway(n int) {
	if s.begun.IsZero() {
		s.begun = time.Now()
	}
	stalls := 1 + time.Duration(n/stallChunk)
	s.until(s.line.conn.SetReadDeadline, s.begun.Add(stalls*s.hub.opts.MaxStall))
}

// whole notes that a frame has come whole.
func (s *session) whole() {
	if !s.begun.IsZero() {
		s.begun = time.Time{}
		s.until(s.line.conn.SetReadDeadline, time.Time{})
	}
}

// bound has the reader tell of frames that are halfway there.
func (s *session) bound() {
	s.begun = time.Time{}
	if isFar(s.line.conn) && s.hub.opts.MaxStall > 0 {
		s.in.Halfway = s.halfway
	}
}
