package wire

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// TestPulse: who is heard between two beats is there, who is not is asked, and
// given up after some beats.
func TestPulse(t *testing.T) {
	var came uint64
	asked, over := 0, 0
	p := StartPulse(time.Hour, func() uint64 { return came }, func() { asked++ }, func() { over++ })
	for range 3 { // beats of an hour, by hand
		p.beat()
	}
	if asked != 3 || over != 0 {
		t.Fatalf("asked %d times, over %d", asked, over)
	}
	came++
	p.beat()
	for range 3 {
		p.beat()
	}
	if asked != 6 || over != 0 {
		t.Fatalf("asked %d times, over %d", asked, over)
	}
	p.beat()
	if over != 1 {
		t.Fatal("not over")
	}
	if _, silent := errors.AsType[*Silent](p.Stop()); !silent {
		t.Error("Stop does not say so")
	}
	p.beat() // a timer that fired just before
	if over != 1 {
		t.Error("over twice")
	}
	if err := StartPulse(0, func() uint64 { return 0 }, nil, nil).Stop(); err != nil {
		t.Error(err)
	}
}

// slow is a transport whose second read comes late.
type slow struct {
	pieces [][]byte
	late   func()
}

func (s *slow) Read(b []byte) (int, error) {
	if len(s.pieces) == 1 {
		s.late()
	}
	n := copy(b, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

// TestDistrust: what is read after a stand-still is dropped and not received.
func TestDistrust(t *testing.T) {
	frame := (&Stop{Channel: 1, Op: 1, Reason: "x"}).Append(nil)
	r := NewReader(nil, DefaultMaxBody)
	r.r = &slow{[][]byte{frame, frame}, func() { r.read = r.read.Add(-2 * time.Minute) }}
	r.Distrust(time.Minute)
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Next(); err != ErrStale {
		t.Fatalf("%v, want ErrStale", err)
	}
	if r.Have() != uint64(len(frame)) {
		t.Errorf("has %d bytes of the stream, want %d", r.Have(), len(frame))
	}
	r.Switch(NewReader(bytes.NewReader(frame), DefaultMaxBody))
	r.Distrust(time.Minute)
	if _, _, err := r.Next(); err != nil || r.Received() != uint64(2*len(frame)) {
		t.Errorf("%v, received %d", err, r.Received())
	}
}

// TestPingBesideFrames: a PING goes out ahead of what waits, and is not counted.
func TestPingBesideFrames(t *testing.T) {
	o := NewOutbox()
	o.Keep()
	o.Cork()
	o.Send(&Stop{Channel: 1, Op: 1})
	o.Ping(false)
	o.Ping(true)
	o.Ping(true)
	o.Uncork()
	o.Close()
	var got bytes.Buffer
	if err := o.Run(&got); err != nil {
		t.Fatal(err)
	}
	want := (&Stop{Channel: 1, Op: 1}).Append((&Ping{Answer: true}).Append((&Ping{}).Append(nil)))
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%x\nwant\n%x", got.Bytes(), want)
	}
	if n := len(want) - 2*HeaderLength; o.Written() != uint64(n) || o.Kept() != n {
		t.Errorf("written %d, kept %d, want %d", o.Written(), o.Kept(), n)
	}
}
