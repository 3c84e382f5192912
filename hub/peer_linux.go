package hub

import (
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// soPeerPidfd is SO_PEERPIDFD, since Linux 6.5: a descriptor of the peer's
// process, which cannot mean another process that was given its number.
const soPeerPidfd = 0x4d

// peer watches the process at the other end of a Unix socket.
type peer struct {
	file *os.File // the pidfd
	gone sync.WaitGroup
}

// watch has the reading of s end when its client's process is dead: after what
// the process had written. It returns nil where nobody can be watched; the end
// of the connection is then all there is to see.
func watch(s *session) *peer {
	conn, ok := s.conn.(*net.UnixConn)
	if !ok {
		return nil
	}
	fd, err := pidfdOf(conn)
	if err != nil {
		return nil
	}
	// Non-blocking, so that the runtime's poller takes it and the watch costs no
	// thread.
	if unix.SetNonblock(fd, true) != nil {
		unix.Close(fd)
		return nil
	}
	p := &peer{file: os.NewFile(uintptr(fd), "pidfd")}
	raw, err := p.file.SyscallConn()
	if err != nil {
		p.file.Close()
		return nil
	}
	p.gone.Go(func() { p.await(raw, s, conn) })
	return p
}

// await ends the reading of conn when the process is dead. Shutting down a Unix
// socket for reading lets what has arrived be read before the end shows. The
// writer is ended too, for nobody reads, and the reader may be waiting for it.
func (p *peer) await(raw syscall.RawConn, s *session, conn *net.UnixConn) {
	dead := false
	raw.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		dead = n > 0 && fds[0].Revents&unix.POLLIN != 0
		return dead || err != nil && err != unix.EINTR
	})
	if dead {
		conn.CloseRead()
		s.out.Drop()
	}
}

// stop ends the watch and waits for it.
func (p *peer) stop() {
	if p == nil {
		return
	}
	p.file.Close()
	p.gone.Wait()
}

// pidfdOf returns a descriptor of the process at the other end of conn.
func pidfdOf(conn *net.UnixConn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	cerr := raw.Control(func(sock uintptr) {
		if fd, err = unix.GetsockoptInt(int(sock), unix.SOL_SOCKET, soPeerPidfd); err == nil {
			return
		}
		var cred *unix.Ucred
		if cred, err = unix.GetsockoptUcred(int(sock), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			fd, err = unix.PidfdOpen(int(cred.Pid), 0)
		}
	})
	if cerr != nil {
		return -1, cerr
	}
	return fd, err
}
