package hub

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// patience bounds every wait of a test: reaching it is a failure.
const patience = 20 * time.Second

// start serves a hub on a fresh socket.
func start(t *testing.T, opts Options) (*Hub, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	h := New(opts)
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	t.Cleanup(func() {
		h.Close(context.Background())
		if err := <-served; err != ErrClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	return h, path
}

// raw is a client that says what it likes.
type raw struct {
	net.Conn
	r *wire.Reader
	t *testing.T
}

func dial(t *testing.T, path string) *raw {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return &raw{conn, wire.NewReader(conn, wire.DefaultMaxBody), t}
}

func (c *raw) say(frames ...wire.Frame) {
	c.t.Helper()
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

var hello = &wire.Hello{MaxBody: wire.DefaultMaxBody, Epoch: 1, Name: "raw"}

// greet shakes hands and opens the channel jobs as number 1, with operation 1.
func (c *raw) greet() *raw {
	c.t.Helper()
	c.Write(wire.AppendPreface(nil))
	c.say(hello, &wire.Open{Channel: 1, Op: 1, Slots: 2, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"})
	if v, err := c.r.Preface(); v != wire.Version || err != nil {
		c.t.Fatal(v, err)
	}
	hear[*wire.Welcome](c)
	hear[*wire.Opened](c)
	return c
}

// hear reads the next frame, which must be an F.
func hear[F wire.Frame](c *raw) F {
	c.t.Helper()
	h, body, err := c.r.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := wire.Parse(h, body)
	if err != nil {
		c.t.Fatal(err)
	}
	want, ok := f.(F)
	if !ok {
		c.t.Fatalf("heard %+v", f)
	}
	return want
}

// hearEnd reads the next frame, which must be END of op with code.
func (c *raw) hearEnd(op uint64, code wire.Code) *wire.End {
	c.t.Helper()
	f := hear[*wire.End](c)
	if f.Op != op || f.Code != code {
		c.t.Fatalf("heard %+v, want the end of %d with %v", f, op, code)
	}
	return f
}

func send(op uint64, values ...string) *wire.Send {
	f := &wire.Send{Channel: 1, Op: op}
	for _, v := range values {
		f.Items = append(f.Items, driver.Item{Value: []byte(v)})
	}
	return f
}

// choose is a select between a receive and nothing else.
func choose(op uint64) *wire.Select {
	return &wire.Select{Channel: 1, Op: op, Cases: []wire.Case{{Kind: wire.CaseRecv, Channel: 1}}}
}

func offered(op uint64) *wire.Select {
	f := choose(op)
	f.Flags, f.Ticket = wire.FlagOffer, op
	return f
}

func recv(op uint64) *wire.Receive {
	return &wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: op, Max: 1}
}

func order(t wire.Type, op uint64) *wire.Order { return &wire.Order{Type: t, Channel: 1, Op: op} }

// TestUnheardDelivery: a plain receive whose client leaves without TAKEN has not
// received.
func TestUnheardDelivery(t *testing.T) {
	h, path := start(t, Options{})
	c := dial(t, path).greet()
	c.say(send(2, "a"), recv(3))
	c.hearEnd(2, wire.CodeDone)
	hear[*wire.Deliver](c)
	c.Close()

	other := dial(t, path).greet()
	other.say(recv(2))
	if it := hear[*wire.Deliver](other).Items[0]; string(it.Value) != "a" || it.Attempt != 2 {
		t.Errorf("%q, attempt %d", it.Value, it.Attempt)
	}
	other.say(order(wire.TypeTaken, 2), order(wire.TypeStats, 3))
	if s := hear[*wire.Figures](other).Stats; s.Held != 0 || s.Received != 1 || s.Redelivered != 1 {
		t.Errorf("%+v", s)
	}
	for name, s := range h.Channels() {
		if name != "jobs" || s.Slots != 2 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestWrittenIsDone: what a client wrote before it left is done, the settlement
// of a hold included.
func TestWrittenIsDone(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	c.say(&wire.Receive{Type: wire.TypeTake, Channel: 1, Op: 2, Max: 1}, send(3, "a"))
	it := hear[*wire.Deliver](c).Items[0]
	c.hearEnd(3, wire.CodeDone)
	c.say(&wire.Settle{Channel: 1, Op: 4, How: wire.HowDone, Hold: it.Hold}, send(5, "b"))
	c.Write([]byte{200, 0, 0, 0, byte(wire.TypeSend), 0, 0, 0, 1}) // half a frame means nothing
	c.Close()
	other := dial(t, path).greet()
	other.say(recv(2))
	if it := hear[*wire.Deliver](other).Items[0]; string(it.Value) != "b" || it.Attempt != 1 {
		t.Errorf("%q, attempt %d", it.Value, it.Attempt)
	}
	other.say(&wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: 3, Max: 1, Flags: wire.FlagTry})
	if f := other.hearEnd(3, wire.CodeDone); f.Flags != wire.EndNotReady {
		t.Errorf("%+v", f)
	}
}

// TestCutAtEveryByte: a connection that ends within a frame has not sent it, at
// whatever byte.
func TestCutAtEveryByte(t *testing.T) {
	_, path := start(t, Options{})
	witness := dial(t, path).greet()
	frame := send(2, "value").Append(nil)
	for k := range len(frame) + 1 {
		c := dial(t, path).greet()
		c.Write(frame[:k])
		c.Conn.(*net.UnixConn).CloseWrite()
		for { // until the home has left too
			if _, _, err := c.r.Next(); err != nil {
				break
			}
		}
		op := uint64(2 * (k + 1))
		witness.say(&wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: op, Max: 1, Flags: wire.FlagTry})
		if k < len(frame) {
			if f := witness.hearEnd(op, wire.CodeDone); f.Flags != wire.EndNotReady {
				t.Errorf("cut after %d of %d bytes: %+v", k, len(frame), f)
			}
			continue
		}
		if f := hear[*wire.Deliver](witness); string(f.Items[0].Value) != "value" {
			t.Errorf("%+v", f)
		}
	}
}

// TestCancelAndAgain: the frames of a receive that is cancelled and begun again
// are read in order, so the value that crossed is there for the second.
func TestCancelAndAgain(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	c.say(send(2, "a", "b"), recv(3), order(wire.TypeCancel, 3), recv(4), order(wire.TypeTaken, 4), recv(5))
	c.hearEnd(2, wire.CodeDone)
	for i, want := range []string{"a", "a", "b"} {
		f := hear[*wire.Deliver](c)
		if f.Op != uint64(i+3) || string(f.Items[0].Value) != want || f.Items[0].Attempt != 1 {
			t.Errorf("delivery %d is %+v", i, f)
		}
	}
	// CANCEL of what has ended, or never was, means nothing.
	c.say(order(wire.TypeCancel, 2), order(wire.TypeCancel, 99), recv(6), order(wire.TypeCancel, 6))
	c.hearEnd(6, wire.CodeCancelled)
}

// TestCancelledWhileOnItsWay: a send that is cancelled while its value is on its
// way ends when it is known where the value is.
func TestCancelledWhileOnItsWay(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path)
	c.Write(wire.AppendPreface(nil))
	c.say(hello, &wire.Open{Channel: 1, Op: 1, Flags: wire.OpenSend | wire.OpenReceive, Name: "rendezvous"})
	c.r.Preface()
	hear[*wire.Welcome](c)
	hear[*wire.Opened](c)
	for i, test := range []struct {
		receive, answer wire.Type
		code            wire.Code
		flags           uint8
		n               uint32
	}{
		{wire.TypeRecv, wire.TypeTaken, wire.CodeDone, 0, 1},
		{wire.TypeRecv, wire.TypeCancel, wire.CodeCancelled, 0, 0},
		{wire.TypeTake, wire.TypeTaken, wire.CodeCancelled, wire.EndInDoubt, 0},
		{wire.TypeTake, wire.TypeCancel, wire.CodeCancelled, 0, 0},
	} {
		op := uint64(10 * (i + 1))
		c.say(send(op, "a"), &wire.Receive{Type: test.receive, Channel: 1, Op: op + 1, Max: 1})
		it := hear[*wire.Deliver](c).Items[0]
		c.say(order(wire.TypeCancel, op), order(wire.TypeStats, op+2))
		hear[*wire.Figures](c) // and no END before it
		c.say(order(test.answer, op+1))
		if f := c.hearEnd(op, test.code); f.Flags != test.flags || f.N != test.n {
			t.Errorf("%v answered with %v: %+v", test.receive, test.answer, f)
		}
		if test.flags == wire.EndInDoubt {
			c.say(&wire.Settle{Channel: 1, Op: op + 3, How: wire.HowReturn, Hold: it.Hold})
			c.hearEnd(op+3, wire.CodeAbandoned)
			c.say(&wire.Settle{Channel: 1, Op: op + 4, How: wire.HowDone, Hold: it.Hold})
			c.hearEnd(op+4, wire.CodeDone)
		}
		c.say(order(wire.TypeStats, op+5))
		if s := hear[*wire.Figures](c).Stats; s.Held != 0 || s.SendersWaiting != 0 {
			t.Errorf("left behind: %+v", s)
		}
	}
}

// TestBreaksTheRules: a client that breaks the rules is told and left, and
// nobody else notices.
func TestBreaksTheRules(t *testing.T) {
	_, path := start(t, Options{MaxWaiting: 2, MaxWaitBytes: 1000})
	witness := dial(t, path).greet()
	frame := func(f ...wire.Frame) (b []byte) {
		for _, f := range f {
			b = f.Append(b)
		}
		return b
	}
	blob := string(make([]byte, 600))
	tests := []struct {
		name string
		b    []byte
		code wire.Code
		says string
	}{
		{"garbage", []byte("GET / HTTP/1.1\r\n\r\n"), wire.CodeProtocol, ""},
		{"oversize", []byte{0xff, 0xff, 0xff, 0x7f, byte(wire.TypeSend), 0, 0, 0}, wire.CodeLimit, "at most"},
		{"unknown critical", []byte{0, 0, 0, 0, 0x7f, 0, 0, 0}, wire.CodeProtocol, "not known"},
		{"optional is skipped", append([]byte{1, 0, 0, 0, 0xfe, 0, 0, 0, 7}, frame(order(wire.TypeTaken, 2))...), wire.CodeProtocol, "not delivered"},
		{"broken body", []byte{1, 0, 0, 0, byte(wire.TypeSend), 0, 0, 0, 7}, wire.CodeProtocol, "broken"},
		{"old number", frame(recv(2), recv(2)), wire.CodeProtocol, "earlier"},
		{"old number of OPEN", frame(&wire.Open{Channel: 2, Op: 1, Name: "x"}), wire.CodeProtocol, "earlier"},
		{"number 0", frame(&wire.Open{Op: 2, Name: "x"}), wire.CodeProtocol, "number 0"},
		{"number in use", frame(&wire.Open{Channel: 1, Op: 2, Name: "x"}), wire.CodeProtocol, "already"},
		{"no such attachment", frame(&wire.Receive{Type: wire.TypeRecv, Channel: 9, Op: 2, Max: 1}), wire.CodeProtocol, "not there"},
		{"cancel nowhere", frame(&wire.Order{Type: wire.TypeCancel, Channel: 9, Op: 2}), wire.CodeProtocol, "not there"},
		{"after DETACH", frame(order(wire.TypeDetach, 2), recv(3)), wire.CodeProtocol, "not there"},
		{"a home's frame", frame(&wire.End{Channel: 1, Op: 2}), wire.CodeProtocol, "from a client"},
		{"HELLO again", frame(hello), wire.CodeProtocol, "from a client"},
		{"too many waiting", frame(recv(2), recv(3), recv(4)), wire.CodeLimit, "more operations"},
		{"taken and not chosen", frame(choose(2), order(wire.TypeTaken, 2)), wire.CodeProtocol, "not delivered"},
		{"aside of what has not come", frame(offered(2), order(wire.TypeAside, 2)), wire.CodeProtocol, "not delivered"},
		{"too many selects", frame(choose(2), choose(3), choose(4)), wire.CodeLimit, "more selects"},
		{"too many bytes", frame(send(2, "1", "2", "3"), send(3, blob), send(4, blob)), wire.CodeLimit, "more operations"},
		{"a select of nothing", frame(&wire.Select{Channel: 1, Op: 2}), wire.CodeProtocol, "0 cases"},
		{"a select without a channel", frame(&wire.Select{Channel: 1, Op: 2, Cases: []wire.Case{{}}}), wire.CodeProtocol, "without a channel"},
		{"a select on nothing", frame(&wire.Select{Op: 2, Cases: []wire.Case{{Kind: wire.CaseRecv, Channel: 9}}}), wire.CodeProtocol, "not there"},
		{"a case of no kind", frame(&wire.Select{Op: 2, Cases: []wire.Case{{Kind: 9, Channel: 1}}}), wire.CodeProtocol, "kind 9"},
		{"a select of an old number", frame(recv(2), choose(2)), wire.CodeProtocol, "earlier"},
		{"over the channel's limit", frame(send(2, string(make([]byte, 1<<20+1)))), wire.CodeProtocol, "over the channel's limit"},
		{"back of what is not offered", frame(choose(2), order(wire.TypeBack, 2)), wire.CodeProtocol, "not offered"},
		{"back of nothing", frame(order(wire.TypeBack, 2)), wire.CodeProtocol, "not there"},
		// From here on values stay behind in the channel.
		{"aside of what is not offered", frame(send(2, "a"), choose(3), order(wire.TypeAside, 3)), wire.CodeProtocol, "not delivered"},
		{"aside twice", frame(send(2, "a"), offered(3), order(wire.TypeAside, 3), order(wire.TypeAside, 3)), wire.CodeProtocol, "not delivered"},
		{"too many selects, with a value", frame(send(2, "a", "b"), offered(3), offered(4), offered(5)), wire.CodeLimit, "more selects"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, path).greet()
			c.Write(test.b)
			for {
				h, body, err := c.r.Next()
				if err != nil {
					t.Fatalf("no BYE: %v", err)
				}
				if h.Type != wire.TypeBye {
					continue // what was asked before
				}
				f, _ := wire.ParseBye(h, body)
				if f.Code != test.code || !strings.Contains(f.Text, test.says) {
					t.Errorf("%v", f)
				}
				break
			}
			if _, _, err := c.r.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("after BYE: %v", err)
			}
		})
	}
	witness.say(order(wire.TypeStats, 2))
	hear[*wire.Figures](witness)
}

// TestHandshakes: a stranger hears nothing, one of us hears why.
func TestHandshakes(t *testing.T) {
	_, path := start(t, Options{MaxConnections: 1})
	newer := append([]byte(wire.Magic), 9)
	resume := *hello
	resume.Epoch = 2
	us := wire.AppendPreface(nil)
	tests := []struct {
		name string
		b    []byte
		code wire.Code // 0: not a word
	}{
		{"garbage", []byte("GET / HTTP/1.1\r\n\r\n"), 0},
		{"newer", newer, wire.CodeVersion},
		{"resume", resume.Append(us), wire.CodeResume},
		{"another frame", recv(1).Append(us), wire.CodeProtocol},
		{"oversize", append(us[:len(us):len(us)], 0, 9, 0, 0, 1, 0, 0, 0), wire.CodeLimit},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, path)
			c.Write(test.b)
			if test.code == 0 {
				if n, err := c.Read(make([]byte, 1)); n != 0 {
					t.Errorf("heard something, %v", err)
				}
				return
			}
			if v, err := c.r.Preface(); v != wire.Version || err != nil {
				t.Fatal(v, err)
			}
			if f := hear[*wire.Bye](c); f.Code != test.code {
				t.Errorf("%v", f)
			}
		})
	}
	half := dial(t, path)
	half.Write(us)
	half.Write(hello.Append(nil)[:20])
	half.Close()
}

func TestTooManyConnections(t *testing.T) {
	h, path := start(t, Options{MaxConnections: 1})
	dial(t, path).greet()
	c := dial(t, path)
	c.Write(hello.Append(wire.AppendPreface(nil)))
	c.r.Preface()
	if f := hear[*wire.Bye](c); f.Code != wire.CodeLimit {
		t.Errorf("%v", f)
	}
	if n := len(h.names.named); n != 1 {
		t.Errorf("%d channels", n)
	}
}

// TestClientThatDoesNotRead: it keeps nobody, not even Close.
func TestClientThatDoesNotRead(t *testing.T) {
	h, path := start(t, Options{})
	deaf := dial(t, path).greet()
	witness := dial(t, path).greet()
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		var b []byte
		for op := uint64(2); ; op++ {
			if b = append(b, order(wire.TypeStats, op).Append(nil)...); len(b) > 1<<16 {
				if _, err := deaf.Write(b); err != nil {
					return
				}
				b = b[:0]
			}
		}
	}()
	// Its answers fill the socket and then the hub's buffer, to a limit.
	for op := uint64(2); op < 2000; op += 2 {
		witness.say(send(op, "a"), recv(op+1), order(wire.TypeTaken, op+1))
		witness.hearEnd(op, wire.CodeDone)
		hear[*wire.Deliver](witness)
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
	<-asked
}

func TestCloseCut(t *testing.T) {
	h, path := start(t, Options{})
	dial(t, path).greet()
	ctx, stop := context.WithCancelCause(context.Background())
	cause := errors.New("now")
	stop(cause)
	if err := h.Close(ctx); err != nil && !errors.Is(err, cause) {
		t.Error(err)
	}
	if err := h.Serve(listener(t)); err != ErrClosed {
		t.Errorf("Serve after Close: %v", err)
	}
}

func listener(t *testing.T) net.Listener {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListenUnix(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	l, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := ListenUnix(path); !errors.Is(err, ErrInUse) {
		t.Errorf("a second hub: %v", err)
	}
	l.Close()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}

	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(path); !errors.Is(err, ErrInUse) {
		t.Errorf("a socket somebody serves: %v", err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	l, err = ListenUnix(path)
	if err != nil {
		t.Errorf("the socket of a dead hub: %v", err)
	} else {
		l.Close()
	}

	file := filepath.Join(dir, "file")
	os.WriteFile(file, []byte("mine"), 0o600)
	if _, err := ListenUnix(file); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "mine" {
		t.Error("a file that is no socket was touched")
	}
	if _, err := ListenUnix(filepath.Join(dir, strings.Repeat("x", 100))); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a long path: %v", err)
	}
	if _, err := ListenUnix(filepath.Join(dir, "none", "s")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}
