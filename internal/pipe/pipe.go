// Package pipe makes one connection of two one-way streams of bytes: pipes that
// a process inherited, or named ones (FIFOs). It is the transport of pipe: URLs,
// at the client's side and at the home's.
package pipe

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Conn is a connection over two files, one to read and one to write.
type Conn struct {
	in, out *os.File
	name    Addr
	ending  atomic.Bool // CloseRead was called
	closed  atomic.Bool
}

// Addr names a pipe pair, for people.
type Addr string

// Network implements net.Addr.
func (Addr) Network() string { return "pipe" }

func (a Addr) String() string { return string(a) }

// New returns a connection over in and out, which are its own from now on and
// are closed if it fails. It fails if the system cannot end a wait on them.
func New(in, out *os.File, name string) (*Conn, error) {
	c := &Conn{in: in, out: out, name: Addr(name)}
	if err := c.SetDeadline(time.Time{}); err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("a wait on %s could not be ended: %w", name, err)
	}
	return c, nil
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	if c.ending.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		return c.readRest(b)
	}
	return n, err
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) { return c.out.Write(b) }

// Close implements net.Conn. What was written stays there to be read.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	return errors.Join(c.out.Close(), c.in.Close())
}

// CloseRead has reads end after what has arrived by now.
func (c *Conn) CloseRead() error {
	c.ending.Store(true)
	return c.in.SetReadDeadline(time.Unix(1, 0))
}

// readRest reads what is there without waiting, and then io.EOF.
func (c *Conn) readRest(b []byte) (n int, err error) {
	raw, err := c.in.SyscallConn()
	if err != nil {
		return 0, err
	}
	if cerr := raw.Control(func(fd uintptr) { n, err = readNow(fd, b) }); cerr != nil {
		return 0, cerr
	}
	if n <= 0 {
		return 0, io.EOF
	}
	return n, err
}

// SyscallConn gives access to the side that is written.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.out.SyscallConn() }

// Reads returns the file that is read, to find out who holds its other end.
func (c *Conn) Reads() *os.File { return c.in }

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.name }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.name }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn. After CloseRead it does nothing.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.ending.Load() {
		return nil
	}
	return c.in.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.out.SetWriteDeadline(t) }
