package netchan_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/wire"
)

// fake is the faker of Unix sockets.
func fake(t *testing.T, answer func(net.Conn)) (at string) {
	t.Helper()
	return transport{listen: listenUnix}.fake(t, answer)
}

// says answers with b once the client has said something.
func says(b []byte) func(net.Conn) {
	return func(conn net.Conn) {
		conn.Read(make([]byte, 1024))
		conn.Write(b)
		conn.Read(make([]byte, 1024)) // until the client leaves
	}
}

func preface(first ...wire.Frame) []byte { return append(wire.AppendPreface(nil), frames(first...)...) }

func frames(all ...wire.Frame) (b []byte) {
	for _, f := range all {
		b = f.Append(b)
	}
	return b
}

// TestNotAHome: whatever answers, opening ends with a clear error.
func TestNotAHome(t *testing.T) {
	newer := preface(&wire.Bye{Code: wire.CodeVersion, Text: "go away"})
	newer[len(wire.Magic)] = 9
	tests := []struct {
		name   string
		answer func(net.Conn)
		want   error
		says   string
	}{
		{"closes", func(net.Conn) {}, driver.ErrUnreachable, "without a word"},
		{"http", says([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), driver.ErrUnreachable, "not a handoff home"},
		{"short", says([]byte("hand")), driver.ErrUnreachable, ""},
		{"newer", says(newer), driver.ErrUnsupported, "version 9 of the wire, this program version 1"},
		{"refuses", says(preface(&wire.Bye{Code: wire.CodeLimit, Text: "too many"})), driver.ErrFull, "too many"},
		{"half a frame", says(preface(&wire.Welcome{MaxBody: wire.DefaultMaxBody})[:20]), driver.ErrUnreachable, ""},
		{"another session", says(preface(&wire.Welcome{MaxBody: wire.DefaultMaxBody})), driver.ErrUnreachable, "another session"},
		{"oversize", says(append(preface(), 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0)), driver.ErrUnreachable, "at most 1024"},
		{"another frame", says(preface(&wire.Order{Type: wire.TypeClose})), driver.ErrUnreachable, "instead of WELCOME"},
	}
	overFakes(t, func(t *testing.T, fake faker) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				_, err := tryOpen(fake(t, func(conn net.Conn) {
					// Half an answer ends with the connection.
					if test.name == "short" || test.name == "half a frame" {
						conn.SetDeadline(time.Now().Add(10 * time.Millisecond))
					}
					test.answer(conn)
				}), "jobs", both)
				if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%v, want %v saying %q", err, test.want, test.says)
				}
			})
		}
	})
}

func TestSilentHome(t *testing.T) {
	overFakes(t, func(t *testing.T, fake faker) {
		at := fake(t, func(conn net.Conn) { conn.Read(make([]byte, 1024)); conn.Read(make([]byte, 1)) })
		cause := errors.New("tired of waiting")
		ctx, stop := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, cause)
		defer stop()
		_, err := openWithin(ctx, at, "jobs", both)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cause) {
			t.Errorf("opening at a home that is silent: %v", err)
		}
	})
}

// welcoming is a home that answers up to OPEN and then says b to a SEND.
func welcoming(t *testing.T, opened *wire.Opened, b []byte) string {
	return fake(t, welcomes(t, opened, b))
}

func welcomes(t *testing.T, opened *wire.Opened, b []byte) func(net.Conn) {
	return func(conn net.Conn) {
		r := welcome(t, conn)
		if r == nil {
			return
		}
		r.Next() // OPEN
		conn.Write(opened.Append(nil))
		r.Next() // SEND
		conn.Write(b)
	}
}

// TestAnswerCutAtEveryByte: an answer that does not come whole is none.
func TestAnswerCutAtEveryByte(t *testing.T) {
	opened := &wire.Opened{Channel: 1, Op: 1, MaxValue: 100, Ops: 10, Bytes: 1000}
	end := (&wire.End{Channel: 1, Op: 2, N: 1}).Append(nil)
	overFakes(t, func(t *testing.T, fake faker) {
		for k := range len(end) + 1 {
			e := open(t, fake(t, welcomes(t, opened, end[:k])), "jobs", both)
			if k < len(end) {
				e.send("a").want(t, driver.ErrInDoubt)
			} else {
				e.send("a").want(t, nil)
			}
		}
	})
}

// TestHomeBreaksTheRules: a home that sends what it must not is left, and what
// was under way ends.
func TestHomeBreaksTheRules(t *testing.T) {
	opened := &wire.Opened{Channel: 1, Op: 1, MaxValue: 100, Ops: 10, Bytes: 1000, Flags: wire.CanHold}
	end := func(change func(*wire.End)) []byte {
		f := &wire.End{Channel: 1, Op: 2}
		change(f)
		return f.Append(nil)
	}
	tests := []struct {
		name string
		b    []byte
		says string
	}{
		{"garbage", []byte("GET / HTTP/1.1\r\n\r\n"), "broke the rules"},
		{"half a frame", end(func(f *wire.End) {})[:10], "middle of a frame"},
		{"nothing", nil, "closed the connection"},
		{"unknown critical", []byte{0, 0, 0, 0, 0x7f, 0, 0, 0}, "not known"},
		{"optional, then oversize", []byte{0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0xf0, 0x13, 0, 0, 0}, "at most"},
		{"another operation", end(func(f *wire.End) { f.Op = 3 }), "not under way"},
		{"another channel", end(func(f *wire.End) { f.Channel = 2 }), "not under way"},
		{"too many sent", end(func(f *wire.End) { f.N = 2 }), "more values than were sent"},
		{"a delivery to a send", (&wire.Deliver{Channel: 1, Op: 2, Items: items("x")}).Append(nil), "something else"},
		{"opened twice", (&wire.Opened{Channel: 1, Op: 2, MaxValue: 1, Ops: 1}).Append(nil), "something else"},
		{"a client's frame", (&wire.Order{Type: wire.TypeClose, Channel: 1, Op: 2}).Append(nil), "from the home"},
		{"a choice to a send", (&wire.Chosen{Channel: 1, Op: 2}).Append(nil), "something else"},
		{"bye", (&wire.Bye{Code: wire.CodeProtocol, Text: "you broke it"}).Append(nil), "you broke it"},
	}
	overFakes(t, func(t *testing.T, fake faker) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				e := open(t, fake(t, welcomes(t, opened, test.b)), "jobs", both)
				p := e.send("a")
				if p.want(t, driver.ErrInDoubt); !strings.Contains(p.Err.Error(), test.says) {
					t.Errorf("%v, want it to say %q", p.Err, test.says)
				}
				e.recv(1).want(t, driver.ErrUnreachable)
			})
		}
	})
}

// TestHomeEndsReceiveWithNothing: a receive that ends well has a value.
func TestHomeEndsReceiveWithNothing(t *testing.T) {
	opened := &wire.Opened{Channel: 1, Op: 1, MaxValue: 100, Ops: 10, Bytes: 1000, Flags: wire.CanHold | wire.CanRendezvous}
	path := welcoming(t, opened, (&wire.End{Channel: 1, Op: 2}).Append(nil))
	r, err := handoff.OpenReceiver[string](t.Context(), "unix:"+path+"?chan=jobs")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := r.Recv(t.Context()); err == nil {
		t.Fatalf("received %q from a home that sent nothing", v)
	}
}

// TestUnreadableValues: of a batch the values that are not of the receiver's type
// are lost and told; the others are not.
func TestUnreadableValues(t *testing.T) {
	type loose struct{ X any }
	type strict struct{ X string }
	_, path := serve(t, hub.Options{})
	url := "unix:" + path + "?chan=jobs&slots=4"
	s, err := handoff.OpenSender[loose](t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	r, err := handoff.OpenReceiver[strict](t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SendAll(t.Context(), []loose{{"one"}, {2}, {"three"}, {"four"}}); err != nil {
		t.Fatal(err)
	}
	buf := make([]strict, 8)
	n, err := r.RecvInto(t.Context(), buf)
	if n != 3 || !errors.Is(err, handoff.ErrTypeMismatch) || buf[0].X != "one" || buf[1].X != "three" || buf[2].X != "four" {
		t.Fatal(n, err, buf)
	}
}
