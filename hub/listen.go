package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// maxSocketPath is how long the path of a socket may be everywhere.
const maxSocketPath = 103

// ErrInUse is what ListenUnix, ListenTCP and ListenPipe say of a place that
// somebody serves.
var ErrInUse = errors.New("hub: the place is in use")

// ListenUnix makes the socket path, which only its owner may use, and listens on
// it. A socket file left by a dead hub is taken over; one that is served, by a
// hub or by anything else, is ErrInUse, and a file that is no socket is left
// alone. Closing the listener removes the socket.
//
// While it listens, a file beside the socket, with .lock added to its name, keeps
// a second hub away, where the system has such locks.
func ListenUnix(path string) (net.Listener, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("hub: the path %q has %d bytes, a socket's has at most %d", path, len(path), maxSocketPath)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	l, err := listenLocked(path)
	if err != nil {
		lock.release()
		return nil, err
	}
	return &lockedListener{Listener: l, lock: lock}, nil
}

// listenLocked is ListenUnix with the lock held.
func listenLocked(path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: restrict}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	// Where restrict could not do it before the socket had a name.
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("hub: %w", err)
	}
	return l, nil
}

// staleTime bounds the question whether anybody serves a socket.
const staleTime = time.Second

// removeStale removes a socket nobody serves.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("hub: %w", err)
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("hub: %s is there already and is no socket", path)
	}
	conn, err := net.DialTimeout("unix", path, staleTime)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%w: somebody serves %s", ErrInUse, path)
	}
	if !refused(err) {
		return fmt.Errorf("%w: %s: %v", ErrInUse, path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	return nil
}
