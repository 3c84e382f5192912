//go:build unix

package nowait

import (
	"io"
	"syscall"
)

// Writer returns a function that writes to w what can be written without
// blocking, or nil if w is nothing of the kind. The descriptors of net are
// non-blocking, so one write call that is not repeated does it. One goroutine
// calls it at a time.
func Writer(w io.Writer) func([]byte) int {
	conn, ok := w.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	d := &direct{raw: raw}
	d.try = d.write
	return d.do
}

// direct is what a write without blocking needs, made once.
type direct struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // write
	b   []byte
	n   int
}

func (d *direct) do(b []byte) int {
	d.b, d.n = b, 0
	err := d.raw.Write(d.try)
	d.b = nil
	if err != nil {
		return 0
	}
	return max(d.n, 0)
}

// write is the one call. It does not wait, whatever came of it.
func (d *direct) write(fd uintptr) bool {
	d.n, _ = syscall.Write(int(fd), d.b)
	return true
}
