//go:build unix

package pipe

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// taken are the descriptors this process has handed over. Once its connection
// has ended such a number is free, and may come to name something else.
var taken struct {
	sync.Mutex // guards numbers
	numbers    map[int]bool
}

// Inherit takes over two descriptors of this process, one to read and one to
// write, each an end of a pipe. It moves them to other numbers, which children do
// not inherit. The old ones are closed, or, if they are the standard ones, lead
// nowhere from now on: what the program prints must not come between frames.
//
// ErrConflict if they are not what it takes, and ErrUnreachable if they were
// taken over before.
func Inherit(in, out int) (*Conn, error) {
	taken.Lock()
	defer taken.Unlock()
	if taken.numbers[in] || taken.numbers[out] {
		return nil, fault.Because(fault.ErrUnreachable,
			"the pipes in=%d and out=%d were opened before; once their link has ended they cannot be opened again", in, out)
	}
	if err := checkEnds(in, out); err != nil {
		return nil, err
	}
	r, err := adopt(in, "in")
	if err != nil {
		return nil, err
	}
	w, err := adopt(out, "out")
	if err != nil {
		r.Close()
		return nil, err
	}
	if taken.numbers == nil {
		taken.numbers = map[int]bool{}
	}
	for _, fd := range []int{in, out} {
		taken.numbers[fd] = true
		letGo(fd)
	}
	return New(r, w, fmt.Sprintf("the pipes in=%d and out=%d", in, out))
}

// checkEnds checks that in and out are the two ends Inherit takes.
func checkEnds(in, out int) error {
	if in == out {
		return fault.Because(fault.ErrConflict, "in=%d and out=%d are one descriptor", in, out)
	}
	var pipes [2]unix.Stat_t
	for i, end := range []struct {
		what    string
		fd      int
		useless int // the access mode that is of no use
	}{{"in", in, unix.O_WRONLY}, {"out", out, unix.O_RDONLY}} {
		flags, err := unix.FcntlInt(uintptr(end.fd), unix.F_GETFL, 0)
		if err == nil {
			err = unix.Fstat(end.fd, &pipes[i])
		}
		switch {
		case err == unix.EBADF:
			return fault.Because(fault.ErrConflict, "%s=%d is not an open descriptor of this process", end.what, end.fd)
		case err != nil:
			return fault.Because(fault.ErrConflict, "%s=%d: %v", end.what, end.fd, err)
		case pipes[i].Mode&unix.S_IFMT != unix.S_IFIFO:
			return fault.Because(fault.ErrConflict, "%s=%d is no pipe", end.what, end.fd)
		case flags&unix.O_ACCMODE == end.useless:
			return fault.Because(fault.ErrConflict, "%s=%d is the wrong end of its pipe", end.what, end.fd)
		}
	}
	if pipes[0].Dev == pipes[1].Dev && pipes[0].Ino == pipes[1].Ino {
		return fault.Because(fault.ErrConflict, "in=%d and out=%d are the ends of one pipe: what is written would be read here", in, out)
	}
	return nil
}

// adopt returns fd as a file of this process alone, with a number beyond the
// standard ones: a write to a broken pipe is an error there, and would end the
// process on 1 and 2. It does not block, so that the runtime waits and a deadline
// ends the wait.
func adopt(fd int, name string) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fault.Because(fault.ErrUnreachable, "%s=%d: %v", name, fd, err)
	}
	if err := unix.SetNonblock(own, true); err != nil {
		unix.Close(own)
		return nil, fault.Because(fault.ErrUnreachable, "%s=%d: %v", name, fd, err)
	}
	return os.NewFile(uintptr(own), name), nil
}

// letGo gives fd up. A standard one keeps its number, so that no other file
// gets it; output goes where errors go.
func letGo(fd int) {
	if fd > 2 {
		unix.Close(fd)
		return
	}
	if fd == 1 && unix.Dup2(2, 1) == nil {
		return
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return // it stays open, as the pipe's end that it is
	}
	unix.Dup2(null, fd)
	unix.Close(null)
}

// Own returns f as Inherit would: with a descriptor beyond the standard ones that
// does not block. It closes f.
func Own(f *os.File) (*os.File, error) {
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var own *os.File
	if cerr := raw.Control(func(fd uintptr) { own, err = adopt(int(fd), f.Name()) }); cerr != nil {
		return nil, cerr
	}
	return own, err
}

// readNow reads what is there.
func readNow(fd uintptr, b []byte) (int, error) { return syscall.Read(int(fd), b) }
