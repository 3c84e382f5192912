package hub

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/wire"
)

// patient is a client's session that outlives its connections.
func patient(n byte, resume time.Duration) *wire.Hello {
	return &wire.Hello{
		Features: wire.FeatureResume, MaxBody: wire.DefaultMaxBody, Session: wire.ID{n}, Epoch: 1,
		Incarnation: wire.ID{0: 9, 15: n}, Resume: resume, Name: "raw",
	}
}

// come says hello and hears the answer.
func (c *raw) come(hello *wire.Hello) wire.Frame {
	c.t.Helper()
	c.Write(wire.AppendPreface(nil))
	c.say(hello)
	if v, err := c.r.Preface(); v != wire.Version || err != nil {
		c.t.Fatal(v, err)
	}
	h, body, err := c.r.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := wire.Parse(h, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

// welcome is come where the home welcomes.
func (c *raw) welcome(hello *wire.Hello) *wire.Welcome {
	c.t.Helper()
	f := c.come(hello)
	w, ok := f.(*wire.Welcome)
	if !ok {
		c.t.Fatalf("heard %+v", f)
	}
	return w
}

// refused checks that the home says BYE with code to hello.
func (c *raw) refused(hello *wire.Hello, code wire.Code, says string) {
	c.t.Helper()
	f := c.come(hello)
	if bye, ok := f.(*wire.Bye); !ok || bye.Code != code || !strings.Contains(bye.Text, says) {
		c.t.Errorf("heard %+v, want BYE %v saying %q", f, code, says)
	}
	if _, _, err := c.r.Next(); !errors.Is(err, io.EOF) {
		c.t.Errorf("after BYE: %v", err)
	}
}

// again is hello with another epoch, having received so much.
func again(hello *wire.Hello, epoch uint32, received uint64) *wire.Hello {
	next := *hello
	next.Epoch, next.Received = epoch, received
	return &next
}

var jobs = &wire.Open{Channel: 1, Op: 1, Slots: 2, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"}

// TestResume: on the next connection a client says again what the home has not
// received, and hears again what it has not received itself.
func TestResume(t *testing.T) {
	_, path := start(t, Options{})
	hello := patient(1, time.Minute)
	c := dial(t, path)
	if w := c.welcome(hello); w.Resume != time.Minute || w.Received != 0 || w.Features&wire.FeatureResume == 0 {
		t.Errorf("%+v", w)
	}
	c.say(jobs, send(2, "a"), send(3, "b"))
	hear[*wire.Opened](c)
	seen := c.r.Received()
	c.hearEnd(2, wire.CodeDone)
	c.hearEnd(3, wire.CodeDone)
	half := recv(4).Append(nil)
	c.Write(half[:len(half)-1])
	lost := make(chan struct{}, 1)
	defer event.Listen(func(e event.Event) {
		if strings.HasSuffix(e.Reason, "what it holds is kept for 1m0s") {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
	})()
	c.Close()
	<-lost // all of it was read: a connection that comes before ends this one in the middle

	c = dial(t, path)
	w := c.welcome(again(hello, 2, seen))
	if want := uint64(jobs.Length() + 2*send(2, "a").Length() + len(half) - 1); w.Received != want || w.Epoch != 2 {
		t.Errorf("received %d of %d, epoch %d", w.Received, want, w.Epoch)
	}
	c.hearEnd(2, wire.CodeDone)
	c.hearEnd(3, wire.CodeDone)
	c.Write(half[len(half)-1:])
	if it := hear[*wire.Deliver](c).Items[0]; string(it.Value) != "a" || it.Attempt != 1 {
		t.Errorf("%q, attempt %d", it.Value, it.Attempt)
	}
}

// TestWrongResume: who is not the session's client does not get it, and the
// session does not notice.
func TestWrongResume(t *testing.T) {
	_, path := start(t, Options{})
	hello := patient(1, time.Minute)
	first := dial(t, path)
	first.welcome(hello)
	first.say(jobs)
	hear[*wire.Opened](first)
	second := dial(t, path)
	second.welcome(again(hello, 5, first.r.Received()))

	stranger := again(hello, 6, 0)
	stranger.Incarnation[3]++
	hasty := patient(3, 0)
	dial(t, path).welcome(hasty)
	for _, test := range []struct {
		hello *wire.Hello
		says  string
	}{
		{stranger, "another process"},
		{hello, "connection 1 of the session comes after connection 5"}, // a replay
		{again(hello, 5, 0), "connection 5 of the session comes after connection 5"},
		{again(patient(2, time.Minute), 2, 0), "no such session"},
		{again(hasty, 2, 0), "no such session"}, // it asked for no resume
	} {
		dial(t, path).refused(test.hello, wire.CodeResume, test.says)
	}
	second.say(send(2, "a"))
	second.hearEnd(2, wire.CodeDone)
	if _, _, err := first.r.Next(); err == nil {
		t.Error("the older connection is still heard")
	}
}

// TestStolen: what is said over the older connection at the moment of the takeover
// is heard then, or when it is said again, and once.
func TestStolen(t *testing.T) {
	_, path := start(t, Options{})
	hello := patient(1, time.Minute)
	c := dial(t, path)
	c.welcome(hello)
	open := *jobs
	open.Slots = 100
	c.say(&open)
	hear[*wire.Opened](c)
	said, heard := uint64(open.Length()), c.r.Received()
	const turns = 50
	for turn := range uint32(turns) {
		frame := send(uint64(turn)+2, fmt.Sprint(turn))
		said += uint64(frame.Length())
		over := make(chan struct{})
		go func(old *raw) {
			defer close(over)
			old.Write(frame.Append(nil))
		}(c)
		next := dial(t, path)
		if w := next.welcome(again(hello, turn+2, heard)); w.Received != said {
			if w.Received != said-uint64(frame.Length()) {
				t.Fatalf("received %d of %d", w.Received, said)
			}
			next.say(frame)
		}
		heard += uint64(next.hearEnd(uint64(turn)+2, wire.CodeDone).Length())
		<-over
		c = next
	}
	c.say(&wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: turns + 2, Max: turns + 1})
	items := hear[*wire.Deliver](c).Items
	for i, it := range items {
		if string(it.Value) != fmt.Sprint(i) {
			t.Errorf("value %d is %q", i, it.Value)
		}
	}
	if len(items) != turns {
		t.Errorf("%d values of %d", len(items), turns)
	}
}

// TestWrongPositions: a position that cannot be ends the session.
func TestWrongPositions(t *testing.T) {
	h, path := start(t, Options{})
	for i, test := range []struct {
		name string
		do   func(c *raw, hello *wire.Hello) *raw
	}{
		{"a resume from behind the end", func(c *raw, hello *wire.Hello) *raw {
			c = dial(t, path)
			c.refused(again(hello, 2, 1<<40), wire.CodeProtocol, "a resume from")
			return nil
		}},
		{"a resume from before an ACK", func(c *raw, hello *wire.Hello) *raw {
			c.say(&wire.Ack{Received: c.r.Received()}, order(wire.TypeStats, 2))
			hear[*wire.Figures](c)
			c = dial(t, path)
			c.refused(again(hello, 2, 0), wire.CodeProtocol, "a resume from")
			return nil
		}},
		{"an ACK of what was not sent", func(c *raw, _ *wire.Hello) *raw {
			c.say(&wire.Ack{Received: c.r.Received() + 1})
			return c
		}},
		{"an ACK of nothing", func(c *raw, _ *wire.Hello) *raw {
			c.say(&wire.Ack{})
			return c
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			hello := patient(byte(i), time.Minute)
			c := dial(t, path)
			c.welcome(hello)
			c.say(jobs)
			hear[*wire.Opened](c)
			if c = test.do(c, hello); c != nil {
				if bye := hear[*wire.Bye](c); bye.Code != wire.CodeProtocol {
					t.Errorf("%+v", bye)
				}
			}
			dial(t, path).refused(again(hello, 9, 0), wire.CodeResume, "")
		})
	}
	// A client that is sent away may hear of it before its session is over.
	for deadline := time.Now().Add(patience); attached(h) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d attachments are left", attached(h))
		}
	}
}

func attached(h *Hub) (n int) {
	for _, s := range h.Channels() {
		n += s.Senders + s.Receivers
	}
	return n
}

// TestAckWithoutResume: where there is no resume there is no ACK.
func TestAckWithoutResume(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	c.say(&wire.Ack{Received: 1})
	if bye := hear[*wire.Bye](c); bye.Code != wire.CodeProtocol {
		t.Errorf("%+v", bye)
	}
}

// TestGrant: a home grants no more than it wants to.
func TestGrant(t *testing.T) {
	_, path := start(t, Options{MaxResume: time.Second})
	_, never := start(t, Options{MaxResume: -1})
	old := patient(4, time.Minute)
	old.Features = 0
	for _, test := range []struct {
		path  string
		hello *wire.Hello
		want  time.Duration
	}{
		{path, patient(1, time.Hour), time.Second},
		{path, patient(2, time.Millisecond), time.Millisecond},
		{path, patient(3, 0), 0},
		{path, old, 0},
		{never, patient(1, time.Hour), 0},
	} {
		if w := dial(t, test.path).welcome(test.hello); w.Resume != test.want {
			t.Errorf("asked for %v, granted %v, want %v", test.hello.Resume, w.Resume, test.want)
		}
	}
}

// TestDeaf: a client that reads, asks on and never acknowledges is ended, and
// what is kept for it is bounded until then.
func TestDeaf(t *testing.T) {
	h, path := start(t, Options{})
	c := dial(t, path)
	c.welcome(patient(1, time.Hour))
	c.say(jobs, send(2, strings.Repeat("x", 1<<20)))
	read := make(chan *wire.Bye)
	go func() {
		for {
			h, body, err := c.r.Next()
			if err != nil {
				t.Error(err)
				read <- nil
				return
			}
			if h.Type == wire.TypeBye {
				bye, _ := wire.ParseBye(h, body)
				read <- bye
				return
			}
		}
	}()
	// Each turn costs a megabyte of answers: the value goes out and comes back.
	for op := uint64(3); ; op++ {
		frames := (&wire.Receive{Type: wire.TypeTake, Channel: 1, Op: op, Max: 1, Flags: wire.FlagTry}).Append(nil)
		frames = order(wire.TypeCancel, op).Append(frames)
		for range 4000 {
			op++
			frames = order(wire.TypeStats, op).Append(frames)
		}
		if _, err := c.Write(frames); err != nil {
			break
		}
		for s := range sessions(h) {
			if n := s.out.Kept(); n > 16<<20 {
				t.Fatalf("%d bytes are kept", n)
			}
		}
	}
	if bye := <-read; bye == nil || bye.Code != wire.CodeLimit {
		t.Errorf("%+v", bye)
	}
}

func sessions(h *Hub) map[*session]struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.sessions)
}

// TestBrokenSessionsCount: a session that waits for its client takes a place, and
// its client finds it.
func TestBrokenSessionsCount(t *testing.T) {
	_, path := start(t, Options{MaxConnections: 1})
	hello := patient(1, time.Hour)
	c := dial(t, path)
	c.welcome(hello)
	c.Close()
	dial(t, path).refused(patient(2, time.Hour), wire.CodeLimit, "1 connections")
	dial(t, path).welcome(again(hello, 2, 0))
}
