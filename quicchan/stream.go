package quicchan

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
)

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

// plain says in the words of a socket that the other side has closed.
func plain(err, gone error) error {
	if left, ok := errors.AsType[*quic.ApplicationError](err); ok && left.Remote {
		return gone
	}
	if stopped, ok := errors.AsType[*quic.StreamError](err); ok && stopped.Remote {
		return gone
	}
	return err
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
