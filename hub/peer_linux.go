package hub

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/pipe"
)

// soPeerPidfd is SO_PEERPIDFD, since Linux 6.5: a descriptor of the peer's
// process, which cannot mean another process that was given its number.
const soPeerPidfd = 0x4d

// peer watches the process at the other end of a connection.
type peer struct {
	file *os.File // the pidfd
	gone sync.WaitGroup
}

// local is a connection to a process of this machine.
type local interface {
	net.Conn
	// CloseRead has reads end after what has arrived.
	CloseRead() error
}

// watch has the reading of s end when its client's process is dead: after what
// the process had written. It returns nil where nobody can be watched; the end
// of the connection is then all there is to see.
func watch(s *session) *peer {
	var fd int
	var err error
	switch conn := s.conn.(type) {
	case *net.UnixConn:
		fd, err = pidfdOf(conn)
	case *pipe.Conn:
		fd, err = pidfdAt(conn, int(s.line.hello.PID))
	default:
		return nil
	}
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
	p.gone.Go(func() { p.await(raw, s, s.conn.(local)) })
	return p
}

// await ends the reading of conn when the process is dead: what has arrived is
// read before the end shows. The writer is ended too, for nobody reads, and the
// reader may be waiting for it.
func (p *peer) await(raw syscall.RawConn, s *session, conn local) {
	dead := false
	raw.Read(func(fd uintptr) bool {
		var err error
		dead, err = isDead(int(fd))
		return dead || err != nil && err != unix.EINTR
	})
	if dead {
		conn.CloseRead()
		s.out.Drop()
	}
}

// isDead reports whether the process of a pidfd has ended.
func isDead(pidfd int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return n > 0 && fds[0].Revents&unix.POLLIN != 0, err
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

var errNotThere = errors.New("that process does not hold the pipe")

// pidfdAt returns a descriptor of the process that the client of conn says it is,
// if that process has the pipe open: a pipe does not tell who is at its other
// end, and a number alone may be a lie, or mean another process here than in the
// client's pid namespace. Who lies and holds the pipe harms his own session only.
func pidfdAt(conn *pipe.Conn, pid int) (fd int, err error) {
	if pid == 0 || pid == os.Getpid() {
		return -1, errNotThere // not said; or nobody is left to hear of its death
	}
	if fd, err = unix.PidfdOpen(pid, 0); err != nil {
		return -1, err
	}
	if !holds(pid, conn.Reads()) {
		unix.Close(fd)
		return -1, errNotThere
	}
	if dead, _ := isDead(fd); dead {
		// Its number may have been another's already when we looked.
		unix.Close(fd)
		return -1, errNotThere
	}
	return fd, nil
}

// holds reports whether the process pid has the pipe open of which f is an end.
func holds(pid int, f *os.File) bool {
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	names, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, name := range names {
		theirs, err := os.Stat(dir + "/" + name.Name()) // the file itself, not the link
		if err == nil && os.SameFile(ours, theirs) {
			return true
		}
	}
	return false
}
