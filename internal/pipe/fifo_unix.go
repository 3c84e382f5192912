//go:build linux || freebsd || netbsd || openbsd || dragonfly

package pipe

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// A named pipe is a place to meet. The home reads the FIFO that its path names;
// a client makes two of its own beside it and writes their name there, one line,
// which the system does not mix with that of another client:
//
//	path             read by the home: one line for each connection
//	path.ID.up       from the client ID to the home
//	path.ID.down     from the home to the client
//
// The home opens both, removes their names, and writes one byte to the second:
// then everything is in place, and both names are gone. Nobody else ever has
// these two, so nothing of one client comes into the stream of another.

const (
	// idLength is the length of a client's ID, in hexadecimal.
	idLength = 32
	// readyByte is the home's word that it has opened both FIFOs.
	readyByte = '.'
	// lookAgain is how long a client waits for that word, or for room to ask,
	// before it looks whether the home, and the reason to wait, are still there.
	lookAgain = 20 * time.Millisecond
)

// Dial connects to the home that listens on the FIFO path.
//
// ErrUnreachable if there is none or nobody reads it, ErrConflict if it is no
// FIFO, ErrDenied if it is not for this user.
func Dial(ctx context.Context, path string) (*Conn, error) {
	home, err := openFIFO(path, unix.O_WRONLY)
	if err != nil {
		return nil, why(err, path)
	}
	defer home.Close()
	var id [idLength / 2]byte
	rand.Read(id[:]) // never fails
	name := hex.EncodeToString(id[:])
	c, err := makePair(path + "." + name)
	if err != nil {
		return nil, fault.Because(fault.ErrUnreachable, "beside %s: %v", path, err)
	}
	if err := c.meet(ctx, home, name); err != nil {
		c.discard()
		return nil, err
	}
	return c.keep(path)
}

// why says why path could not be opened.
func why(err error, path string) error {
	switch {
	case errors.Is(err, errNoFIFO):
		return fault.Because(fault.ErrConflict, "%s is no FIFO", path)
	case errors.Is(err, fs.ErrNotExist):
		return fault.Because(fault.ErrUnreachable, "there is no FIFO %s", path)
	case errors.Is(err, unix.ENXIO):
		return fault.Because(fault.ErrUnreachable, "nobody serves the FIFO %s", path)
	case errors.Is(err, fs.ErrPermission):
		return fault.Because(fault.ErrDenied, "the FIFO %s is not for this user", path)
	}
	return fault.Because(fault.ErrUnreachable, "%v", err)
}

var errNoFIFO = errors.New("it is no FIFO")

// openFIFO opens a FIFO and does not wait for its other end. It follows no link.
func openFIFO(path string, mode int) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Type() != fs.ModeNamedPipe {
		return nil, errNoFIFO // not opened: that may do something to it
	}
	fd, err := unix.Open(path, mode|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	if info, err := f.Stat(); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		f.Close()
		return nil, errNoFIFO
	}
	return f, nil
}

// pair is a client's side of a connection that is being made. Until the home has
// opened its ends they are held here too, so that no stream looks ended.
type pair struct {
	path                 string // without .up and .down
	up, upRead           *os.File
	down, downWrite      *os.File
	upIsMade, downIsMade bool
}

func makePair(path string) (*pair, error) {
	p := &pair{path: path}
	err := p.make()
	if err != nil {
		p.discard()
		return nil, err
	}
	return p, nil
}

func (p *pair) make() (err error) {
	if err := mkfifo(p.path+".up", &p.upIsMade); err != nil {
		return err
	}
	if err := mkfifo(p.path+".down", &p.downIsMade); err != nil {
		return err
	}
	for _, end := range []struct {
		file **os.File
		path string
		mode int
	}{ // the reading end first: the other cannot be opened before
		{&p.upRead, p.path + ".up", unix.O_RDONLY}, {&p.up, p.path + ".up", unix.O_WRONLY},
		{&p.down, p.path + ".down", unix.O_RDONLY}, {&p.downWrite, p.path + ".down", unix.O_WRONLY},
	} {
		if *end.file, err = openFIFO(end.path, end.mode); err != nil {
			return err
		}
	}
	return nil
}

func mkfifo(path string, made *bool) error {
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	*made = true
	return nil
}

// meet tells the home the pair's name and returns when it has opened its ends.
func (p *pair) meet(ctx context.Context, home *os.File, name string) error {
	for asked := false; ; {
		if ctx.Err() != nil {
			return fault.Cancelled(ctx)
		}
		if !asked {
			home.SetWriteDeadline(time.Now().Add(lookAgain)) // its FIFO may be full
			// The first line end ends what somebody else may have begun.
			_, err := home.WriteString("\n" + name + "\n")
			if asked = err == nil; !asked && !errors.Is(err, os.ErrDeadlineExceeded) {
				return fault.Because(fault.ErrUnreachable, "nobody serves the FIFO %s any more", home.Name())
			}
			continue
		}
		p.down.SetReadDeadline(time.Now().Add(lookAgain))
		var word [1]byte
		switch _, err := p.down.Read(word[:]); {
		case err == nil && word[0] == readyByte:
			return nil
		case err == nil:
			return fault.Because(fault.ErrUnreachable, "what reads the FIFO %s is not a handoff home", home.Name())
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fault.Because(fault.ErrUnreachable, "%v", err)
		case !isRead(home):
			return fault.Because(fault.ErrUnreachable, "nobody serves the FIFO %s any more", home.Name())
		}
	}
}

// isRead reports whether anybody has the other end of f open.
func isRead(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	there := false
	raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		_, err := unix.Poll(fds, 0)
		there = err == unix.EINTR || err == nil && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) == 0
	})
	return there
}

// keep makes the connection of the pair.
func (p *pair) keep(path string) (*Conn, error) {
	p.upRead.Close()
	p.downWrite.Close()
	p.down.SetReadDeadline(time.Time{})
	c, err := New(p.down, p.up, path)
	if err != nil {
		return nil, fault.Because(fault.ErrUnsupported, "%v", err)
	}
	return c, nil
}

// discard gives the pair up.
func (p *pair) discard() {
	if p.upIsMade {
		os.Remove(p.path + ".up")
	}
	if p.downIsMade {
		os.Remove(p.path + ".down")
	}
	for _, f := range []*os.File{p.up, p.upRead, p.down, p.downWrite} {
		if f != nil {
			f.Close()
		}
	}
}

// listener waits for clients at a FIFO.
type listener struct {
	path  string
	calls *os.File // where clients write their names
	held  *os.File // its other end, so that it never looks ended
	lines *bufio.Reader
	once  sync.Once
}

// ErrServed is what Listen says of a FIFO that somebody reads.
var ErrServed = errors.New("somebody reads it")

// Listen makes the FIFO path, for its owner only, and waits there. A FIFO that
// nobody reads is replaced, and whatever is no FIFO is left alone. Two calls for
// one path at once are the caller's to prevent.
func Listen(path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	made := false
	if err := mkfifo(path, &made); err != nil {
		return nil, err
	}
	l := &listener{path: path}
	var err error
	if l.calls, err = openFIFO(path, unix.O_RDONLY); err == nil {
		l.held, err = openFIFO(path, unix.O_WRONLY)
	}
	if err == nil {
		err = l.calls.SetReadDeadline(time.Time{}) // it can be ended by Close
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	l.lines = bufio.NewReaderSize(l.calls, 4096)
	return l, nil
}

// removeStale removes what a dead home has left.
func removeStale(path string) error {
	f, err := openFIFO(path, unix.O_WRONLY)
	switch {
	case err == nil:
		f.Close()
		return ErrServed
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, unix.ENXIO):
		if err := os.Remove(path); err != nil {
			return err
		}
	default:
		return err
	}
	dir, base := filepath.Split(path)
	entries, _ := os.ReadDir(filepath.Clean(dir + "."))
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), base+".")
		if ok && ofClient.MatchString(rest) && e.Type() == fs.ModeNamedPipe {
			os.Remove(dir + e.Name()) // of a client that asked the dead home
		}
	}
	return nil
}

var (
	ofClient = regexp.MustCompile(`^[0-9a-f]{32}\.(up|down)$`)
	isID     = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// Accept implements net.Listener. What was written to the FIFO and is no client's
// name is passed over, and so is a client that is not there any more.
func (l *listener) Accept() (net.Conn, error) {
	for {
		line, err := l.lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, os.ErrClosed):
			return nil, net.ErrClosed
		case err != nil:
			return nil, fmt.Errorf("%s: %w", l.path, err)
		}
		name := strings.TrimSuffix(string(line), "\n")
		if !isID.MatchString(name) {
			continue
		}
		if c, err := l.answer(l.path + "." + name); err == nil {
			return c, nil
		}
	}
}

// readyTime bounds the one byte that tells a client that it is served.
const readyTime = 100 * time.Millisecond

// answer opens the home's ends of a client's pair.
func (l *listener) answer(path string) (*Conn, error) {
	in, err := openFIFO(path+".up", unix.O_RDONLY)
	out, err2 := openFIFO(path+".down", unix.O_WRONLY)
	for _, name := range []string{path + ".up", path + ".down"} {
		if info, err := os.Lstat(name); err == nil && info.Mode().Type() == fs.ModeNamedPipe {
			os.Remove(name)
		}
	}
	if err == nil && err2 == nil {
		// Who has filled his own FIFO is not waited for: others call.
		out.SetWriteDeadline(time.Now().Add(readyTime))
		if _, err = out.Write([]byte{readyByte}); err == nil {
			out.SetWriteDeadline(time.Time{})
			return New(in, out, l.path)
		}
	}
	in.Close() // either may be nil, which Close takes
	out.Close()
	return nil, errors.Join(err, err2)
}

// Close implements net.Listener. It removes the FIFO.
func (l *listener) Close() error {
	l.once.Do(func() {
		os.Remove(l.path)
		l.calls.Close()
		l.held.Close()
	})
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return Addr(l.path) }
