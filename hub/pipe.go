package hub

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/handoff-go/handoff/internal/pipe"
)

// ListenPipe makes the named pipe (FIFO) path, which only its owner may use, and
// listens on it for clients that open pipe:/path?chan=NAME. There may be many at
// once: each makes two FIFOs of its own beside path, path.ID.up towards the home
// and path.ID.down from it, whose names are gone as soon as both sides have
// opened them.
//
// A FIFO left by a dead hub is taken over; one that somebody reads is ErrInUse,
// and what is no FIFO, a symbolic link included, is left alone. Closing the
// listener removes the FIFO. While it listens, a file beside it, with .lock added
// to its name, keeps a second hub away.
//
// Windows and macOS have no FIFOs that would do, and the error says so.
func ListenPipe(path string) (net.Listener, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	l, err := pipe.Listen(path)
	if err != nil {
		lock.release()
		if errors.Is(err, pipe.ErrServed) {
			return nil, fmt.Errorf("%w: somebody reads the FIFO %s", ErrInUse, path)
		}
		return nil, fmt.Errorf("hub: the FIFO %s: %w", path, err)
	}
	return &lockedListener{Listener: l, lock: lock}, nil
}

// PipeConn makes a connection of the home's ends of two pipes, for ServeConn: in
// is read, out is written. It takes both over and closes them if it fails. The
// process that has the other ends, inherited as descriptors 3 and 4 say, opens
// its channels by pipe:?in=3&out=4&chan=NAME.
//
// The home must not keep the client's ends open, or it would not see them end:
//
//	fromChild, childOut, _ := os.Pipe()
//	childIn, toChild, _ := os.Pipe()
//	cmd.ExtraFiles = []*os.File{childIn, childOut} // 3 and 4
//	err := cmd.Start()
//	childIn.Close()
//	childOut.Close()
//	conn, err := hub.PipeConn(fromChild, toChild)
//	go h.ServeConn(conn)
func PipeConn(in, out *os.File) (net.Conn, error) {
	name := fmt.Sprintf("pipes %s and %s", in.Name(), out.Name())
	in, err := pipe.Own(in)
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("hub: %w", err)
	}
	if out, err = pipe.Own(out); err != nil {
		in.Close()
		return nil, fmt.Errorf("hub: %w", err)
	}
	c, err := pipe.New(in, out, name)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	return c, nil
}

// lockedListener gives up its lock when it is closed, after its file is gone.
type lockedListener struct {
	net.Listener
	lock *lock
	once sync.Once
	err  error
}

// Close implements net.Listener.
func (l *lockedListener) Close() error {
	l.once.Do(func() {
		l.err = l.Listener.Close() // removes the file
		l.lock.release()
	})
	return l.err
}
