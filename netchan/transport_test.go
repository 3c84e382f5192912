package netchan_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/apart"
)

// Where a home is, for a test: the URL of its channels without their names, or
// the path of a Unix socket.

// urlOf returns the URL of the channel called name at a home.
func urlOf(at, name string) string {
	switch {
	case strings.HasPrefix(at, "tcp:"), strings.HasPrefix(at, "tls:"):
		host, parameters, _ := strings.Cut(at, "?")
		return host + "/" + url.PathEscape(name) + "?" + parameters
	case strings.HasPrefix(at, "pipe:?"):
		return at + "&chan=" + url.QueryEscape(name)
	case strings.HasPrefix(at, "pipe:"), strings.HasPrefix(at, "unix:"):
		return at + "?chan=" + url.QueryEscape(name)
	}
	return urlOf("unix:"+(&url.URL{Path: at}).EscapedPath(), name)
}

// openURL opens a channel as the root package does.
func openURL(ctx context.Context, rawURL string, cfg driver.Config) (end, error) {
	ch, err := apart.Open(ctx, rawURL, cfg)
	return end{ch}, err
}

// mustOpenURL is openURL in a test.
func mustOpenURL(t testing.TB, rawURL string, cfg driver.Config) end {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	e, err := openURL(ctx, rawURL, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Detach(context.Background()) })
	return e
}

// plenty is what a home needs that serves the whole suite.
var plenty = hub.Options{MaxAttachments: 1 << 20, MaxChannels: 1 << 20}

// server starts a home in this process and says where it is.
type server func(t testing.TB, opts hub.Options) (h *hub.Hub, at string)

// transport is one way between a client and its home.
type transport struct {
	name string
	// here starts a home in this process.
	here server
	// away starts a home in another process. Two more can reach it: this one at
	// here, and a child that is given files at there.
	away func(t testing.TB) away
	// listen waits for connections and says where; nil if there is only one.
	listen func(t testing.TB) (l net.Listener, at string)
	// heir starts a home in this process where one has died.
	heir func(t testing.TB, at string)
	// once says that a process can reach a home one time only, over descriptors.
	once bool
}

// child starts a child that is a client of h, which is in this process at at.
func (way transport) child(t testing.TB, role string, h *hub.Hub, at string) *exec.Cmd {
	t.Helper()
	if !way.once {
		return child(t, role, at)
	}
	w := pipes(t)
	serveOver(t, h, w)
	defer w.in.Close()
	defer w.out.Close()
	return child(t, role, asChild, w.in, w.out)
}

// away is a home in another process.
type away struct {
	process     *exec.Cmd
	here, there string
	files       []*os.File
}

// transports are those of this system.
func transports() []transport {
	all := []transport{
		{name: "unix", here: serve, away: awayUnix, listen: listenUnix, heir: func(t testing.TB, at string) { serveAt(t, at, hub.Options{}) }},
		{name: "tcp", here: serveAtTCP, away: awayTCP, listen: listenTCP},
		{name: "tls", here: serveAtTLS, away: awayTLS, listen: listenTLS},
	}
	if runtime.GOOS != "windows" {
		all = append(all, transport{name: "pipe", here: serveInherited, away: awayInherited, once: true})
	}
	if runtime.GOOS == "linux" {
		all = append(all, transport{
			name: "fifo", here: serveFIFO, away: awayFIFO, listen: listenFIFO,
			heir: func(t testing.TB, at string) { serveFIFOAt(t, strings.TrimPrefix(at, "pipe:"), hub.Options{}) },
		})
	}
	return all
}

// over runs f over every transport.
func over(t *testing.T, f func(t *testing.T, serve server)) {
	t.Helper()
	for _, way := range transports() {
		t.Run(way.name, func(t *testing.T) { f(t, way.here) })
	}
}

// faker starts a home that is none: answer serves one connection. It says where.
type faker func(t *testing.T, answer func(net.Conn)) (at string)

// overFakes runs f over every transport.
func overFakes(t *testing.T, f func(t *testing.T, fake faker)) {
	t.Helper()
	for _, way := range transports() {
		t.Run(way.name, func(t *testing.T) { f(t, way.fake) })
	}
}

// fake is the faker of a transport.
func (way transport) fake(t *testing.T, answer func(net.Conn)) (at string) {
	t.Helper()
	var accept func() (net.Conn, error)
	var stop func() error
	if way.listen != nil {
		var l net.Listener
		l, at = way.listen(t)
		accept, stop = l.Accept, l.Close
	} else {
		w := pipes(t)
		conn, err := hub.PipeConn(w.fromClient, w.toClient)
		if err != nil {
			t.Fatal(err)
		}
		at = w.inherit(t)
		accept, stop = func() (net.Conn, error) { return conn, nil }, conn.Close
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := accept()
		if err != nil {
			return
		}
		defer conn.Close()
		answer(conn)
	}()
	t.Cleanup(func() { stop(); <-done })
	return at
}

func listenUnix(t testing.TB) (net.Listener, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return l, path
}

// listenTCP says a place to which nobody comes back.
func listenTCP(t testing.TB) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, "tcp://" + l.Addr().String() + "?resume=0s"
}

func listenFIFO(t testing.TB) (net.Listener, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p")
	l, err := hub.ListenPipe(path)
	if err != nil {
		t.Fatal(err)
	}
	return l, "pipe:" + path
}

func awayUnix(t testing.TB) away {
	path := filepath.Join(t.TempDir(), "s")
	return away{process: child(t, "home", path), here: path, there: path}
}

func serveAtTCP(t testing.TB, opts hub.Options) (*hub.Hub, string) {
	t.Helper()
	h, address := serveTCP(t, opts)
	return h, "tcp://" + address
}

func awayTCP(t testing.TB) away {
	t.Helper()
	path := filepath.Join(t.TempDir(), "address")
	home := child(t, "tcp", path)
	address, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return away{process: home, here: "tcp://" + string(address), there: "tcp://" + string(address)}
}

func serveFIFO(t testing.TB, opts hub.Options) (*hub.Hub, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p")
	return serveFIFOAt(t, path, opts), "pipe:" + path
}

func serveFIFOAt(t testing.TB, path string, opts hub.Options) *hub.Hub {
	t.Helper()
	l, err := hub.ListenPipe(path)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, opts)
}

func awayFIFO(t testing.TB) away {
	path := filepath.Join(t.TempDir(), "p")
	return away{process: child(t, "fifo", path), here: "pipe:" + path, there: "pipe:" + path}
}

// serveInherited serves this process over two pipes.
func serveInherited(t testing.TB, opts hub.Options) (*hub.Hub, string) {
	t.Helper()
	w := pipes(t)
	h := hub.New(opts)
	serveOver(t, h, w)
	return h, w.inherit(t)
}

// serveOver serves the client of w.
func serveOver(t testing.TB, h *hub.Hub, w wires) {
	t.Helper()
	conn, err := hub.PipeConn(w.fromClient, w.toClient)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.ServeConn(conn) }()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		h.Close(ctx)
		<-served
	})
}

// wires are the four ends of two pipes between a home and its client.
type wires struct {
	fromClient, toClient *os.File // the home's
	in, out              *os.File // the client's
}

func pipes(t testing.TB) (w wires) {
	t.Helper()
	var err error
	if w.fromClient, w.out, err = os.Pipe(); err == nil {
		w.in, w.toClient, err = os.Pipe()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// inherit has this process be the client and returns where its home is.
func (w wires) inherit(t testing.TB) (at string) {
	t.Helper()
	return fmt.Sprintf("pipe:?in=%d&out=%d", inherited(t, w.in), inherited(t, w.out))
}

// asChild is where the home is for a child that is given files.
const asChild = "pipe:?in=3&out=4"

func (w wires) files() []*os.File { return []*os.File{w.in, w.out} }

func awayInherited(t testing.TB) away {
	t.Helper()
	here, there := pipes(t), pipes(t)
	home := child(t, "parent home", "", here.fromClient, here.toClient, there.fromClient, there.toClient)
	for _, w := range []wires{here, there} {
		w.fromClient.Close()
		w.toClient.Close()
	}
	return away{process: home, here: here.inherit(t), there: asChild, files: there.files()}
}
