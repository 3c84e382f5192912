package netchan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/ticket"
	"github.com/handoff-go/handoff/internal/wire"
)

// fuzzPatience bounds what a target waits for.
const fuzzPatience = 20 * time.Second

// victim is a link with one of everything under way, whose home may say anything.
type victim struct {
	t        *testing.T
	link     *link
	at       *attachment
	home     net.Conn      // the home's end of the connection
	heard    chan struct{} // closed when the home hears nothing more
	answered chan struct{} // one slot: it heard the answer to a PING
	orders   []wire.Order  // that it heard
	busy     *ticket.Ticket
	ops      []*driver.Op
	finished chan *driver.Op
	replies  []chan answer
}

// manner is how a home is, else as it should be.
type manner struct {
	resumes bool // sessions, by nothing: nobody answers a second time
	deaf    bool // it hears no more than HELLO
	still   bool // no heartbeats
}

// greeted is a victim whose home has said its WELCOME.
func greeted(t *testing.T, of manner) *victim {
	v := &victim{t: t, heard: make(chan struct{}), answered: make(chan struct{}, 1), finished: make(chan *driver.Op, 64)}
	home, conn := net.Pipe()
	to := place{key: "fuzz", name: "fuzz", beat: time.Hour, dial: once(conn)}
	features := wire.FeatureSelect | wire.FeatureFate
	if !of.still {
		features |= wire.FeaturePing
	}
	if of.resumes {
		to.resume = time.Nanosecond
		features |= wire.FeatureResume
	}
	go func() {
		defer close(v.heard)
		r := wire.NewReader(home, wire.DefaultMaxBody)
		r.Preface()
		h, body, _ := r.Next()
		hello, err := wire.ParseHello(h, body)
		if err != nil {
			t.Error(err)
			home.Close()
			return
		}
		welcome := wire.Welcome{
			Features: features, MaxBody: wire.DefaultMaxBody, Attachments: 9,
			Session: hello.Session, Epoch: 1, Resume: to.resume,
		}
		home.Write(welcome.Append(wire.AppendPreface(nil)))
		for err == nil && !of.deaf {
			h, body, err = r.Next()
			var f wire.Order
			switch {
			case err != nil:
			case h.Type == wire.TypePing:
				select {
				case v.answered <- struct{}{}:
				default: // nobody asked
				}
			case f.Parse(h, body) == nil:
				v.orders = append(v.orders, f)
			}
		}
	}()
	l, err := connect(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	l.lost, l.left = func() {}, func() bool { return false }
	go l.run()
	v.link, v.home = l, home
	v.at = &attachment{link: l, id: 1, cfg: driver.Config{Send: true, Receive: true, OpTimeout: time.Hour, CancelGrace: time.Hour}}
	v.at.opened(&wire.Opened{MaxValue: fuzzMaxValue, Ops: 100, Bytes: 1 << 20, Select: 2})
	l.mu.Lock()
	l.attached[v.at], l.lastChan = struct{}{}, 1
	l.mu.Unlock()
	v.begin()
	return v
}

// fuzzMaxValue is the longest value on the victim's channel.
const fuzzMaxValue = 1000

// once dials conn, and then nothing.
func once(conn net.Conn) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		got := conn
		if conn = nil; got == nil {
			return nil, fault.ErrDenied
		}
		return got, nil
	}
}

// begin begins one of everything. The numbers are those in the seeds.
func (v *victim) begin() {
	value := []driver.Item{{Value: []byte("a")}}
	waiting, busy := new(ticket.Ticket), new(ticket.Ticket)
	for _, word := range []*ticket.Ticket{waiting, busy} {
		word.SetBell(make(chan struct{}, 1))
		word.Reset()
	}
	busy.Claim() // by another home
	v.busy = busy
	choose := func() driver.Op {
		return driver.Op{Kind: driver.OpSelect, Number: 7, Cases: []driver.Case{
			{Channel: v.at, Op: &driver.Op{Kind: driver.OpRecv, Max: 1}},
			{Channel: v.at, Op: &driver.Op{Kind: driver.OpSend, Items: value}},
			{Channel: v.at, Op: &driver.Op{Kind: driver.OpAwaitStop}},
			{},
		}}
	}
	offer := func(word *ticket.Ticket) driver.Op { op := choose(); op.Ticket = word; return op }
	look := choose()
	look.Kind = driver.OpLook
	v.start(driver.Op{Kind: driver.OpSend, Items: value})  // 1
	v.start(driver.Op{Kind: driver.OpRecv, Max: 2})        // 2
	v.start(driver.Op{Kind: driver.OpTake, Max: 3})        // 3
	v.start(driver.Op{Kind: driver.OpAwaitStop})           // 4
	v.start(choose())                                      // 5
	v.start(offer(waiting))                                // 6
	v.start(offer(busy))                                   // 7
	v.start(look)                                          // 8
	v.start(driver.Op{Kind: driver.OpDone})                // 9
	v.start(driver.Op{Kind: driver.OpRecv, Max: 2}).stop() // 10
	v.start(driver.Op{Kind: driver.OpSend, Items: value}).stop()
	v.start(choose()).stop()       // 12
	v.start(offer(waiting)).stop() // 13
	stats, detach := &wire.Order{Type: wire.TypeStats, Channel: 1}, &wire.Order{Type: wire.TypeDetach, Channel: 1}
	open, list, ask := &wire.Open{Channel: 2, MaxValue: 1 << 12, Name: "jobs"}, &wire.List{Max: 2}, &wire.Ask{}
	home := &attachment{link: v.link}
	v.ask(v.at, stats, &stats.Op)                           // 14
	v.ask(v.at, detach, &detach.Op)                         // 15
	v.ask(&attachment{link: v.link, id: 2}, open, &open.Op) // 16
	v.ask(home, list, &list.Op)                             // 17
	v.ask(home, ask, &ask.Op)                               // 18
}

// begun is an operation of a victim.
type begun struct {
	v  *victim
	op *driver.Op
}

func (v *victim) start(op driver.Op) begun {
	op.OnFinish(func(op *driver.Op) { v.finished <- op })
	v.ops = append(v.ops, &op)
	v.at.Start(&op)
	return begun{v, &op}
}

// stop cancels it. The home has not answered.
func (b begun) stop() { b.v.at.Cancel(b.op, context.Canceled) }

func (v *victim) ask(at *attachment, frame wire.Frame, number *uint64) {
	c := &call{at: at, frame: frame, number: func(op uint64) { *number = op }, reply: make(chan answer, 1)}
	v.replies = append(v.replies, c.reply)
	v.link.mu.Lock()
	v.link.begin(c)
	v.link.mu.Unlock()
	v.link.out.Flush()
}

// hears has the home say b and leave.
func (v *victim) hears(b []byte) {
	v.home.SetDeadline(time.Now().Add(fuzzPatience))
	v.home.Write(b) // as much as the victim wants to hear
	v.home.Close()
	v.ends()
}

// ends checks that everything ends, once, after the link.
func (v *victim) ends() {
	<-v.heard
	select {
	case <-v.link.over:
	case <-time.After(fuzzPatience):
		buf := make([]byte, 1<<16)
		v.t.Fatalf("the link goes on:\n%s", buf[:runtime.Stack(buf, true)])
	}
	v.busy.Release()
	v.at.Freed(v.ops[6])
	ended := map[*driver.Op]int{}
	for range len(v.finished) {
		ended[<-v.finished]++
	}
	for i, op := range v.ops {
		if ended[op] != 1 {
			v.t.Errorf("operation %d of kind %d ended %d times", i+1, op.Kind, ended[op])
		}
		if len(op.Got) > op.Max {
			v.t.Errorf("operation %d has %d values, %d were asked for", i+1, len(op.Got), op.Max)
		}
		for _, it := range op.Got {
			if len(it.Value) > fuzzMaxValue {
				v.t.Errorf("operation %d has a value of %d bytes", i+1, len(it.Value))
			}
		}
	}
	for i, reply := range v.replies {
		if len(reply) != 1 {
			v.t.Errorf("question %d has %d answers", i, len(reply))
		}
	}
}

// nonsense reports whether b has something in it, before the home parts, that no home
// may ever say.
func nonsense(b []byte) bool {
	r := wire.NewReader(bytes.NewReader(b), wire.DefaultMaxBody)
	for {
		h, body, err := r.Next()
		if err != nil {
			_, broken := errors.AsType[*wire.Error](err)
			return broken
		}
		switch _, err := wire.Parse(h, body); {
		case h.Type.Optional():
			continue
		case err != nil:
			return true
		}
		switch h.Type {
		case wire.TypeBye:
			return false
		case wire.TypeEnd, wire.TypeDeliver, wire.TypeChosen, wire.TypeClaim, wire.TypeRelease, wire.TypeBind, wire.TypeLooked,
			wire.TypeOpened, wire.TypeFigures, wire.TypeNames, wire.TypeFate, wire.TypeAck, wire.TypePing:
		default:
			return true
		}
	}
}

// homeSeeds are things a home may say to a victim, or may just not.
func homeSeeds() [][]wire.Frame {
	got := func(n int) []driver.Item {
		it := driver.Item{Attempt: 1, Hold: driver.Hold{ID: 4, Generation: 1}, Value: []byte("v"), Header: map[string]string{"k": "v"}}
		return []driver.Item{it, it, it, it}[:n]
	}
	deliver := func(op uint64, n int, flags uint8) wire.Frame {
		return &wire.Deliver{Channel: 1, Op: op, Flags: flags, Items: got(n)}
	}
	chosen := func(op uint64, i uint16, flags uint8) wire.Frame {
		return &wire.Chosen{Channel: 1, Op: op, Case: i, Flags: flags, Item: got(1)[0]}
	}
	order := func(t wire.Type, op uint64) wire.Frame { return &wire.Order{Type: t, Channel: 1, Op: op} }
	end := func(op uint64, code wire.Code) wire.Frame {
		return &wire.End{Channel: 1, Op: op, Code: code, Text: "why"}
	}
	large := &wire.Deliver{Channel: 1, Op: 2, Items: []driver.Item{{Value: make([]byte, fuzzMaxValue+1)}}}
	return [][]wire.Frame{
		{&wire.End{Channel: 1, Op: 1, N: 1}, deliver(2, 1, wire.FlagMore), deliver(2, 1, 0), deliver(3, 1, 0), end(4, wire.CodeDone)},
		{deliver(3, 1, wire.FlagMore), deliver(3, 1, wire.FlagMore), deliver(3, 1, wire.FlagMore), deliver(3, 1, 0)},
		{deliver(10, 2, wire.FlagMore), deliver(10, 2, wire.FlagMore), large},
		{chosen(5, 0, wire.ChosenValue), chosen(6, 1, 0), chosen(7, 0, wire.ChosenValue), chosen(12, 0, wire.ChosenValue)},
		{order(wire.TypeClaim, 6), chosen(6, 1, 0), order(wire.TypeClaim, 7), order(wire.TypeRelease, 7)},
		{order(wire.TypeClaim, 6), order(wire.TypeRelease, 6), order(wire.TypeClaim, 6), order(wire.TypeBind, 6), end(6, wire.CodeRejected)},
		{chosen(7, 0, wire.ChosenValue), chosen(7, 0, wire.ChosenValue), end(7, wire.CodeCancelled), order(wire.TypeClaim, 7)},
		{end(7, wire.CodeUnreachable), chosen(7, 1, 0), order(wire.TypeClaim, 13), end(13, wire.CodeCancelled)},
		{&wire.Looked{Channel: 1, Op: 8, Ready: 2, Times: 9}, end(9, wire.CodeSettled), end(11, wire.CodeCancelled), end(12, wire.CodeCancelled)},
		{&wire.Figures{Channel: 1, Op: 14}, end(15, wire.CodeDone), &wire.Opened{Channel: 2, Op: 16, MaxValue: 1 << 12, Ops: 1, Name: "jobs"},
			&wire.Names{Op: 17, More: true, Channels: []driver.Listed{{Name: "b"}}}, &wire.Fate{Op: 18, Known: wire.FateEnded, N: 1}},
		{&wire.Figures{Channel: 1, Op: 15}, end(14, wire.CodeDone), end(16, wire.CodeDone)},
		{&wire.Ping{}, &wire.Ping{Answer: true}, &wire.Ack{Received: 100}, &wire.Ack{Received: 1 << 40}, &wire.Bye{Code: wire.CodeGoingAway, Text: "bye"}},
		{order(wire.TypeTaken, 2), &wire.Hello{}, &wire.Welcome{}},
	}
}

// FuzzHome: whatever a home says once it has welcomed, the client lives, takes no more
// memory than what it was told is long, ends each operation once, and leaves a home
// that talks nonsense.
func FuzzHome(f *testing.F) {
	for _, frames := range homeSeeds() {
		var b []byte
		for _, frame := range frames {
			b = frame.Append(b)
		}
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, resume bool) {
		v := greeted(t, manner{resumes: resume})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v.hears(b)
		runtime.ReadMemStats(&after)
		if grown, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(b)); grown > most {
			t.Errorf("%d bytes cost %d of memory", len(b), grown)
		}
		if why := v.link.dead.Error(); nonsense(b) && !strings.Contains(why, "broke the rules") {
			t.Errorf("nonsense ended the link with %q", why)
		}
	})
}

// FuzzGreeting: whatever answers a HELLO, there is a link to a home that knows our
// session, or an error.
func FuzzGreeting(f *testing.F) {
	welcome := &wire.Welcome{MaxBody: wire.DefaultMaxBody, Attachments: 9, Epoch: 1, Home: "home"}
	for _, first := range []wire.Frame{welcome, &wire.Bye{Code: wire.CodeDenied, Text: "no"}, &wire.Ping{}} {
		b := first.Append(wire.AppendPreface(nil))
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	const session = wire.PrefaceLength + wire.HeaderLength + 8 + 4 + 4 // where WELCOME has it
	f.Fuzz(func(t *testing.T, b []byte) {
		home, conn := net.Pipe()
		home.SetDeadline(time.Now().Add(fuzzPatience))
		b, heard := bytes.Clone(b), make(chan struct{})
		go func() {
			defer close(heard)
			defer home.Close()
			hello := make([]byte, 1024)
			n, _ := home.Read(hello)
			if at := wire.PrefaceLength + wire.HeaderLength + 8 + 4; len(b) > session+16 && n > at+16 {
				copy(b[session:], hello[at:at+16])
			}
			home.Write(b)
		}()
		l, err := connect(t.Context(), place{name: "fuzz", dial: once(conn)})
		conn.Close()
		<-heard
		if err != nil {
			return
		}
		l.endLife()
		if epoch := binary.LittleEndian.Uint32(b[session+16:]); l.maxBody < wire.Overhead || epoch != 1 {
			t.Errorf("welcomed by %q", b)
		}
	})
}
