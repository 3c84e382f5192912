//go:build unix

package wire

import (
	"io"
	"syscall"
)

// directly returns a function that writes to w what can be written without
// blocking, or nil if w is nothing of the kind. The descriptors of net are
// non-blocking, so one write call that is not repeated does it.
func directly(w io.Writer) func([]byte) (int, bool) {
	conn, ok := w.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	return func(b []byte) (n int, ok bool) {
		err := raw.Write(func(fd uintptr) bool {
			var err error
			n, err = syscall.Write(int(fd), b)
			ok = err == nil
			return true // do not wait, whatever came of it
		})
		return max(n, 0), ok && err == nil
	}
}
