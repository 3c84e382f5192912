package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
	_ "github.com/handoff-go/handoff/netchan" // the schemes unix, tcp and pipe
	_ "github.com/handoff-go/handoff/shmchan"
)

// media are the media the demo can run over: each opens a home in this process, but
// for shm, whose channels are in segments and need none.
var media = map[string]func() (*home, error){
	"shm":  segments,
	"unix": func() (*home, error) { return fileHome("unix", socketFile, hub.ListenUnix) },
	"tcp":  tcpHome,
	"pipe": pipeHome,
}

// Media returns their names, the one that is used if none is named first: shared memory, where this
// system has it.
func Media() []string {
	all := []string{"unix", "tcp", "pipe"}
	if hasShared() {
		all = append([]string{"shm"}, all...)
	}
	return all
}

// hasShared reports whether shm: works here with nothing set: elsewhere shmchan refuses.
func hasShared() bool {
	info, err := os.Stat("/dev/shm")
	return runtime.GOOS == "linux" && err == nil && info.IsDir()
}

// home is where the demo's channels live while it runs.
type home struct {
	base string // URL of the home for this process
	// address is where it listens, over TCP.
	address string
	folder  string   // where its files are, "" if there are none
	hub     *hub.Hub // nil where nobody serves
	serves  sync.WaitGroup

	mu     sync.Mutex // guards failed
	failed error      // what went wrong in serving

	// lend gives a worker that is about to start its own way to the home, and
	// returns the URL of that; joined is called when it has been tried. nil: the
	// worker uses base.
	lend func(cmd *exec.Cmd) (base string, joined func(started bool) error, err error)
}

// channelURL is the URL of the channel called name at the home with that base.
func channelURL(base, name string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base // and whoever opens it says why
	}
	switch u.Scheme {
	case "tcp":
		u.Path = "/" + name
		return u.String()
	case "shm":
		u.Opaque += "-" + name
		return u.String()
	}
	q := u.Query()
	q.Set("chan", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// openHome begins a home in this process.
func openHome(over string) (*home, error) {
	open := media[over]
	if open == nil {
		return nil, fmt.Errorf("the demo does not run over %q", over)
	}
	return open()
}

// What the folder of a home's files and they are called: Sweep goes by it.
const (
	filesDir   = "handoff-demo-"
	socketFile = "home.sock"
	fifoFile   = "home.fifo"
	// socketMost is how long the path of a socket may be on every system.
	socketMost = 100
)

// closeWithin is how long the home has to say goodbye before connections are cut.
const closeWithin = 5 * time.Second

func newHome() *home { return &home{hub: hub.New(hub.Options{Name: "handoff demo"})} }

// do serves until the home is closed, on a goroutine that close waits for.
func (h *home) do(serve func() error) {
	h.serves.Go(func() {
		if err := serve(); err != nil && !errors.Is(err, hub.ErrClosed) {
			h.mu.Lock()
			h.failed = errors.Join(h.failed, err)
			h.mu.Unlock()
		}
	})
}

func (h *home) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	var err error
	if h.hub != nil {
		err = h.hub.Close(ctx)
	}
	h.serves.Wait()
	if h.folder != "" {
		err = errors.Join(err, os.RemoveAll(h.folder))
	}
	return errors.Join(h.failed, err)
}

// segments is what the segments of the channels are called by. The last process that
// leaves one removes it, whoever was killed before.
func segments() (*home, error) {
	return &home{base: fmt.Sprintf("shm:demo-%d-%08x", os.Getpid(), rand.Uint32())}, nil
}

// fileHome is a home that listens on a file.
func fileHome(scheme, file string, listen func(string) (net.Listener, error)) (*home, error) {
	h := newHome()
	var err error
	if h.folder, err = filesFolder(); err != nil {
		return nil, err
	}
	path := filepath.Join(h.folder, file)
	l, err := listen(path)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(h.folder))
	}
	h.do(func() error { return h.hub.Serve(l) })
	base := url.URL{Scheme: scheme, Path: filepath.ToSlash(path), OmitHost: true}
	h.base = base.String()
	return h, nil
}

// tcpResume is how long a home over TCP waits for a worker whose connection has
// ended: only then it knows that the worker is dead and not its line.
const tcpResume = "1s"

func tcpHome() (*home, error) {
	h := newHome()
	l, err := hub.ListenTCP("localhost:0")
	if err != nil {
		return nil, err
	}
	h.do(func() error { return h.hub.Serve(l) })
	h.reachedAt(l.Addr().String())
	h.address = l.Addr().String()
	return h, nil
}

// reachedAt sets where a home over TCP is reached.
func (h *home) reachedAt(address string) { h.base = "tcp://" + address + "?resume=" + tcpResume }

// behindLine puts a line in the way to the home, for all that find it from now on.
func (h *home) behindLine() (*badline.Line, error) {
	if h.address == "" {
		return nil, errors.New("only a home over TCP can have its line cut")
	}
	line, err := badline.New(h.address, badline.Never)
	if err == nil {
		h.reachedAt(line.Address())
	}
	return line, err
}

// The descriptors that a worker inherits: the first two after the standard ones.
const inherited = "pipe:?in=3&out=4"

// pipeHome is a home that every worker reaches by two pipes of its own. This
// process reaches it by a FIFO.
func pipeHome() (*home, error) {
	h, err := fileHome("pipe", fifoFile, hub.ListenPipe)
	if err != nil {
		return nil, err
	}
	h.lend = func(cmd *exec.Cmd) (string, func(bool) error, error) {
		joined, err := h.connect(cmd)
		return inherited, joined, err
	}
	return h, nil
}

// connect makes the pipes of a worker. joined closes its ends here, so that they
// end with it, and serves ours.
func (h *home) connect(cmd *exec.Cmd) (joined func(started bool) error, err error) {
	fromChild, childOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	childIn, toChild, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, fromChild.Close(), childOut.Close())
	}
	cmd.ExtraFiles = []*os.File{childIn, childOut}
	return func(started bool) error {
		err := errors.Join(childIn.Close(), childOut.Close())
		if err != nil || !started {
			return errors.Join(err, fromChild.Close(), toChild.Close())
		}
		conn, err := hub.PipeConn(fromChild, toChild)
		if err != nil {
			return err
		}
		h.do(func() error { return h.hub.ServeConn(conn) })
		return nil
	}, nil
}

// filesFolder makes a folder only this user can enter, with a short path.
func filesFolder() (string, error) {
	dir, err := os.MkdirTemp("", filesDir)
	if err != nil || len(dir)+1+len(socketFile) <= socketMost {
		return dir, err
	}
	if err := os.Remove(dir); err != nil {
		return "", err
	}
	return os.MkdirTemp("/tmp", filesDir)
}

// Sweep removes what a home left in its folder, for workers whose demo was killed
// and could not. Whoever comes first does it.
func Sweep(folder string) {
	if !strings.HasPrefix(filepath.Base(folder), filesDir) {
		return
	}
	for _, file := range []string{socketFile, fifoFile} {
		path := filepath.Join(folder, file)
		os.Remove(path)
		os.Remove(path + ".lock")
	}
	os.Remove(folder) // only if there is nothing else in it
}
