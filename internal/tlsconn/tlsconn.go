// Package tlsconn makes a TLS connection behave as those who carry frames expect
// of a connection: closing it never waits, its end is io.EOF, it can be written
// without blocking, and what the other side may say before it has shown who it is is
// bounded.
package tlsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
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

// Conn is a TLS connection over TCP. One goroutine writes at a time.
type Conn struct {
	*tls.Conn
	raw *transport
}

// Client is the calling side over raw.
func Client(raw net.Conn, config *tls.Config) *Conn {
	t := newTransport(raw)
	return &Conn{tls.Client(t, config), t}
}

// Server is the called side over raw.
func Server(raw net.Conn, config *tls.Config) *Conn {
	t := newTransport(raw)
	return &Conn{tls.Server(t, config), t}
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

// Write writes b, or without b what TryWrite has left. After an error less may have
// left than n says, which counts what TLS took; the connection is over then.
func (c *Conn) Write(b []byte) (n int, err error) {
	for {
		if err := c.raw.flush(); err != nil || n == len(b) {
			return n, err
		}
		m, err := c.Conn.Write(b[n:min(n+mostAtOnce, len(b))])
		if n += m; err != nil {
			return n, err
		}
	}
}

// TryWrite writes what it can of b without blocking. Where it reports rest, something
// waits for Write, even if all of b is written.
func (c *Conn) TryWrite(b []byte) (n int, rest bool) {
	if !c.raw.tries() {
		return 0, c.raw.waits()
	}
	n, err := c.Conn.Write(b[:min(mostAtOnce, len(b))])
	return n, err == nil && c.raw.waits() // an error comes again, from Write
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
