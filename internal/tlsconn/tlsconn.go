// Package tlsconn makes a TLS connection behave as those who carry frames expect
// of a connection: closing it never waits, its end is io.EOF, and what the
// other side may say before it has shown who it is is bounded.
package tlsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// Protocol is the name of what is spoken inside TLS (ALPN).
const Protocol = "handoff"

// MaxHandshake is how many bytes either side may say during the handshake of TLS.
const MaxHandshake = 64 << 10

// errLongHandshake is what a handshake ends with that does not end.
var errLongHandshake = errors.New("the TLS handshake is longer than 65536 bytes")

// Peer is a connection under TLS, over TCP or another transport, whose client has to
// show at its home who it is. Whatever it comes in by, hands are shaken before
// ConnectionState says anything.
type Peer interface {
	net.Conn
	ConnectionState() tls.ConnectionState
	AsksIdentity()
}

// AsksIdentity implements Peer.
func (*Conn) AsksIdentity() {}

// Conn is a TLS connection over TCP.
type Conn struct {
	*tls.Conn
	raw *counted
}

// Client is the calling side over raw.
func Client(raw net.Conn, config *tls.Config) *Conn {
	c := &counted{Conn: raw}
	return &Conn{tls.Client(c, config), c}
}

// Server is the called side over raw.
func Server(raw net.Conn, config *tls.Config) *Conn {
	c := &counted{Conn: raw}
	return &Conn{tls.Server(c, config), c}
}

// Handshake has both sides show who they are. Nothing is read or written before.
// The deadlines of the connection bound it, and so does ctx.
func (c *Conn) Handshake(ctx context.Context) error {
	if err := c.Conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.raw.known.Store(true)
	return nil
}

// Read reads what has come. A stream that ends without the farewell of TLS ends
// as one of TCP does: what is whole and what is orderly is said inside.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// Close ends the connection at once. The farewell of TLS, which could wait for a
// peer that does not read, is left out.
func (c *Conn) Close() error { return c.raw.Close() }

// CloseWrite ends what this side says, with the farewell of TLS.
func (c *Conn) CloseWrite() error {
	if err := c.Conn.CloseWrite(); err != nil {
		return err
	}
	if half, ok := c.raw.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Drain reads what still comes, unseen, until the other side closes or the
// deadline of reading is over.
func (c *Conn) Drain() { io.Copy(io.Discard, c.raw.Conn) }

// IsRefusal reports whether err is what the other side of a TLS connection said
// when it ended it.
func IsRefusal(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// counted is a connection whose peer may say so much until it is known.
type counted struct {
	net.Conn
	known atomic.Bool
	said  int // one goroutine reads at a time
}

// Read implements net.Conn.
func (c *counted) Read(b []byte) (int, error) {
	if c.known.Load() {
		return c.Conn.Read(b)
	}
	if c.said >= MaxHandshake {
		return 0, errLongHandshake
	}
	n, err := c.Conn.Read(b[:min(len(b), MaxHandshake-c.said)])
	c.said += n
	return n, err
}
