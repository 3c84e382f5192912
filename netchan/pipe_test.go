//go:build linux

package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/wire"
)

// TestFIFO: a named pipe leads to its home.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	l, err := hub.ListenPipe(path)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{})
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	ch, err := handoff.Open[int](t.Context(), "pipe:"+(&url.URL{Path: path}).EscapedPath()+"?chan=jobs&slots=1")
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if v, err := ch.Recv(t.Context()); v != 5 || err != nil {
		t.Fatal(v, err)
	}
	h.Close(context.Background())
	if err := <-served; err != hub.ErrClosed {
		t.Error(err)
	}
	if err := ch.Send(t.Context(), 6); !errors.Is(err, handoff.ErrUnreachable) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("the hub has left %v", left)
	}
}

// TestInheritedPipes: two descriptors lead to their home, once.
func TestInheritedPipes(t *testing.T) {
	w := pipes(t)
	conn, err := hub.PipeConn(w.fromClient, w.toClient)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{})
	served := make(chan error, 1)
	go func() { served <- h.ServeConn(conn) }()
	to := w.inherit(t)
	ch, err := handoff.Open[int](t.Context(), to+"&chan=jobs&slots=1")
	if err != nil {
		t.Fatal(err)
	}
	other, err := handoff.Open[string](t.Context(), to+"&chan=more")
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if v, err := ch.Recv(t.Context()); v != 5 || err != nil {
		t.Fatal(v, err)
	}
	ch.Detach()
	other.Detach()
	if err := <-served; err != nil {
		t.Error(err)
	}
	_, err = handoff.Open[int](t.Context(), to+"&chan=jobs")
	if !errors.Is(err, handoff.ErrUnreachable) || !strings.Contains(err.Error(), "cannot be opened again") {
		t.Errorf("opened again: %v", err)
	}
}

// TestWordsOfTheDead: what a process wrote before it was killed is done, and what
// it did not write whole is not, although others keep its pipe open.
func TestWordsOfTheDead(t *testing.T) {
	w := pipes(t)
	h := hub.New(hub.Options{})
	serveOver(t, h, w)
	defer w.in.Close()
	defer w.out.Close() // this process is the one that keeps it open
	second := pipes(t)
	serveOver(t, h, second)
	other := open(t, second.inherit(t), "jobs", slots(8))

	client := child(t, "heir", "", w.out)
	w.out.Write(preface(&wire.Hello{MaxBody: wire.DefaultMaxBody, Epoch: 1, PID: uint32(client.Process.Pid), Name: "talker"}))
	answers := wire.NewReader(w.in, wire.DefaultMaxBody)
	if _, err := answers.Preface(); err != nil {
		t.Fatal(err)
	}
	if h, _, err := answers.Next(); err != nil || h.Type != wire.TypeWelcome {
		t.Fatal(h, err)
	}
	words := frames(
		&wire.Open{Channel: 1, Op: 1, Slots: -1, Flags: wire.OpenSend, Name: "jobs"},
		&wire.Send{Channel: 1, Op: 2, Items: items("a", "b")},
		&wire.Send{Channel: 1, Op: 3, Items: items("c")},
	)
	half := (&wire.Send{Channel: 1, Op: 4, Items: items("d")}).Append(nil)
	if _, err := w.out.Write(append(words, half[:len(half)-1]...)); err != nil {
		t.Fatal(err)
	}
	kill(t, client)
	for _, v := range []string{"a", "b", "c"} {
		other.recv(1).wantGot(t, v)
	}
	other.until(t, "the dead one is gone", func(s driver.Stats) bool { return s.Senders == 1 })
	if p := other.tryRecv().want(t, nil); !p.NotReady {
		t.Error("a value that was not written whole came")
	}
}

// TestMalformedPipe: what is not a pair of pipes is told in words, and nothing is
// touched.
func TestMalformedPipe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	_, fifo := serveFIFO(t, hub.Options{})
	if err := os.Symlink(strings.TrimPrefix(fifo, "pipe:"), link); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, out := r.Fd(), w.Fd()
	tests := []struct {
		url  string
		want error
		says string
	}{
		{"pipe:?chan=x", driver.ErrConflict, "the path of a FIFO is missing"},
		{"pipe:?in=3&chan=x", driver.ErrConflict, "out=FD"},
		{"pipe:?out=4&chan=x", driver.ErrConflict, "in=FD"},
		{"pipe:?in=3&out=4", driver.ErrConflict, "chan=NAME"},
		{"pipe:?in=a&out=4&chan=x", driver.ErrConflict, "not the number of a descriptor"},
		{"pipe:?in=-1&out=4&chan=x", driver.ErrConflict, "not the number of a descriptor"},
		{"pipe:?in=3&in=5&out=4&chan=x", driver.ErrConflict, "in is said 2 times"},
		{"pipe:?in=3&out=4&chan=x&speed=9", driver.ErrConflict, "unknown parameter speed"},
		{"pipe:/p?in=3&out=4&chan=x", driver.ErrConflict, "not both"},
		{"pipe://host/p?chan=x", driver.ErrConflict, "want pipe:"},
		{fmt.Sprintf("pipe:?in=%d&out=%d&chan=x", in, in), driver.ErrConflict, "one descriptor"},
		{fmt.Sprintf("pipe:?in=%d&out=%d&chan=x", in, out), driver.ErrConflict, "the ends of one pipe"},
		{fmt.Sprintf("pipe:?in=%d&out=%d&chan=x", out, in), driver.ErrConflict, "wrong end"},
		{fmt.Sprintf("pipe:?in=%d&out=%d&chan=x", f.Fd(), out), driver.ErrConflict, "is no pipe"},
		{fmt.Sprintf("pipe:?in=%d&out=%d&chan=x", 99999, out), driver.ErrConflict, "not an open descriptor"},
		{"pipe:" + dir + "/none?chan=x", driver.ErrUnreachable, "there is no FIFO"},
		{"pipe:" + file + "?chan=x", driver.ErrConflict, "is no FIFO"},
		{"pipe:" + dir + "?chan=x", driver.ErrConflict, "is no FIFO"},
		{"pipe:" + link + "?chan=x", driver.ErrConflict, "is no FIFO"},
		{"pipe:" + file + "/x?chan=x", driver.ErrUnreachable, ""},
	}
	for _, test := range tests {
		_, err := openURL(t.Context(), test.url, both)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %v saying %q", test.url, err, test.want, test.says)
		}
	}
	if got, _ := os.ReadFile(file); string(got) != "precious" {
		t.Errorf("the file has %q", got)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Error("the pipe was touched:", err)
	}
}

// TestListenPipe: a FIFO is taken over from a dead home, and from nobody else.
func TestListenPipe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p")
	dead := child(t, "fifo", path)
	if _, err := hub.ListenPipe(path); !errors.Is(err, hub.ErrInUse) {
		t.Errorf("a FIFO that is served: %v", err)
	}
	kill(t, dead)
	if _, err := tryOpen("pipe:"+path, "jobs", both); !errors.Is(err, driver.ErrUnreachable) || !strings.Contains(err.Error(), "nobody serves") {
		t.Errorf("a FIFO of a dead home: %v", err)
	}
	serveFIFOAt(t, path, hub.Options{})
	if info, err := os.Lstat(path); err != nil || info.Mode() != os.ModeNamedPipe|0o600 {
		t.Errorf("the FIFO is %v, %v", info.Mode(), err)
	}
	open(t, "pipe:"+path, "jobs", slots(1)).send("a").want(t, nil)

	other := filepath.Join(dir, "other")
	if err := unix.Mkfifo(other, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(other, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := hub.ListenPipe(other); !errors.Is(err, hub.ErrInUse) {
		t.Errorf("a FIFO that somebody reads: %v", err)
	}
	file := filepath.Join(dir, "file")
	os.WriteFile(file, []byte("precious"), 0o600)
	link := filepath.Join(dir, "link")
	os.Symlink("nothing", link)
	for _, path := range []string{file, link, dir, filepath.Join(dir, "no", "such")} {
		if _, err := hub.ListenPipe(path); err == nil {
			t.Errorf("listens on %s", path)
		}
	}
	if got, _ := os.ReadFile(file); string(got) != "precious" {
		t.Errorf("the file has %q", got)
	}
}

// TestGarbageInTheFIFO: what is no client's name is passed over.
func TestGarbageInTheFIFO(t *testing.T) {
	_, at := serveFIFO(t, hub.Options{})
	path := strings.TrimPrefix(at, "pipe:")
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	fmt.Fprintf(w, "hello\n%s\n../../etc/passwd\n%032x\nhalf a line", strings.Repeat("x", 20000), 7)
	for i := range 20 { // client after client
		e := open(t, at, "jobs", slots(1))
		e.send(fmt.Sprint(i)).want(t, nil)
		e.recv(1).wantGot(t, fmt.Sprint(i))
		if err := e.Detach(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 { // itself and its lock
		t.Errorf("left beside the FIFO: %v, %v", entries, err)
	}
}

// TestFIFOOfAStranger: who reads the FIFO and does not answer is left when time
// is over, and when he goes.
func TestFIFOOfAStranger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	stranger, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer stop()
	if _, err := openWithin(ctx, "pipe:"+path, "jobs", both); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stranger reads: %v", err)
	}
	time.AfterFunc(30*time.Millisecond, func() { stranger.Close() })
	if _, err := tryOpen("pipe:"+path, "jobs", both); !errors.Is(err, driver.ErrUnreachable) || !strings.Contains(err.Error(), "any more") {
		t.Errorf("a stranger leaves: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left beside the FIFO: %v", left)
	}
}

// TestClientThatDoesNotRead: it is not read either, harms nobody else, and does
// not keep its home from closing.
func TestClientThatDoesNotRead(t *testing.T) {
	w, second := pipes(t), pipes(t)
	h := hub.New(hub.Options{})
	serveOver(t, h, w)
	serveOver(t, h, second)
	defer w.in.Close()
	defer w.out.Close()
	words := preface(
		&wire.Hello{MaxBody: wire.DefaultMaxBody, Epoch: 1, Name: "deaf"},
		&wire.Open{Channel: 1, Op: 1, Slots: 1, Flags: wire.OpenSend, Name: "jobs"},
	)
	op := uint64(1)
	for full := false; !full; {
		for range 1000 {
			op++
			words = append(words, frames(&wire.Order{Type: wire.TypeStats, Channel: 1, Op: op})...)
		}
		w.out.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := w.out.Write(words)
		words = words[n:]
		if full = errors.Is(err, os.ErrDeadlineExceeded); err != nil && !full {
			t.Fatal(err)
		}
		if op > 1<<20 {
			t.Fatal("the home reads on and on")
		}
	}
	e := open(t, second.inherit(t), "jobs", slots(1))
	e.send("a").want(t, nil)
	e.recv(1).wantGot(t, "a")
	if err := e.Detach(context.Background()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := h.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
}
