package seg

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// Seat takes seat i of the segment, for a moment: nobody else has it until leave, or
// until this process has died. ok is false if somebody has it now. It does not wait.
//
// A lock of a byte of the memory's file holds it, of an open file description of its
// own: so it holds among the attachments of one process, too.
func (s *Segment) Seat(i uint32) (leave func(), ok bool, err error) {
	fd, err := s.again()
	if err != nil {
		return nil, false, err
	}
	switch err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Start: int64(i), Len: 1}); {
	case err == nil:
		return func() { unix.Close(fd) }, true, nil
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		unix.Close(fd)
		return nil, false, nil
	default:
		unix.Close(fd)
		return nil, false, because(err, s.place.where.String())
	}
}

// again opens the file of the memory once more. ErrNotFound if it has no name any more.
func (s *Segment) again() (fd int, err error) {
	const how = unix.O_RDWR | unix.O_CLOEXEC
	if s.file == "" {
		fd, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", s.place.where.FD), how, 0)
		return fd, because(err, s.place.where.String())
	}
	err = s.place.with(func(dir int) (err error) {
		fd, err = unix.Openat(dir, s.file, how|unix.O_NOFOLLOW, 0)
		if err == unix.ENOENT {
			return fault.Because(fault.ErrNotFound, "%s has gone", s.file)
		}
		return because(err, s.file)
	})
	return fd, err
}
