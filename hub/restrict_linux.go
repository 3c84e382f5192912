package hub

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// restrict gives a socket its mode before it has a name, so that at no moment
// anybody else can connect: on Linux the file gets the mode of the socket.
func restrict(_, _ string, raw syscall.RawConn) error {
	var err error
	if cerr := raw.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }); cerr != nil {
		return cerr
	}
	return err
}
