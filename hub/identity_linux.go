package hub

import (
	"net"

	"golang.org/x/sys/unix"
)

// tellsUsers says whether this system tells who is at the other end of a Unix
// socket.
const tellsUsers = true

// userOf is the user of the process that connected, as the kernel noted it then.
func userOf(conn *net.UnixConn) (uid uint32, ok bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Ucred
	if raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }) != nil || err != nil {
		return 0, false
	}
	return cred.Uid, true
}
