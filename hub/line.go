package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/handoff-go/handoff/internal/tlsconn"
	"github.com/handoff-go/handoff/internal/wire"
)

const (
	// handshakeTime is how long a client may take to say HELLO.
	handshakeTime = 10 * time.Second
	// farewellTime is how long the last words to a client may take.
	farewellTime = time.Second
)

// line is one connection, until a session has it.
type line struct {
	hub     *Hub
	conn    net.Conn
	door    *door  // it came in by
	who     string // is at the other end, once that is known
	in      *wire.Reader
	hello   *wire.Hello
	greeted bool // the client speaks handoff, and may be told what is wrong
}

func newLine(h *Hub, conn net.Conn, at *door) *line {
	conn.SetDeadline(time.Now().Add(h.shakeWithin))
	return &line{hub: h, conn: conn, door: at, in: wire.NewReader(conn, wire.MaxHandshake)}
}

// hear hears who calls.
func (l *line) hear() error {
	if secure, ok := l.conn.(*tlsconn.Conn); ok {
		if err := secure.Handshake(context.Background()); err != nil { // the connection has a deadline
			return err
		}
	}
	version, err := l.in.Preface()
	if err != nil {
		return err
	}
	l.greeted = true
	if version != wire.Version {
		return &wire.Error{Code: wire.CodeVersion, Text: fmt.Sprintf("this home speaks version %d of the wire, not %d", wire.Version, version)}
	}
	h, body, err := l.in.Next()
	if err != nil {
		return err
	}
	if h.Type != wire.TypeHello {
		return wire.Unexpected(h.Type, "instead of HELLO")
	}
	if l.hello, err = wire.ParseHello(h, body); err != nil {
		return err
	}
	if l.hello.MaxBody < wire.Overhead {
		return wire.Unexpected(h.Type, "with a limit that is too small")
	}
	return l.identify()
}

// answer serves the connection: for a new session to its end, or until the
// session it belongs to has it. The handshake has a token.
func (l *line) answer() {
	err := l.hear()
	var s *session
	if err == nil {
		s, err = l.hub.join(l)
	}
	if err != nil && l.hub.isClosing() {
		err = errLeaving
	}
	if err != nil {
		l.refuse(err)
	}
	l.hub.shaken(l)
	<-l.door.shaking
	if s != nil {
		s.run()
		l.hub.part(s)
	}
}

// welcome says who answers.
func (l *line) welcome(w *wire.Welcome) error {
	w.MaxBody, w.Attachments = wire.DefaultMaxBody, uint32(l.hub.opts.MaxAttachments)
	// The token, if there is one, has been taken by identify.
	w.Features = wire.FeatureResume | wire.FeatureSelect | wire.FeatureFate | l.hello.Features&wire.FeatureToken
	if l.hub.opts.Heartbeat > 0 {
		w.Features |= wire.FeaturePing
	}
	w.Session, w.Epoch = l.hello.Session, l.hello.Epoch
	w.Incarnation, w.Home = l.hub.incarnation, l.hub.opts.Name
	_, err := l.conn.Write(w.Append(wire.AppendPreface(nil)))
	return err
}

// refuse ends the connection. A client that is still there is told why.
func (l *line) refuse(err error) {
	why, ok := errors.AsType[*wire.Error](err)
	if !ok || why.Text == "" || !l.greeted {
		l.conn.Close()
		return
	}
	l.conn.SetWriteDeadline(time.Now().Add(farewellTime))
	bye := wire.Bye{Code: why.Code, Text: why.Text}
	l.conn.Write(bye.Append(wire.AppendPreface(nil)))
	hangUp(l.conn)
}

// errLeaving is why a hub that closes ends a connection.
var errLeaving = &wire.Error{Code: wire.CodeGoingAway, Text: "the home is closing"}

// hangUp closes conn once the client has heard the last words. A TCP connection
// that is closed with something unread is reset, and the words with it.
func hangUp(conn net.Conn) {
	defer conn.Close()
	switch c := conn.(type) {
	case *net.TCPConn:
		hangUpTCP(c)
	case askingConn:
		hangUpTCP(c.TCPConn)
	case *tlsconn.Conn:
		if c.CloseWrite() == nil {
			c.SetReadDeadline(time.Now().Add(farewellTime))
			c.Drain()
		}
	}
}

func hangUpTCP(c *net.TCPConn) {
	if c.CloseWrite() == nil {
		c.SetReadDeadline(time.Now().Add(farewellTime))
		io.Copy(io.Discard, c)
	}
}
