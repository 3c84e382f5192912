package bell

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// Making is what the name of a bell ends with while it is being made.
const Making = ".new"

// Bell is the bell of a member of this process.
type Bell struct {
	f    *os.File
	raw  syscall.RawConn // of f
	mu   sync.Mutex      // guards the rest, and lets one goroutine wait at a time
	till time.Time       // the deadline that f has
	buf  [512]byte
	err  error              // of the last hear
	hear func(uintptr) bool // made once
}

func newBell(f *os.File) (*Bell, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &Bell{f: f, raw: raw}
	b.hear = b.empty
	return b, nil
}

// Hang makes the bell called name in the folder dir, an open descriptor.
// ErrConflict if there is something of that name.
//
// It is made and locked under another name, so that a bell that is seen and not
// locked is one of the dead. A bell in the making may be taken for one too, and
// be swept away; then it is made once more.
func Hang(dir int, name string) (*Bell, error) {
	temp := name + Making
	for {
		f, err := hang(dir, temp)
		if err == nil {
			err = unix.Linkat(dir, temp, dir, name, 0)
			unix.Unlinkat(dir, temp, 0)
			if err == nil {
				return newBell(f)
			}
			f.Close()
		}
		switch {
		case errors.Is(err, unix.ENOENT) && there(dir):
			continue
		case errors.Is(err, unix.EEXIST):
			return nil, fault.Because(fault.ErrConflict, "there is a bell %s already", name)
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
			return nil, fault.Because(fault.ErrFull, "no room for the bell %s: %v", name, err)
		}
		return nil, fault.Because(fault.ErrUnsupported, "no bell %s can be made: %v", name, err)
	}
}

// hang makes a FIFO, opens it for both directions, so that it never looks ended,
// and locks it.
func hang(dir int, temp string) (*os.File, error) {
	unix.Unlinkat(dir, temp, 0) // of an earlier turn
	if err := unix.Mkfifoat(dir, temp, 0o600); err != nil {
		return nil, err
	}
	fd, err := open(dir, temp, unix.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := Lock(fd); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), temp), nil
}

// there reports whether the folder dir has a name still, so that something can be
// made in it.
func there(dir int) bool {
	var st unix.Stat_t
	return unix.Fstat(dir, &st) == nil && st.Nlink > 0
}

// open opens a FIFO of this user without waiting for its other end.
func open(dir int, name string, mode int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, mode|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO || int(st.Uid) != os.Geteuid() {
			unix.Close(fd)
			return -1, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
		}
		return fd, nil
	}
}

// Wait returns true when the bell is rung, or was since the last Wait returned
// so, and false when until comes first; the zero time never comes. os.ErrClosed
// once the bell is taken down.
func (b *Bell) Wait(until time.Time) (rung bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !until.Equal(b.till) {
		if err := b.f.SetReadDeadline(until); err != nil {
			return false, err
		}
		b.till = until
	}
	switch err = b.raw.Read(b.hear); {
	case err == nil:
		return b.err == nil, b.err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false, nil
	}
	return false, os.ErrClosed // nothing else ends it
}

// empty takes the rings there are, and reports whether there were some, or an error.
func (b *Bell) empty(fd uintptr) bool {
	for {
		switch e := read(fd, b.buf[:]); e {
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		case 0:
			b.err = nil
			return true
		default:
			b.err = e
			return true
		}
	}
}

// Hung reports whether the bell has its name still. If somebody has removed it,
// others take this member for dead, or will.
func (b *Bell) Hung() bool {
	var err error
	var st unix.Stat_t
	if cerr := b.raw.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &st) }); cerr != nil {
		return false
	}
	return err == nil && st.Nlink > 0
}

// Close takes the bell down, whose name the caller has removed or removes now:
// from here on the member is not alive to others. A Wait ends.
func (b *Bell) Close() error { return b.f.Close() }

// Lock takes the lock that says that the file fd has a living owner.
func Lock(fd int) error {
	return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
}

// Unlock gives back the lock of fd, which memory that is mapped would keep beyond its end.
func Unlock(fd int) error {
	return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_UNLCK})
}

// Locked reports whether somebody has the lock of fd, and true if that cannot be
// known. It takes nothing.
func Locked(fd int) bool {
	l := unix.Flock_t{Type: unix.F_RDLCK}
	err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &l)
	return err != nil || l.Type != unix.F_UNLCK
}

// Alive reports whether the member with the bell called name in the folder dir is
// alive. It is in doubt called alive: only what the system says for certain is a
// death.
func Alive(dir int, name string) bool {
	fd, err := open(dir, name, unix.O_WRONLY)
	if err != nil {
		return !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENXIO)
	}
	defer unix.Close(fd)
	return Locked(fd)
}

// Ringer rings the bell of a member of another process, or of this one.
type Ringer struct {
	f    *os.File
	mu   sync.RWMutex // guards fd: it is written to under RLock and closed under Lock
	fd   int          // of f, -1 once closed
	once sync.Once    // starts the watch, unless Close comes first
	gone chan struct{}
	done sync.WaitGroup // the watch
}

// Reach returns a Ringer for the bell called name in the folder dir. ErrGone if
// its member is not alive.
func Reach(dir int, name string) (*Ringer, error) {
	fd, err := open(dir, name, unix.O_WRONLY)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO):
		return nil, ErrGone
	case err != nil:
		return nil, fault.Because(fault.ErrUnsupported, "the bell %s cannot be opened: %v", name, err)
	case !Locked(fd):
		unix.Close(fd)
		return nil, ErrGone
	}
	return &Ringer{f: os.NewFile(uintptr(fd), name), fd: fd, gone: make(chan struct{})}, nil
}

var ring = []byte{1}

// Ring rings. It never waits. ErrGone if nobody can hear it any more, os.ErrClosed
// after Close.
func (r *Ringer) Ring() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.fd < 0 {
		return os.ErrClosed
	}
	for {
		switch e := write(uintptr(r.fd), ring); e {
		case 0, unix.EAGAIN: // full of rings: it is rung
			return nil
		case unix.EINTR:
		case unix.EPIPE:
			return ErrGone
		default:
			return e
		}
	}
}

// Alive reports whether the member is alive. It looks at the lock, and does not
// need the name.
func (r *Ringer) Alive() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.fd >= 0 && Locked(r.fd)
}

// Gone is closed as soon as the member has died or taken its bell down, and not
// before its lock is free. The first call starts a goroutine that is parked until
// then, or until Close.
func (r *Ringer) Gone() <-chan struct{} {
	r.once.Do(func() {
		raw, err := r.f.SyscallConn()
		if err != nil {
			return
		}
		r.done.Go(func() {
			// The callback is asked again whenever the state of the FIFO's writing
			// side has changed: when it was full and is not, and when nobody reads.
			if raw.Write(func(fd uintptr) bool { return unread(int(fd)) }) == nil {
				close(r.gone)
			}
		})
	})
	return r.gone
}

// unread reports whether nobody has the reading end of fd.
func unread(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		switch _, err := unix.Poll(fds, 0); err {
		case nil:
			return fds[0].Revents&unix.POLLERR != 0
		case unix.EINTR:
		default:
			return false
		}
	}
}

// Close lets the bell go and ends the watch.
func (r *Ringer) Close() error {
	r.mu.Lock()
	r.fd = -1
	r.mu.Unlock()
	r.once.Do(func() {}) // from here on no watch begins
	err := r.f.Close()
	r.done.Wait()
	return err
}
