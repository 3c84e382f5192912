package hub

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// FuzzSession: whatever a client says, the hub lives, the client's attachments
// are gone when it is, and nothing it asked for is left waiting. (A value that was
// returned with a delay may still rest.)
func FuzzSession(f *testing.F) {
	hold := driver.Hold{ID: 1}
	for _, frames := range [][]wire.Frame{
		{send(2, "a", "b"), recv(3), order(wire.TypeTaken, 3), order(wire.TypeClose, 4)},
		{&wire.Receive{Type: wire.TypeTake, Channel: 1, Op: 2, Max: 9}, send(3, "a"), &wire.Settle{Channel: 1, Op: 4, How: wire.HowReturn, Hold: hold}},
		{recv(2), order(wire.TypeCancel, 2), order(wire.TypeAwaitStop, 3), &wire.Stop{Channel: 1, Op: 4, Reason: "x"}, order(wire.TypeDetach, 5)},
		{offered(2), send(3, "a"), order(wire.TypeAside, 2), order(wire.TypeBack, 2), order(wire.TypeTaken, 2)},
		{choose(2), send(3, "a"), order(wire.TypeTaken, 2), choose(4), order(wire.TypeCancel, 4), order(wire.TypeDetach, 5)},
		{&wire.Select{Channel: 1, Op: 2, After: 1, Cases: []wire.Case{{Kind: wire.CaseSend, Channel: 1}, {Kind: wire.CaseTake, Channel: 1},
			{Kind: wire.CaseStop, Channel: 1}}}, order(wire.TypeTaken, 2), order(wire.TypeClose, 3)},
		{send(2, "1", "2", "3", "4"), order(wire.TypeCancel, 2), order(wire.TypeStats, 3), &wire.Open{Channel: 2, Op: 4, Name: "jobs", Flags: wire.OpenReceive, Slots: -1}},
	} {
		var b []byte
		for _, frame := range frames {
			b = frame.Append(b)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h := New(Options{MaxWaiting: 8})
		server, client := net.Pipe()
		client.SetDeadline(time.Now().Add(patience))
		h.enter(h.inner)
		h.accept(server, h.inner)
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			io.Copy(io.Discard, client)
		}()
		open := &wire.Open{Channel: 1, Op: 1, Slots: 2, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"}
		client.Write(append(open.Append(hello.Append(wire.AppendPreface(nil))), b...))
		client.Close()
		<-heard
		h.running.Wait()
		for name, s := range h.Channels() {
			if s.Senders != 0 || s.Receivers != 0 || s.SendersWaiting != 0 || s.ReceiversWaiting != 0 {
				t.Errorf("%q: %+v", name, s)
			}
		}
		h.Close(context.Background())
	})
}

// FuzzResume: the same where the client says the first part over one connection
// and the rest over the next, as if it did not know what was received.
func FuzzResume(f *testing.F) {
	b := order(wire.TypeTaken, 3).Append(recv(3).Append(send(2, "a", "b").Append(nil)))
	for cut := range uint16(len(b)) {
		f.Add(b, cut, uint64(cut))
	}
	f.Add((&wire.Ack{Received: 44}).Append(b), uint16(len(b)), uint64(50))
	f.Fuzz(func(t *testing.T, b []byte, cut uint16, received uint64) {
		h := New(Options{MaxWaiting: 8})
		first := patient(1, 10*time.Millisecond)
		connect := func(said []byte) {
			server, client := net.Pipe()
			client.SetDeadline(time.Now().Add(patience))
			h.enter(h.inner)
			h.accept(server, h.inner)
			heard := make(chan struct{})
			go func() {
				defer close(heard)
				io.Copy(io.Discard, client)
			}()
			client.Write(said)
			client.Close()
			<-heard
		}
		n := min(int(cut), len(b))
		connect(append(jobs.Append(first.Append(wire.AppendPreface(nil))), b[:n]...))
		connect(append(again(first, 2, received).Append(wire.AppendPreface(nil)), b[n:]...))
		h.running.Wait()
		for name, s := range h.Channels() {
			if s.Senders != 0 || s.Receivers != 0 || s.SendersWaiting != 0 || s.ReceiversWaiting != 0 {
				t.Errorf("%q: %+v", name, s)
			}
		}
		h.Close(context.Background())
	})
}
