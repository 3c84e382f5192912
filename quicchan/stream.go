package quicchan

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/handoff-go/handoff/internal/tlsconn"
)

var _ tlsconn.Peer = (*stream)(nil)

// stream is one stream of a connection, as a net.Conn.
type stream struct {
	*quic.Stream
	conn *quic.Conn
	left func() // gives up the connection, once

	writing sync.Mutex // held by Write, which Close must not meet
	closed  sync.Once
}

func (s *stream) LocalAddr() net.Addr  { return s.conn.LocalAddr() }
func (s *stream) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// AsksIdentity implements tlsconn.Peer.
func (s *stream) AsksIdentity() {}

// ConnectionState implements tlsconn.Peer. Hands were shaken before there were streams.
func (s *stream) ConnectionState() tls.ConnectionState { return s.conn.ConnectionState().TLS }

// Read implements net.Conn.
func (s *stream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	return n, plain(err, io.EOF)
}

// Write implements net.Conn.
func (s *stream) Write(b []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	n, err := s.Stream.Write(b)
	return n, plain(err, syscall.EPIPE)
}

// plain says in the words of a socket that the other side has closed, and in those of
// crypto/tls that it refuses what this side showed.
func plain(err, gone error) error {
	if left, ok := errors.AsType[*quic.ApplicationError](err); ok && left.Remote {
		return gone
	}
	if stopped, ok := errors.AsType[*quic.StreamError](err); ok && stopped.Remote {
		return gone
	}
	if refused(err) {
		return &net.OpError{Op: "remote error", Net: "quic", Err: err}
	}
	return err
}

// refused reports whether err is what the other side said when it ended the handshake.
func refused(err error) bool {
	bad, ok := errors.AsType[*quic.TransportError](err)
	return ok && bad.Remote && bad.ErrorCode.IsCryptoError()
}

// Close implements net.Conn. What was written before is still delivered.
func (s *stream) Close() error {
	err := net.ErrClosed
	s.closed.Do(func() {
		s.Stream.CancelRead(0)
		s.Stream.SetWriteDeadline(time.Unix(1, 0)) // ends a Write that waits
		s.writing.Lock()
		defer s.writing.Unlock()
		err = s.Stream.Close()
		s.left()
	})
	return err
}
