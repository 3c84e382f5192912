package seg

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// seals are what keeps a memfd from losing pages that somebody has mapped.
const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW

// Memory makes a segment without a name, filled by make, which whoever inherits
// its descriptor can open by shm:fd=N. It is to be passed on by os/exec's
// ExtraFiles, and stays as long as anybody has it open or mapped.
func Memory(size int64, make Maker) (*os.File, error) {
	fd, err := unix.MemfdCreate("handoff", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, because(err, "memfd")
	}
	f := os.NewFile(uintptr(fd), "memfd:handoff")
	if err := fillMemory(fd, size, make); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func fillMemory(fd int, size int64, make Maker) error {
	if err := reserve(fd, size, "memfd"); err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals|unix.F_SEAL_SEAL); err != nil {
		return because(err, "memfd")
	}
	mem, err := mapFile(fd, "memfd")
	if err != nil {
		return err
	}
	defer unix.Munmap(mem)
	return make(mem)
}

// inherit maps the descriptor that the place names. The descriptor stays open and
// the caller's.
//
// To have it is the right to use it; but it must have been made by this user,
// since members of another would look for each other's bells in vain.
func (p *Place) inherit() (*Segment, error) {
	name := p.where.String()
	fd := p.where.FD
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	switch {
	case err == unix.EBADF:
		return nil, fault.Because(fault.ErrNotFound, "%s is not an open descriptor of this process", name)
	case err != nil:
		return nil, because(err, name)
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, fault.Because(fault.ErrConflict, "%s is no memory", name)
	case flags&unix.O_ACCMODE != unix.O_RDWR:
		return nil, fault.Because(fault.ErrDenied, "%s cannot be both read and written", name)
	case int(st.Uid) != os.Geteuid():
		return nil, fault.Because(fault.ErrDenied, "%s was made by user %d, and this is user %d", name, st.Uid, os.Geteuid())
	}
	has, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if st.Nlink == 0 && (err != nil || has&seals != seals) {
		return nil, fault.Because(fault.ErrDenied, "%s is not sealed: it could be cut off while it is used", name)
	}
	mem, err := mapFile(fd, name)
	if err != nil {
		return nil, err
	}
	return &Segment{place: p, mem: mem}, nil
}
