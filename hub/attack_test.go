package hub

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/wire"
)

// The attacks of a hostile peer that other tests do not make already. SECURITY.md
// has the list of all of them.

// isCutOff waits until the home has ended the connection.
func (c *raw) isCutOff() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("still connected after %v", patience)
	}
}

// serves checks that a home still does its work.
func serves(t *testing.T, c *raw, op uint64) {
	t.Helper()
	c.say(order(wire.TypeStats, op))
	hear[*wire.Figures](c)
}

// TestAttackSlowHandshake: who says his HELLO byte by byte is cut off in time, and as
// many as there are places for handshakes at one door keep nobody from another.
func TestAttackSlowHandshake(t *testing.T) {
	l, err := ListenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quick, err := ListenUnix(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	h := New(Options{})
	const within = 500 * time.Millisecond
	h.shakeWithin = within
	served := make(chan error, 2)
	go func() { served <- h.Serve(l) }()
	go func() { served <- h.Serve(quick) }()
	defer func() {
		h.Close(context.Background())
		<-served
		<-served
	}()

	var slow []*raw
	for range maxHandshakes {
		c := call(t, l.Addr().String())
		c.Write([]byte{wire.Magic[0]})
		slow = append(slow, c)
	}
	began := time.Now()
	dial(t, quick.Addr().String()).greet()
	if took := time.Since(began); took >= within {
		t.Errorf("the other door let in after %v", took)
	}
	said := append(wire.AppendPreface(nil), hello.Append(nil)...)
	drip := make(chan struct{})
	go func() {
		defer close(drip)
		for i := 1; i < len(said); i++ {
			if _, err := slow[0].Write(said[i : i+1]); err != nil {
				return
			}
			time.Sleep(within / 20) // the attack itself: slower than the time allows
		}
		t.Error("all of a slow HELLO was taken")
	}()
	for _, c := range slow {
		c.isCutOff()
	}
	<-drip
}

// TestAttackSlowFrame: over TCP a frame that has begun ends in time or its sender is
// cut off; who says nothing at all may stay.
func TestAttackSlowFrame(t *testing.T) {
	h, address := startTCP(t, TCP{}, Options{MaxStall: 200 * time.Millisecond})
	idle, slow := call(t, address).greet(), call(t, address).greet()
	frame := send(2, strings.Repeat("x", 1000)).Append(nil)
	slow.Write(frame[:len(frame)-1])
	slow.isCutOff()
	serves(t, idle, 2)
	for name, s := range h.Channels() {
		if s.Len != 0 {
			t.Errorf("%s: half a value came in: %+v", name, s)
		}
	}
	// In time is in time: the deadline of one frame is not that of the next.
	late := call(t, address).greet()
	late.Write(frame[:9])
	late.Write(frame[9:])
	late.hearEnd(2, wire.CodeDone)
	time.Sleep(300 * time.Millisecond) // longer than a frame may take, and there is none
	serves(t, late, 3)
}

// TestAttackNeverReads: who asks and does not read the answers is cut off, and what
// waited for him is bounded by then.
func TestAttackNeverReads(t *testing.T) {
	h, address := startTCP(t, TCP{}, Options{MaxStall: 300 * time.Millisecond})
	witness := call(t, address).greet()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.(*net.TCPConn).SetReadBuffer(4096)
	deaf := &raw{conn, nil, t}
	open := &wire.Open{Channel: 1, Op: 1, Slots: 2, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"}
	conn.Write(open.Append(hello.Append(wire.AppendPreface(nil))))
	conn.SetWriteDeadline(time.Now().Add(patience))
	var b []byte
	for op := uint64(2); ; op++ {
		if b = append(b, order(wire.TypeStats, op).Append(nil)...); len(b) < 1<<16 {
			continue
		}
		if _, err := deaf.Write(b); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("still connected after %v", patience)
			}
			break
		}
		b = b[:0]
	}
	for range sessions(h) {
		serves(t, witness, witness.next())
	}
}

// next is a number that no operation of c had, in tests that use it alone.
func (c *raw) next() uint64 { return uint64(time.Now().UnixNano()) }

// TestAttackReplayedSession: the number of a session and of its process is no proof
// of who one is.
func TestAttackReplayedSession(t *testing.T) {
	h, address, alice := guardedBy(t, "")
	stolen := again(showing(patient(1, time.Minute), bobToken), 2, alice.r.Received())
	call(t, address).refused(stolen, wire.CodeResume, "another process or identity")
	stolen.Features, stolen.Token = wire.FeatureResume, ""
	call(t, address).refused(stolen, wire.CodeDenied, "who its clients are")
	serves(t, alice, 2)
	if n := len(sessions(h)); n != 1 {
		t.Errorf("%d sessions", n)
	}
	back := again(showing(patient(1, time.Minute), aliceToken), 2, alice.r.Received())
	call(t, address).welcome(back)
}

// TestAttackSessionFlood: one identity's sessions are bounded, those it left broken
// included, and others have room.
func TestAttackSessionFlood(t *testing.T) {
	_, address := startTCP(t, TCP{Tokens: true}, Options{Tokens: testTokens(t), MaxIdentitySessions: 3})
	for n := range byte(3) {
		c := call(t, address)
		c.welcome(showing(patient(n+10, time.Minute), aliceToken))
		c.Close() // and stays a session
	}
	call(t, address).refused(showing(patient(20, time.Minute), aliceToken), wire.CodeLimit, "as many sessions")
	call(t, address).welcome(showing(patient(2, time.Minute), bobToken))
}

// TestAttackChannelFlood: one identity's channels are bounded, dead letters
// included, and others may make theirs.
func TestAttackChannelFlood(t *testing.T) {
	h, address := startTCP(t, TCP{Tokens: true}, Options{Tokens: testTokens(t), MaxIdentityChannels: 3})
	c := call(t, address)
	c.welcome(showing(patient(1, time.Minute), aliceToken))
	for i, test := range []struct {
		open wire.Open
		code wire.Code
	}{
		{wire.Open{Name: "a", Slots: 1}, wire.CodeDone},
		{wire.Open{Name: "b", Slots: 1}, wire.CodeDone},
		{wire.Open{Name: "c", Slots: 1, DeadLetter: "chan=lost&slots=1"}, wire.CodeFull},
		{wire.Open{Name: "c", Slots: 1}, wire.CodeDone},
		{wire.Open{Name: "d", Slots: 1}, wire.CodeFull},
		{wire.Open{Name: "a", Slots: 1}, wire.CodeDone}, // it is there
	} {
		if code, text := c.opening(uint64(i+1), test.open); code != test.code {
			t.Errorf("%+v: %v %q", test.open, code, text)
		}
	}
	if code, text := bob(t, address).opening(1, wire.Open{Name: "e", Slots: 1}); code != wire.CodeDone {
		t.Errorf("another identity: %v %q", code, text)
	}
	if n := len(h.names.named); n != 4 {
		t.Errorf("%d channels", n)
	}
}

// TestAttackAttachmentFlood: one identity's attachments are bounded over all of its
// sessions, and those that end make room.
func TestAttackAttachmentFlood(t *testing.T) {
	_, address := startTCP(t, TCP{Tokens: true}, Options{Tokens: testTokens(t), MaxIdentityAttachments: 2})
	one, two := call(t, address), call(t, address)
	one.welcome(showing(patient(10, 0), aliceToken))
	two.welcome(showing(patient(11, 0), aliceToken))
	open := wire.Open{Name: "a", Slots: 1}
	for i, test := range []struct {
		c    *raw
		code wire.Code
	}{{one, wire.CodeDone}, {two, wire.CodeDone}, {one, wire.CodeFull}, {two, wire.CodeFull}} {
		if code, text := test.c.opening(uint64(i+1), open); code != test.code {
			t.Errorf("%d: %v %q", i, code, text)
		}
	}
	one.say(order(wire.TypeDetach, 9))
	one.hearEnd(9, wire.CodeDone)
	if code, text := two.opening(10, open); code != wire.CodeDone {
		t.Errorf("after a DETACH: %v %q", code, text)
	}
	two.Close()
	for op := uint64(20); ; op++ { // until the home has heard of it
		if code, _ := one.opening(op, open); code == wire.CodeDone {
			break
		}
		runtime.Gosched()
	}
}

// TestAttackByteFlood: the values in one identity's sends that wait are bounded over
// all of its channels; what is too much stays with its sender.
func TestAttackByteFlood(t *testing.T) {
	_, address := startTCP(t, TCP{Tokens: true}, Options{Tokens: testTokens(t), MaxIdentityBytes: 2000})
	c := call(t, address)
	c.welcome(showing(patient(1, time.Minute), aliceToken))
	for i, name := range []string{"a", "b", "c"} {
		c.say(&wire.Open{Channel: uint32(i + 1), Op: uint64(i + 1), Flags: wire.OpenSend | wire.OpenReceive, Name: name})
		hear[*wire.Opened](c)
	}
	offer := func(channel uint32, op uint64) *wire.Send {
		f := send(op, strings.Repeat("x", 800))
		f.Channel = channel
		return f
	}
	c.say(offer(1, 10), offer(2, 11), offer(3, 12))
	c.hearEnd(12, wire.CodeFull)
	choice := choose(13)
	choice.Cases = []wire.Case{{Kind: wire.CaseSend, Channel: 3, Item: offer(3, 0).Items[0]}}
	c.say(choice)
	c.hearEnd(13, wire.CodeFull)
	c.say(&wire.Order{Type: wire.TypeCancel, Channel: 1, Op: 10})
	c.hearEnd(10, wire.CodeCancelled)
	choice.Op = 14
	c.say(choice, offer(1, 15))
	c.hearEnd(15, wire.CodeFull)
	c.say(&wire.Order{Type: wire.TypeCancel, Channel: 3, Op: 14})
	c.hearEnd(14, wire.CodeCancelled)
	c.say(offer(1, 16), &wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: 17, Max: 1})
	hear[*wire.Deliver](c)
}

// TestAttackOpenAndReset: attachments opened and left as fast as frames can say it
// cost neither goroutines nor the others' time.
func TestAttackOpenAndReset(t *testing.T) {
	h, path := start(t, Options{})
	witness, c := dial(t, path).greet(), dial(t, path).greet()
	before := runtime.NumGoroutine()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		io.Copy(io.Discard, c.Conn)
	}()
	most, op := 0, uint64(2)
	var b []byte
	for range 200 {
		for range 100 {
			open := &wire.Open{Channel: 2, Op: op, Slots: -1, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"}
			b = open.Append(b)
			b = (&wire.Receive{Type: wire.TypeTake, Channel: 2, Op: op + 1, Max: wire.MaxBatch}).Append(b)
			b = (&wire.Order{Type: wire.TypeDetach, Channel: 2, Op: op + 2}).Append(b)
			op += 3
		}
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		b = b[:0]
		serves(t, witness, op)
		most = max(most, runtime.NumGoroutine()-before)
	}
	if most > maxDetaching+16 { // and a few that are not of this connection
		t.Errorf("%d goroutines more", most)
	}
	c.Close()
	<-heard
	deadline := time.Now().Add(patience)
	for h.names.named["jobs"].home.Stats().Receivers > 1 {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %+v", h.names.named["jobs"].home.Stats())
		}
		runtime.Gosched()
	}
}

// TestAttackTinyFrames: frames that mean nothing are passed over, however many.
func TestAttackTinyFrames(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	nothing := bytes.Repeat([]byte{0, 0, 0, 0, 0xff, 0, 0, 0}, 1<<13)
	for range 32 {
		if _, err := c.Write(nothing); err != nil {
			t.Fatal(err)
		}
	}
	serves(t, c, 2)
}

// TestAttackHugeMax: how many values a receive asks for costs nothing until they
// are there.
func TestAttackHugeMax(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	c.say(&wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: 2, Max: ^uint32(0)}, send(3, "a"))
	if f := hear[*wire.Deliver](c); len(f.Items) != 1 {
		t.Errorf("%+v", f)
	}
}

// TestAttackAnnouncedLength: what a frame says of its length costs memory only as its
// bytes come.
func TestAttackAnnouncedLength(t *testing.T) {
	_, path := start(t, Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range 16 {
		c := dial(t, path).greet()
		head := wire.AppendRaw(nil, wire.Header{Type: wire.TypeSend}, nil)
		head[2] = 0x10 // 1 MiB
		c.Write(append(head, byte(n)))
		witness := dial(t, path).greet() // by now it was read
		witness.Close()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("16 announcements of 1 MiB cost %d bytes", grown)
	}
}

// TestAttackNames: what could not be shown to people, or be told from another by
// eye, is no name.
func TestAttackNames(t *testing.T) {
	h, path := start(t, Options{})
	c := dial(t, path).greet()
	for i, name := range []string{
		"", "a\nb", "a\x00", "\x1b[2J", "a\x7f", "\xff", "a\xc3", string(make([]byte, 500)), "a\r", "\uFFFD",
	} {
		if code, text := c.opening(uint64(i+2), wire.Open{Name: name, Slots: 1}); code != wire.CodeConflict {
			t.Errorf("%q: %v %q", name, code, text)
		}
		letter := wire.Open{Name: "x", Slots: 1, DeadLetter: "chan=" + strings.ReplaceAll(name, "%", "%25") + "&slots=1"}
		if code, text := c.opening(uint64(i+100), letter); code != wire.CodeConflict {
			t.Errorf("dead letter %q: %v %q", name, code, text)
		}
		c = dial(t, path).greet()
	}
	if n := len(h.names.named); n != 1 {
		t.Errorf("%d channels", n)
	}
	c.opening(2, wire.Open{Name: strings.Repeat("x", wire.MaxText), Slots: 1})
	c.say(&wire.Open{Channel: 3, Op: 3, Name: strings.Repeat("x", wire.MaxText+1)})
	if bye := hear[*wire.Bye](c); bye.Code != wire.CodeProtocol {
		t.Errorf("a name of %d bytes: %v", wire.MaxText+1, bye)
	}
}
