package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

var update = flag.Bool("update", false, "write the golden bytes anew")

// examples holds one frame or more of every type, in the order of the
// specification.
func examples() []Frame {
	id := func(first byte) (id ID) {
		for i := range id {
			id[i] = first + byte(i)
		}
		return id
	}
	hold := driver.Hold{ID: 0x1122334455667788, Generation: 3}
	headed := map[string]string{"traceparent": "00-01", "a": ""}
	return []Frame{
		&Hello{MaxBody: DefaultMaxBody, Session: id(0x10), Epoch: 1, Incarnation: id(0x30), PID: 4321, Resume: 5 * time.Second, Name: "demo"},
		&Hello{Features: FeatureResume, MaxBody: DefaultMaxBody, Session: id(0x10), Epoch: 2, Incarnation: id(0x30), Resume: time.Hour, Received: 70000, Name: "demo"},
		&Hello{Features: FeatureResume | FeatureToken, MaxBody: DefaultMaxBody, Session: id(0x10), Epoch: 1, Incarnation: id(0x30), Name: "demo", Token: "secret"},
		&Welcome{MaxBody: DefaultMaxBody, Attachments: 4096, Session: id(0x10), Epoch: 1, Incarnation: id(0x50), Resume: time.Minute, Received: 1 << 40, Home: "hub"},
		&Bye{Code: CodeVersion, Text: "this home speaks version 1"},
		&Ack{Received: 65540},
		&Open{Channel: 7, Op: 1, Flags: OpenSend | OpenCloseWhenSendersGone, Create: 1, Slots: -1, MaxValue: 4096,
			MaxHold: time.Second, SendTimeout: time.Minute, MaxAttempts: 5, Name: "jobs", Type: "raw:bytes", DeadLetter: "mem:dead"},
		&Opened{Channel: 7, Op: 1, Flags: CanRendezvous | CanHold | CanStop, Slots: 3, MaxValue: 4096, Ops: 16384, Bytes: 4 << 20, Select: 1, Survives: 1, Name: "jobs"},
		&Order{Type: TypeDetach, Channel: 7, Op: 2},
		&End{Channel: 7, Op: 3, N: 2},
		&End{Channel: 7, Op: 3, Flags: EndInDoubt, Code: CodeCancelled, N: 1, Text: "its receiver holds it"},
		&End{Channel: 7, Op: 3, Flags: EndNotReady},
		&Send{Channel: 7, Op: 4, Flags: FlagTry, Items: []driver.Item{{Value: []byte("hello")}}},
		&Send{Channel: 7, Op: 5, Items: []driver.Item{{Value: []byte{}}, {Value: []byte{1, 2}, Header: headed}}},
		&Receive{Type: TypeRecv, Channel: 7, Op: 6, Max: 1},
		&Receive{Type: TypeTake, Channel: 7, Op: 7, Flags: FlagTry, Max: 64},
		&Deliver{Channel: 7, Op: 6, Flags: FlagMore, Items: []driver.Item{
			{Attempt: 1, Hold: hold, Value: []byte("hello")}, {Attempt: 2, Hold: hold, Header: headed, Value: []byte{}}}},
		&Order{Type: TypeTaken, Channel: 7, Op: 6},
		&Settle{Channel: 7, Op: 8, How: HowReturn, Hold: hold, Delay: time.Second},
		&Settle{Channel: 7, Op: 9, How: HowReject, Hold: hold, Reason: "no such file"},
		&Order{Type: TypeClose, Channel: 7, Op: 10},
		&Stop{Channel: 7, Op: 11, Reason: "enough"},
		&Order{Type: TypeAwaitStop, Channel: 7, Op: 12},
		&Order{Type: TypeCancel, Channel: 7, Op: 12},
		&Order{Type: TypeStats, Channel: 7, Op: 13},
		&Figures{Channel: 7, Op: 13, Stats: driver.Stats{Slots: 3, Len: 1, Held: 2, SendersWaiting: 4, ReceiversWaiting: 5, Senders: 6,
			Receivers: 7, Sent: 1 << 40, Received: 8, Redelivered: 9, Rejected: 10, Closed: true}},
		&Ping{}, &Ping{Answer: true}, &Ask{Op: 14, Session: id(0x10), Asked: 13},
		&Fate{Op: 14, Known: FateEnded, InDoubt: true, Code: CodeCancelled, N: 2, Chosen: NoneChosen, Text: "its receiver holds it"},
		&List{Op: 14, Max: 100, After: "jobs"},
		&Names{Op: 14, More: true, Channels: []driver.Listed{
			{Name: "orders", Type: "json:order", Stats: driver.Stats{Slots: 3, Len: 1, Sent: 1, Stopped: true}}, {Name: "words"}}},
		&Select{Channel: 7, Op: 14, Flags: FlagFirst, After: time.Second, Cases: []Case{
			{Kind: CaseSend, Channel: 7, Item: driver.Item{Value: []byte("hello"), Header: headed}}, {Kind: CaseRecv, Channel: 8},
			{Kind: CaseTake, Channel: 9}, {Kind: CaseStop, Channel: 7}, {}}},
		&Chosen{Channel: 7, Op: 14, Flags: ChosenInDoubt, Code: CodeCancelled, Text: "its receiver holds it"},
		&Chosen{Channel: 7, Op: 14, Flags: ChosenValue, Case: 2, Item: driver.Item{Attempt: 1, Hold: hold, Value: []byte("hello")}},
		&Select{Channel: 7, Op: 15, Flags: FlagOffer, Ticket: 42, Cases: []Case{
			{Kind: CaseSend, Channel: 7, Item: driver.Item{Value: []byte("hello")}}, {Kind: CaseRecv, Channel: 8}}},
		&Order{Type: TypeClaim, Channel: 7, Op: 15},
		&Order{Type: TypeGrant, Channel: 7, Op: 15},
		&Order{Type: TypeRelease, Channel: 7, Op: 15},
		&Order{Type: TypeBind, Channel: 7, Op: 15},
		&Order{Type: TypeAside, Channel: 7, Op: 15},
		&Order{Type: TypeBack, Channel: 7, Op: 15},
		&Select{Channel: 7, Op: 16, Flags: FlagLook, Cases: []Case{{Kind: CaseSend, Channel: 7, Item: driver.Item{Value: []byte{}}}}},
		&Looked{Channel: 7, Op: 16, Ready: 1, Times: 3},
		&Schema{Channel: 7, Text: `mem:le:8:{Price"price"@0 float64}`},
	}
}

const goldenFile = "testdata/frames.txt"

// TestGolden compares the bytes of every frame with those on record. The bytes
// on record are the promise to peers of the same version: a difference is either
// a mistake or a new version.
func TestGolden(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "preface\n\t%x\n", AppendPreface(nil))
	for _, f := range examples() {
		bytes := f.Append(nil)
		fmt.Fprintf(&b, "%v\n", Type(bytes[4]))
		for len(bytes) > 0 {
			n := min(32, len(bytes))
			fmt.Fprintf(&b, "\t%x\n", bytes[:n])
			bytes = bytes[n:]
		}
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the bytes of frames have changed:\n%s\nwant:\n%s", b.String(), want)
	}
}

// golden returns the frames on record.
func golden(t testing.TB) [][]byte {
	text, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for line := range strings.Lines(string(text)) {
		line, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t")
		if !ok {
			frames = append(frames, nil)
			continue
		}
		b, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		last := &frames[len(frames)-1]
		*last = append(*last, b...)
	}
	return frames[1:] // without the preface
}

func TestEveryFrameReadsBack(t *testing.T) {
	seen := map[Type]bool{}
	for i, b := range golden(t) {
		h, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		seen[h.Type] = true
		f, err := Parse(h, b[HeaderLength:])
		if err != nil {
			t.Errorf("%v: %v", h.Type, err)
			continue
		}
		if want := examples()[i]; !reflect.DeepEqual(f, want) {
			t.Errorf("%v reads back as\n%+v\nwant\n%+v", h.Type, f, want)
		}
		if f.Length() != len(b) {
			t.Errorf("%v: Length is %d, the frame has %d bytes", h.Type, f.Length(), len(b))
		}
	}
	for typ := range typeNames {
		if !seen[typ] {
			t.Errorf("no golden bytes of %v", typ)
		}
	}
}

// TestEveryCutIsRefused: a body that is shorter or longer than it says is
// refused, wherever it is cut.
func TestEveryCutIsRefused(t *testing.T) {
	for _, b := range golden(t) {
		h, _ := ParseHeader(b)
		body := b[HeaderLength:]
		for n := range body {
			if f, err := Parse(h, body[:n]); err == nil {
				t.Errorf("%v cut to %d of %d bytes reads as %+v", h.Type, n, len(body), f)
			}
		}
		if _, err := Parse(h, append(bytes.Clone(body), 0)); err == nil {
			t.Errorf("%v with a byte too many is read", h.Type)
		}
		h.Flags |= 0x80
		if _, err := Parse(h, body); err == nil {
			t.Errorf("%v with an unknown flag is read", h.Type)
		}
	}
}

func TestUnknownTypes(t *testing.T) {
	if _, err := Parse(Header{Type: 0x7f}, nil); codeOf(err) != CodeProtocol {
		t.Errorf("an unknown critical frame: %v", err)
	}
	if Type(0x7f).Optional() || !Type(0x80).Optional() {
		t.Error("frames from 0x80 on may be skipped, those below may not")
	}
	if _, err := ParseHeader([]byte{0, 0, 0, 0, 1, 0, 1, 0}); err == nil {
		t.Error("a nonzero zero field is read")
	}
}

func TestErrorsCross(t *testing.T) {
	for code, sentinel := range sentinels {
		if sentinel == nil {
			continue
		}
		for _, err := range []error{sentinel, fault.Because(sentinel, "why not")} {
			c, doubt, text := CodeOf(err)
			if c != Code(code) || doubt {
				t.Errorf("%v crosses as %v, doubt %v", err, c, doubt)
			}
			back := Err(c, doubt, text, nil)
			if !errors.Is(back, sentinel) || back.Error() != err.Error() {
				t.Errorf("%v comes back as %v", err, back)
			}
		}
	}
	cause := errors.New("cause")
	c, doubt, text := CodeOf(fault.Doubtful(ErrCancelled))
	if back := Err(c, doubt, text, cause); !errors.Is(back, cause) || !errors.Is(back, fault.ErrInDoubt) {
		t.Errorf("cancelled in doubt comes back as %v", back)
	}
	if back := Err(777, false, "new", nil); back == nil || !strings.Contains(back.Error(), "777") {
		t.Errorf("an unknown code comes back as %v", back)
	}
	if Err(CodeDone, false, "", nil) != nil {
		t.Error("done is an error")
	}
}

func TestTextIsCutBetweenRunes(t *testing.T) {
	s := strings.Repeat("a", MaxText-1) + "é and more"
	if got := cut(s); got != s[:MaxText-1] {
		t.Errorf("cut to %d bytes, want %d", len(got), MaxText-1)
	}
}

// TestReader: frames come whole however the transport cuts the stream, and a
// stream that ends inside a frame has lost it.
func TestReader(t *testing.T) {
	var stream []byte
	frames := golden(t)
	for _, f := range frames {
		stream = append(stream, f...)
	}
	for size := 1; size < 200; size += 7 {
		r := NewReader(&dripping{stream, size}, DefaultMaxBody)
		for _, want := range frames {
			h, body, err := r.Next()
			if err != nil {
				t.Fatalf("reads of %d bytes: %v", size, err)
			}
			if h.Type != Type(want[4]) || !bytes.Equal(body, want[HeaderLength:]) {
				t.Fatalf("reads of %d bytes: %v differs", size, h.Type)
			}
		}
		if _, _, err := r.Next(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	}
	for n := 1; n < len(frames[0]); n++ {
		r := NewReader(bytes.NewReader(frames[0][:n]), DefaultMaxBody)
		if _, _, err := r.Next(); err != io.ErrUnexpectedEOF {
			t.Fatalf("a stream that ends after %d bytes of a frame: %v", n, err)
		}
	}
}

func TestReaderLimit(t *testing.T) {
	long := (&Send{Items: []driver.Item{{Value: make([]byte, 300<<10)}}}).Append(nil)
	r := NewReader(bytes.NewReader(long), 1000)
	if _, _, err := r.Next(); err == nil || codeOf(err) != CodeLimit {
		t.Errorf("a frame over the limit: %v", err)
	}
	if len(r.buf) != readBytes {
		t.Errorf("a frame that was refused has made the buffer %d bytes long", len(r.buf))
	}
	r = NewReader(bytes.NewReader(long), 1000)
	r.Raise(len(long))
	r.Raise(10)
	if _, body, err := r.Next(); err != nil || len(body) != len(long)-HeaderLength {
		t.Errorf("within the raised limit: %v", err)
	}
	if _, _, err := r.Next(); err != io.EOF || len(r.buf) != readBytes {
		t.Errorf("an idle reader keeps %d bytes, %v", len(r.buf), err)
	}
}

// dripping reads b by so many bytes at once.
type dripping struct {
	b    []byte
	size int
}

func (d *dripping) Read(p []byte) (int, error) {
	if len(d.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.b[:min(d.size, len(d.b))])
	d.b = d.b[n:]
	return n, nil
}

// TestOutboxCollects: what comes while a write runs goes out with the next one,
// whole and in order.
func TestOutboxCollects(t *testing.T) {
	o := NewOutbox()
	w := &gated{entered: make(chan int), leave: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- o.Run(w) }()
	frame := (&Order{Type: TypeClose, Op: 1}).Append(nil)
	if _, err := o.End(append(o.Begin(), frame...), false); err != nil {
		t.Fatal(err)
	}
	o.Flush()
	if n := <-w.entered; n != len(frame) {
		t.Fatalf("first write of %d bytes", n)
	}
	var position uint64
	for range 100 {
		position, _ = o.Send(&Order{Type: TypeClose, Op: 2})
	}
	o.Close()
	if _, err := o.Send(&Order{Type: TypeClose}); err != ErrEnded {
		t.Errorf("after Close: %v", err)
	}
	w.leave <- struct{}{}
	if n := <-w.entered; n != 100*len(frame) {
		t.Errorf("second write of %d bytes, want all that came in one", n)
	}
	w.leave <- struct{}{}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if o.Written() != position {
		t.Errorf("written %d of %d", o.Written(), position)
	}
}

// TestOutboxFailure: after a failing write Written says how far it came, and
// nothing more is taken.
func TestOutboxFailure(t *testing.T) {
	o := NewOutbox()
	first, _ := o.Send(&Order{Type: TypeClose, Op: 1})
	second, _ := o.Send(&Order{Type: TypeClose, Op: 2})
	if err := o.Run(failing(first + 3)); err != io.ErrShortWrite {
		t.Errorf("Run returned %v", err)
	}
	if w := o.Written(); w < first || w >= second {
		t.Errorf("written %d; the first frame ends at %d, the second at %d", w, first, second)
	}
	o.AwaitRoom(0)
	if _, err := o.Send(&Order{Type: TypeClose}); err != ErrEnded {
		t.Errorf("after the failure: %v", err)
	}
}

type gated struct {
	entered chan int
	leave   chan struct{}
}

func (g *gated) Write(b []byte) (int, error) {
	g.entered <- len(b)
	<-g.leave
	return len(b), nil
}

// failing takes that many bytes and no more.
type failing int

func (f failing) Write(b []byte) (int, error) { return int(f), io.ErrShortWrite }

// codeOf is the code of a protocol error, 0 if err is none.
func codeOf(err error) Code {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return 0
	}
	return e.Code
}

// TestGreetingsAreShort: whatever a side is called, its handshake is within the
// limit.
func TestGreetingsAreShort(t *testing.T) {
	long := strings.Repeat("ä", 2000)
	for _, f := range []Frame{&Hello{Name: long}, &Welcome{Home: long}, &Bye{Text: long}} {
		if n := len(f.Append(nil)) - HeaderLength; n > MaxHandshake || f.Length() != n+HeaderLength {
			t.Errorf("%T has %d bytes", f, n)
		}
	}
}

// TestCountsInFrames: what a frame counts is bounded where it is said, whatever
// bytes there are behind it.
func TestCountsInFrames(t *testing.T) {
	refused := func(what string, f Frame) {
		t.Helper()
		b := f.Append(nil)
		h, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(h, b[HeaderLength:]); err == nil {
			t.Errorf("%s: read", what)
		}
	}
	many := make([]driver.Item, MaxBatch+1)
	refused("1,025 values in a SEND", &Send{Channel: 1, Op: 1, Items: many})
	refused("1,025 values in a DELIVER", &Deliver{Channel: 1, Op: 1, Items: many})
	refused("1,025 cases", &Select{Channel: 1, Op: 1, Cases: make([]Case, 1025)})
	pairs := map[string]string{}
	for i := range MaxHeaders + 1 {
		pairs[fmt.Sprint(i)] = ""
	}
	refused("65 headers", &Send{Channel: 1, Op: 1, Items: []driver.Item{{Header: pairs}}})
	refused("32 KiB and a byte of headers", &Send{Channel: 1, Op: 1, Items: []driver.Item{{Header: map[string]string{"k": strings.Repeat("v", MaxHeaderBytes)}}}})
	refused("an empty token", &Hello{Features: FeatureToken, Epoch: 1})
	refused("a long token", &Hello{Features: FeatureToken, Epoch: 1, Token: strings.Repeat("x", MaxToken+1)})
}
