package wire

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
)

var seed = flag.Uint64("seed", 0, "the seed of the random tests, 0 for one of the clock")

// randomly returns a source that a failing test can be repeated with.
func randomly(t *testing.T) *rand.Rand {
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", n)
	return rand.New(rand.NewPCG(n, 1))
}

// errCut is how a transport of these tests breaks.
var errCut = errors.New("cut")

// tube is a transport that takes so many bytes and then breaks.
type tube struct {
	room int
	took bytes.Buffer
}

func (u *tube) Write(b []byte) (int, error) {
	n := min(len(b), u.room)
	u.took.Write(b[:n])
	u.room -= n
	if n < len(b) {
		return n, errCut
	}
	return n, nil
}

func (u *tube) Read(b []byte) (int, error) {
	if u.took.Len() == 0 {
		return 0, errCut
	}
	return u.took.Read(b)
}

// far is the other side of a session.
type far struct {
	in   *Reader
	seen []uint64 // numbers of the orders that came
	acks []uint64
}

// read reads what went through u.
func (f *far) read(t *testing.T, u *tube) {
	t.Helper()
	f.in.Switch(NewReader(u, DefaultMaxBody))
	for {
		h, body, err := f.in.Next()
		if errors.Is(err, errCut) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		frame, err := Parse(h, body)
		if err != nil {
			t.Fatal(err)
		}
		switch frame := frame.(type) {
		case *Order:
			f.seen = append(f.seen, frame.Op)
		case *Ack:
			f.acks = append(f.acks, frame.Received)
		default:
			t.Fatalf("%+v", frame)
		}
	}
}

// over writes to u until it breaks or there is nothing more.
func over(o *Outbox, u *tube) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		o.Run(u)
	}()
	o.AwaitRoom(0)
	o.Pause()
	<-ended
}

// TestResumeAtEveryCut: wherever the connections of a session break, the other
// side receives every frame once and in order.
func TestResumeAtEveryCut(t *testing.T) {
	const frames = 4
	frame := (&Order{Type: TypeClose}).Length()
	for first := range frames*frame + 1 {
		for second := range 2*frame + 1 {
			o, f := NewOutbox(), &far{in: NewReader(nil, DefaultMaxBody)}
			o.Keep()
			for op := range uint64(frames) {
				o.Send(&Order{Type: TypeClose, Op: op})
			}
			o.Received(ackEvery + 1) // an ACK between them is in nobody's stream
			for _, room := range []int{first, second, 1 << 20} {
				u := &tube{room: room}
				over(o, u)
				f.read(t, u)
				if err := o.Rewind(f.in.Have(), 0); err != nil {
					t.Fatal(err)
				}
			}
			if len(f.seen) != frames {
				t.Fatalf("cut after %d and %d bytes: received %v", first, second, f.seen)
			}
			for i, op := range f.seen {
				if op != uint64(i) {
					t.Fatalf("cut after %d and %d bytes: received %v", first, second, f.seen)
				}
			}
		}
	}
}

// TestResumeAtRandom does the same with many frames, acknowledgements and
// frames that are added while there is no transport.
func TestResumeAtRandom(t *testing.T) {
	r := randomly(t)
	o, f := NewOutbox(), &far{in: NewReader(nil, DefaultMaxBody)}
	o.Keep()
	added := uint64(0)
	for range 2000 {
		for range r.IntN(20) {
			o.Send(&Order{Type: TypeClose, Op: added})
			added++
		}
		u := &tube{room: r.IntN(300)}
		if r.IntN(10) == 0 {
			u.room = 0
		}
		over(o, u)
		f.read(t, u)
		if got := f.in.Received(); r.IntN(3) == 0 && got > o.base() {
			if err := o.Acked(got); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Rewind(f.in.Have(), 0); err != nil {
			t.Fatal(err)
		}
	}
	u := &tube{room: 1 << 30}
	over(o, u)
	f.read(t, u)
	if uint64(len(f.seen)) != added {
		t.Fatalf("received %d of %d", len(f.seen), added)
	}
	for i, op := range f.seen {
		if op != uint64(i) {
			t.Fatalf("frame %d is of %d", i, op)
		}
	}
}

// TestAck: an ACK goes out ahead of what waits, once enough was received, and
// whoever is told nonsense says so.
func TestAck(t *testing.T) {
	o, f := NewOutbox(), &far{in: NewReader(nil, DefaultMaxBody)}
	o.Keep()
	o.Received(ackEvery - 1)
	o.Received(ackEvery + 5)
	o.Send(&Order{Type: TypeClose, Op: 1})
	u := &tube{room: 1 << 20}
	over(o, u)
	if b := u.took.Bytes(); len(b) == 0 || Type(b[4]) != TypeAck {
		t.Fatalf("the first frame is no ACK: %x", b)
	}
	f.read(t, u)
	if len(f.acks) != 1 || f.acks[0] != ackEvery+5 || len(f.seen) != 1 {
		t.Fatalf("acknowledged %v, received %v", f.acks, f.seen)
	}
	if f.in.Received() != o.Written() {
		t.Fatalf("the ACK is counted: received %d of %d", f.in.Received(), o.Written())
	}
	for _, position := range []uint64{0, o.Written() + 1} {
		if err := o.Acked(position); err == nil {
			t.Errorf("acknowledged %d of %d", position, o.Written())
		}
	}
	if err := o.Acked(o.Written()); err != nil {
		t.Error(err)
	}
	if err := o.Rewind(o.Written()-1, 0); err == nil {
		t.Error("a resume from before what was acknowledged")
	}
	if err := o.Rewind(o.Written()+1, 0); err == nil {
		t.Error("a resume from behind the end")
	}
	if err := NewOutbox().Acked(1); err == nil {
		t.Error("an ACK where there is no resume")
	}
}

// TestAckOvertakesWrite: the other side may have read and acknowledged what was
// written before the write returns.
func TestAckOvertakesWrite(t *testing.T) {
	o := NewOutbox()
	o.Keep()
	w := &gated{entered: make(chan int), leave: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- o.Run(w) }()
	position, _ := o.Send(&Order{Type: TypeClose, Op: 1})
	<-w.entered
	if err := o.Acked(position); err != nil {
		t.Error(err)
	}
	w.leave <- struct{}{}
	o.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if o.Written() != position || o.base() != position || o.session.kept.length() != 0 {
		t.Errorf("written %d of %d, %d bytes kept", o.Written(), position, o.session.kept.length())
	}
}

// TestAckBetweenFrames: however little the transport takes at once, an ACK stands
// between two frames.
func TestAckBetweenFrames(t *testing.T) {
	r := randomly(t)
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	from, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from.(*net.UnixConn).SetWriteBuffer(16 << 10)

	const frames = 3000
	o := NewOutbox()
	o.Keep()
	ended := make(chan error, 1)
	go func() { ended <- o.Run(from) }()
	sizes := make([]int, frames)
	for i := range sizes {
		sizes[i] = r.IntN(30000)
	}
	go func() {
		for op, size := range sizes {
			o.Send(&Send{Op: uint64(op), Items: []driver.Item{{Value: make([]byte, size)}}})
			o.Received(uint64(op+1) * ackEvery)
			o.AwaitRoom(200000)
		}
		o.Close()
	}()
	in := NewReader(to, DefaultMaxBody)
	acks := 0
	for op := 0; op < frames; {
		h, body, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		frame, err := Parse(h, body)
		if err != nil {
			t.Fatal(err)
		}
		switch frame := frame.(type) {
		case *Ack:
			acks++
		case *Send:
			if frame.Op != uint64(op) || len(frame.Items[0].Value) != sizes[op] {
				t.Fatalf("frame %d is %d of %d bytes, want %d", op, frame.Op, len(frame.Items[0].Value), sizes[op])
			}
			op++
			if err := o.Acked(in.Received()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Logf("%d ACKs", acks)
}

// TestStall: with too much unacknowledged nothing but an ACK is written, and
// whoever waits for room is sent to read.
func TestStall(t *testing.T) {
	o := NewOutbox()
	o.Keep()
	w := &counting{make(chan uint64, 1)}
	ended := make(chan error, 1)
	go func() { ended <- o.Run(w) }()
	big := make([]byte, maxKept/4)
	add := func() {
		o.End(append(o.Begin(), big...), true)
	}
	for o.AwaitRoom(len(big)) {
		add()
	}
	if w := o.Written(); w < maxKept || w > 2*maxKept {
		t.Errorf("%d bytes were written before it stalled", w)
	}
	stalled := o.Written()
	o.Received(ackEvery)
	<-w.acks
	if o.Written() != stalled {
		t.Error("it went on without an ACK")
	}
	if err := o.Acked(stalled); err != nil {
		t.Fatal(err)
	}
	if !o.AwaitRoom(0) {
		t.Error("it did not go on after the ACK")
	}
	o.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	held := 0
	for _, part := range o.session.kept.parts {
		held += cap(part)
	}
	if held > maxKept {
		t.Errorf("%d bytes are held for %d", held, o.session.kept.length())
	}
}

// counting is a transport that takes everything and tells of ACKs.
type counting struct{ acks chan uint64 }

func (c *counting) Write(b []byte) (int, error) {
	if Type(b[4]) == TypeAck {
		c.acks <- uint64(len(b))
	}
	return len(b), nil
}

// liar is a transport whose other end acknowledges more than it was given.
type liar struct {
	o *Outbox
	t *testing.T
}

func (l liar) Write(b []byte) (int, error) {
	if err := l.o.Acked(uint64(len(b))); err != nil {
		l.t.Error(err)
	}
	return 10, io.ErrClosedPipe
}

// TestAckOfWhatIsBeingWritten harms nobody but who says it.
func TestAckOfWhatIsBeingWritten(t *testing.T) {
	o := NewOutbox()
	o.Keep()
	for i := range 1000 {
		o.Send(&Order{Type: TypeTaken, Channel: 1, Op: uint64(i + 1)})
	}
	if err := o.Run(liar{o, t}); err == nil {
		t.Error("the transport failed, and Run did not")
	}
	if n := o.Kept(); n != 0 {
		t.Errorf("%d bytes are kept", n)
	}
}

// TestRunAwaitsDirectWrites: when Run has returned nobody writes any more, or
// Rewind would pull the bytes from under his feet.
func TestRunAwaitsDirectWrites(t *testing.T) {
	for range 200 {
		o := NewOutbox()
		o.Keep()
		inside, let := make(chan struct{}), make(chan struct{})
		o.direct = func(b []byte) (int, bool) {
			close(inside)
			<-let
			return 0, false
		}
		o.End((&Order{Type: TypeTaken, Channel: 1, Op: 1}).Append(o.Begin()), false)
		flushed := make(chan struct{})
		go func() {
			defer close(flushed)
			o.Flush()
		}()
		<-inside
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			o.Pause()
			o.Run(io.Discard)
		}()
		select {
		case <-ended:
			t.Fatal("Run has returned, and a write goes on")
		case <-time.After(100 * time.Microsecond):
		}
		close(let)
		<-flushed
		<-ended
		if err := o.Rewind(0, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKept: what is kept is what was given, whatever the lengths, and is given up in
// order from the front and from the back.
func TestKept(t *testing.T) {
	rnd := randomly(t)
	var k kept
	var want []byte
	for range 5000 {
		switch rnd.IntN(4) {
		case 0:
			b := make([]byte, 1+rnd.IntN(2*longWrite))
			for i := range b {
				b[i] = byte(rnd.Uint32())
			}
			want = append(want, b...)
			if !k.add(b) {
				clear(b) // it is used again
			}
		case 1:
			n := rnd.IntN(len(want) + 1)
			k.drop(n)
			want = want[n:]
		case 2:
			n := rnd.IntN(min(len(want), longWrite) + 1)
			k.cut(n)
			want = want[:len(want)-n]
		}
		if !bytes.Equal(k.bytes(), want) || k.length() != len(want) {
			t.Fatalf("%d bytes are kept, want %d, or others", k.length(), len(want))
		}
	}
}
