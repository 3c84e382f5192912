package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Seam asks a medium to keep what package driver says and what no law can see
// from above: who owns which memory, that an operation ends once, what happens to
// one that nobody should have begun. fresh returns the URL of a channel that is
// not there yet, without parameters of the layer above. Run it beside [Run].
func Seam(t *testing.T, fresh func() string) {
	for _, c := range seamChecks {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithTimeout(context.Background(), seamPatience)
			defer stop()
			c.check(&seam{T: t, ctx: ctx, fresh: fresh})
		})
	}
}

// seamPatience bounds a check: reaching it is a failure.
const seamPatience = 20 * time.Second

var seamChecks = []struct {
	name  string
	check func(*seam)
}{
	{"open/parameters-it-does-not-know", seamUnknownParameter},
	{"open/who-comes-second", seamSecond},
	{"open/create", seamCreate},
	{"open/an-ended-context", seamEndedContext},
	{"info", seamInfo},
	{"rights", seamRights},
	{"nothing-to-do", seamNothing},
	{"what-it-does-not-know", seamUnknown},
	{"start-does-not-wait", seamStartReturns},
	{"in-the-order-of-start", seamOrder},
	{"finish-may-start-the-next", seamReenter},
	{"finish-comes-once", seamOnce},
	{"cancel", seamCancel},
	{"memory-of-the-sender", seamSendersMemory},
	{"memory-of-the-receiver", seamReceiversMemory},
	{"too-large", seamTooLarge},
	{"detach", seamDetach},
	{"figures-are-young", seamStats},
}

// seam is one check.
type seam struct {
	*testing.T
	ctx   context.Context
	fresh func() string
}

// everything is the configuration of a channel of four slots.
func everything() driver.Config {
	return driver.Config{Send: true, Receive: true, Slots: 4, Type: "raw:bytes"}
}

// open opens at, which must work.
func (s *seam) open(at string, cfg driver.Config) driver.Channel {
	s.Helper()
	ch, err := s.tryOpen(s.ctx, at, cfg)
	if err != nil {
		s.Fatalf("opening %s: %v", at, err)
	}
	s.Cleanup(func() { ch.Detach(context.Background()) })
	return ch
}

func (s *seam) tryOpen(ctx context.Context, at string, cfg driver.Config) (driver.Channel, error) {
	s.Helper()
	u, err := url.Parse(at)
	if err != nil {
		s.Fatal(err)
	}
	m, ok := driver.Lookup(u.Scheme)
	if !ok {
		s.Fatalf("no medium is registered for %q", u.Scheme)
	}
	return m.Open(ctx, u, cfg)
}

// refuses checks that opening at is refused for want.
func (s *seam) refuses(what, at string, cfg driver.Config, want error) {
	s.Helper()
	ch, err := s.tryOpen(s.ctx, at, cfg)
	if err == nil {
		ch.Detach(s.ctx)
	}
	if !errors.Is(err, want) {
		s.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// begun is an operation that was started.
type begun struct {
	*driver.Op
	ch    driver.Channel
	done  chan struct{}
	times atomic.Int32 // how often it ended
}

func begin(ch driver.Channel, op driver.Op) *begun {
	b := &begun{Op: &op, ch: ch, done: make(chan struct{})}
	b.OnFinish(func(*driver.Op) {
		if b.times.Add(1) == 1 {
			close(b.done)
		}
	})
	ch.Start(b.Op)
	return b
}

// wait waits for the end of b.
func (s *seam) wait(b *begun) *driver.Op {
	s.Helper()
	select {
	case <-b.done:
	case <-s.ctx.Done():
		s.Fatalf("an operation of kind %d does not end", b.Kind)
	}
	return b.Op
}

// do runs op to its end and checks its error.
func (s *seam) do(ch driver.Channel, op driver.Op, want error) *driver.Op {
	s.Helper()
	b := s.wait(begin(ch, op))
	if !errors.Is(b.Err, want) {
		s.Errorf("an operation of kind %d ended with %v, want %v", op.Kind, b.Err, want)
	}
	return b
}

func sendOp(values ...string) driver.Op {
	op := driver.Op{Kind: driver.OpSend}
	for _, v := range values {
		op.Items = append(op.Items, driver.Item{Value: []byte(v)})
	}
	return op
}

func recvOp(most int) driver.Op { return driver.Op{Kind: driver.OpRecv, Max: most} }

// with is at with a parameter more.
func with(at, parameter string) string {
	u, err := url.Parse(at)
	if err != nil {
		return at
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += parameter
	return u.String()
}

func seamUnknownParameter(s *seam) {
	s.refuses("an unknown parameter", with(s.fresh(), "nobodyknows=1"), everything(), driver.ErrConflict)
}

func seamSecond(s *seam) {
	at, cfg := s.fresh(), everything()
	s.open(at, cfg)
	other := cfg
	other.Type = "raw:string"
	s.refuses("another type", at, other, driver.ErrTypeMismatch)
	other = cfg
	other.Slots = 5
	s.refuses("other slots", at, other, driver.ErrConflict)
	other.Slots = -1
	if n := s.open(at, other).Info().Slots; n != 4 {
		s.Errorf("who does not say how many slots finds %d, want 4", n)
	}
}

func seamCreate(s *seam) {
	at, cfg := s.fresh(), everything()
	cfg.Create = driver.CreateNo
	s.refuses("create=no of nothing", at, cfg, driver.ErrNotFound)
	cfg.Create = driver.CreateNew
	s.open(at, cfg)
	s.refuses("create=new of what is there", at, cfg, driver.ErrConflict)
	cfg.Create = driver.CreateNo
	s.open(at, cfg)
}

func seamEndedContext(s *seam) {
	ctx, stop := context.WithCancel(s.ctx)
	stop()
	ch, err := s.tryOpen(ctx, s.fresh(), everything())
	if err == nil {
		ch.Detach(s.ctx)
	}
	if !errors.Is(err, context.Canceled) {
		s.Errorf("opened with a context that has ended: %v", err)
	}
}

func seamInfo(s *seam) {
	info := s.open(s.fresh(), everything()).Info()
	if info.Name == "" || info.Slots != 4 {
		s.Errorf("%+v, want a name and 4 slots", info)
	}
	if (info.Can.Select == driver.SelectHome) && info.Home == "" {
		s.Error("channels that can be selected over at their home do not say which home")
	}
}

func seamRights(s *seam) {
	at, cfg := s.fresh(), everything()
	cfg.Receive = false
	recv := recvOp(1)
	recv.Try = true
	s.do(s.open(at, cfg), recv, driver.ErrDenied)
	cfg.Send, cfg.Receive = false, true
	s.do(s.open(at, cfg), sendOp("a"), driver.ErrDenied)
}

func seamNothing(s *seam) {
	ch := s.open(s.fresh(), everything())
	if op := s.do(ch, sendOp(), nil); op.N != 0 {
		s.Errorf("a send of nothing has sent %d", op.N)
	}
	if op := s.do(ch, recvOp(0), nil); len(op.Got) != 0 {
		s.Errorf("a receive of nothing has received %d", len(op.Got))
	}
}

func seamUnknown(s *seam) {
	ch := s.open(s.fresh(), everything())
	can := ch.Info().Can
	s.do(ch, driver.Op{Kind: 250}, driver.ErrUnsupported)
	if can.Select != driver.SelectClaims {
		op := recvOp(1)
		op.Ticket = new(driver.Ticket)
		s.do(ch, op, driver.ErrUnsupported)
	}
	if can.Select == driver.SelectNone {
		recv := recvOp(1)
		s.do(ch, driver.Op{Kind: driver.OpSelect, Cases: []driver.Case{{Channel: ch, Op: &recv}}}, driver.ErrUnsupported)
	}
	if !can.Hold {
		s.do(ch, driver.Op{Kind: driver.OpTake, Max: 1}, driver.ErrUnsupported)
		return
	}
	for _, kind := range []driver.Kind{driver.OpDone, driver.OpReturn, driver.OpReject} {
		s.do(ch, driver.Op{Kind: kind, Hold: driver.Hold{ID: 1 << 40, Generation: 7}}, driver.ErrSettled)
	}
}

func seamStartReturns(s *seam) {
	ch := s.open(s.fresh(), everything())
	started := make(chan *begun)
	go func() { started <- begin(ch, recvOp(1)) }()
	select {
	case b := <-started:
		s.do(ch, sendOp("a"), nil)
		s.wait(b)
	case <-s.ctx.Done():
		s.Fatal("Start of a receive that has to wait does not return")
	}
}

func seamOrder(s *seam) {
	const n = 200
	cfg := everything()
	cfg.Slots = n
	ch := s.open(s.fresh(), cfg)
	var sends []*begun
	for i := range n {
		sends = append(sends, begin(ch, sendOp(fmt.Sprint(i))))
	}
	closing := begin(ch, driver.Op{Kind: driver.OpClose})
	for i, b := range sends {
		if op := s.wait(b); op.Err != nil {
			s.Fatalf("send %d, started before the close: %v", i, op.Err)
		}
	}
	if op := s.wait(closing); op.Err != nil {
		s.Fatal(op.Err)
	}
	for i := range n {
		if op := s.do(ch, recvOp(1), nil); len(op.Got) != 1 || string(op.Got[0].Value) != fmt.Sprint(i) {
			s.Fatalf("value %d is %+v", i, op.Got)
		}
	}
	s.do(ch, recvOp(1), driver.ErrClosed)
}

func seamReenter(s *seam) {
	ch := s.open(s.fresh(), everything())
	const rounds = 100
	over := make(chan error, 1)
	var send func(left int)
	next := func(f func(int), left int) func(*driver.Op) {
		return func(op *driver.Op) {
			if op.Err != nil || left == 0 {
				over <- op.Err
				return
			}
			f(left)
		}
	}
	recv := func(left int) {
		op := recvOp(1)
		op.OnFinish(next(send, left-1))
		ch.Start(&op)
	}
	send = func(left int) {
		op := sendOp("a")
		op.OnFinish(next(recv, left))
		ch.Start(&op)
	}
	go send(rounds)
	select {
	case err := <-over:
		if err != nil {
			s.Error(err)
		}
	case <-s.ctx.Done():
		s.Fatal("an operation started from within Finish does not end: is Finish called with a lock held?")
	}
}

func seamOnce(s *seam) {
	ch := s.open(s.fresh(), everything())
	why := errors.New("given up")
	var all []*begun
	for range 200 {
		r, w := begin(ch, recvOp(1)), begin(ch, sendOp("a"))
		var wg sync.WaitGroup
		for _, b := range []*begun{r, w, r, w} {
			wg.Go(func() { ch.Cancel(b.Op, why) })
		}
		wg.Wait()
		all = append(all, r, w)
	}
	sent, received := 0, 0
	for _, b := range all {
		switch op := s.wait(b); {
		case op.Err != nil && !errors.Is(op.Err, why):
			s.Fatal(op.Err)
		case op.Err != nil && (len(op.Got) > 0 || op.N > 0):
			s.Fatalf("an operation that was cancelled has an effect: %+v", op)
		case op.Kind == driver.OpSend && op.Err == nil:
			sent++
		case op.Err == nil:
			received += len(op.Got)
		}
	}
	for op := recvOp(1); received < sent; op = recvOp(1) {
		op.Try = true
		if op := s.do(ch, op, nil); op.NotReady {
			break
		}
		received++
	}
	if sent != received {
		s.Errorf("%d values were sent and %d received", sent, received)
	}
	for _, b := range all {
		if n := b.times.Load(); n != 1 {
			s.Fatalf("an operation ended %d times", n)
		}
	}
}

func seamCancel(s *seam) {
	ch := s.open(s.fresh(), everything())
	why := errors.New("given up")
	b := begin(ch, recvOp(1))
	ch.Cancel(b.Op, why)
	ch.Cancel(b.Op, errors.New("given up again"))
	if op := s.wait(b); !errors.Is(op.Err, why) || len(op.Got) > 0 {
		s.Errorf("a receive that was cancelled ended with %v, %v", op.Got, op.Err)
	}
	sent := begin(ch, sendOp("a"))
	s.wait(sent)
	ch.Cancel(sent.Op, why) // too late
	if sent.Err != nil || sent.N != 1 {
		s.Errorf("a send that had ended is now %d, %v", sent.N, sent.Err)
	}
	if op := s.do(ch, recvOp(1), nil); len(op.Got) != 1 || op.Got[0].Attempt != 1 {
		s.Errorf("received %+v, want one value, the first time", op.Got)
	}
}

func seamSendersMemory(s *seam) {
	ch := s.open(s.fresh(), everything())
	value, header := []byte("value"), map[string]string{"k": "v"}
	s.do(ch, driver.Op{Kind: driver.OpSend, Items: []driver.Item{{Value: value, Header: header}}}, nil)
	copy(value, "XXXXX")
	header["k"] = "X"
	got := s.do(ch, recvOp(1), nil).Got
	if len(got) != 1 {
		s.Fatalf("received %+v", got)
	}
	if string(got[0].Value) != "value" {
		s.Errorf("received %q: the medium goes on reading a value after its send has ended", got[0].Value)
	}
	if h := got[0].Header; h != nil && h["k"] != "v" {
		s.Errorf("received the header %v: the medium goes on reading it after its send has ended", h)
	}
}

func seamReceiversMemory(s *seam) {
	ch := s.open(s.fresh(), everything())
	var got, copies []driver.Item
	for i := range 50 {
		s.do(ch, sendOp(fmt.Sprint("value ", i)), nil)
		for _, it := range s.do(ch, recvOp(1), nil).Got {
			got = append(got, it)
			copies = append(copies, driver.Item{Value: bytes.Clone(it.Value), Header: maps.Clone(it.Header)})
		}
	}
	for i := range got {
		if !bytes.Equal(got[i].Value, copies[i].Value) || string(got[i].Value) != fmt.Sprint("value ", i) {
			s.Fatalf("value %d is now %q, and was %q: the medium writes to what it has handed out", i, got[i].Value, copies[i].Value)
		}
	}
}

func seamTooLarge(s *seam) {
	cfg := everything()
	cfg.MaxValue = 10
	ch := s.open(s.fresh(), cfg)
	if op := s.do(ch, sendOp("small", "much too large"), driver.ErrTooLarge); op.N > 1 {
		s.Errorf("it has sent %d", op.N)
	}
}

func seamDetach(s *seam) {
	at := s.fresh()
	ch, witness := s.open(at, everything()), s.open(at, everything())
	waiting := begin(ch, recvOp(1))
	if err := ch.Detach(s.ctx); err != nil {
		s.Error(err)
	}
	if op := s.wait(waiting); !errors.Is(op.Err, driver.ErrDetached) {
		s.Errorf("what waited ended with %v", op.Err)
	}
	ch.Cancel(waiting.Op, errors.New("too late"))
	s.do(ch, sendOp("a"), driver.ErrDetached)
	s.do(ch, recvOp(1), driver.ErrDetached)
	s.do(ch, driver.Op{Kind: driver.OpClose}, driver.ErrDetached)
	if ch.Info().Can.Hold {
		s.do(ch, driver.Op{Kind: driver.OpDone, Hold: driver.Hold{ID: 1}}, driver.ErrSettled)
	}
	ch.Stats() // of what was known
	if err := ch.Detach(s.ctx); !errors.Is(err, driver.ErrDetached) {
		s.Errorf("a second Detach: %v", err)
	}
	s.do(witness, sendOp("a"), nil)
}

func seamStats(s *seam) {
	ch := s.open(s.fresh(), everything())
	s.do(ch, sendOp("a", "b"), nil)
	from := time.Now()
	if st := ch.Stats(); st.AsOf.Before(from) || st.Slots != 4 || st.Len != 2 || st.Sent != 2 || st.Senders != 1 || st.Receivers != 1 {
		s.Errorf("%+v, want 2 of 4, as of now", st)
	}
}
