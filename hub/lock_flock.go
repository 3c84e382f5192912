//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package hub

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock is a file that is locked as long as this process lives and holds it. The
// system drops the lock of a process that dies.
type lock struct{ file *os.File }

// lockFile locks the file path, which it makes.
func lockFile(path string) (*lock, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, fmt.Errorf("hub: %w", err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, fmt.Errorf("%w: another hub holds %s", ErrInUse, path)
			}
			return nil, fmt.Errorf("hub: %s: %w", path, err)
		}
		if is(f, path) {
			return &lock{f}, nil
		}
		f.Close() // its owner removed it between our opening and our locking
	}
}

// is reports whether path names the file f.
func is(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// release removes the file and then gives up the lock, so that whoever locks a
// file of that name next has a new one.
func (l *lock) release() {
	os.Remove(l.file.Name())
	l.file.Close()
}

// refused reports whether err says that nobody serves a socket.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
