//go:build !linux

package hub

import "net"

// tellsUsers says whether this system tells who is at the other end of a Unix
// socket. Here nobody asks it.
const tellsUsers = false

func userOf(*net.UnixConn) (uid uint32, ok bool) { return 0, false }
