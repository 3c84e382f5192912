package handoff

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/custody"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
)

// far is a channel on a medium: values become bytes, operations become driver
// operations.
type far[T any] struct {
	*link
	codec    codec.Codec[T]
	maxValue int
}

// link is an attachment on a medium, whatever its type. Waiting, deadlines and
// cancellation happen here, once for all media.
type link struct {
	ch        driver.Channel
	opTimeout time.Duration
	stop      stopWatch
}

// stopWatch waits for the senders to be asked to end: from the first time that
// somebody wants to know, until it comes or the attachment ends.
type stopWatch struct {
	once   sync.Once
	over   chan struct{} // closed when it came, or never will
	reason string        // both set before over is closed
	err    error
}

// stopped returns the watch, begun. A stop takes nothing from anybody, so it can
// be waited for in advance and seen by any number of selects.
func (l *link) stopped() *stopWatch {
	w := &l.stop
	w.once.Do(func() {
		w.over = make(chan struct{})
		op := &driver.Op{Kind: driver.OpAwaitStop}
		op.OnFinish(func(op *driver.Op) {
			w.reason, w.err = op.Reason, op.Err
			close(w.over)
		})
		l.ch.Start(op)
	})
	return w
}

// What an operation and a case of a select both answer.
var (
	errNoHold  = fault.Because(ErrUnsupported, "a hold on this medium")
	errNoStop  = fault.Because(ErrUnsupported, "a stop on this medium")
	errNothing = fault.Because(ErrUnreachable, "the medium ended a receive without a value")
)

// opTimeoutDefault bounds calls without a context.
const opTimeoutDefault = 5 * time.Second

func openFar[T any](ctx context.Context, m driver.Medium, u *url.URL, o options, rt right) (*attachment[T], error) {
	c, err := farCodec[T](codec.Options{Format: codec.Format(o.codec), Schema: o.schema})
	if err != nil {
		return nil, err
	}
	l, err := openLink(ctx, m, u, o, rt, c)
	if err != nil {
		return nil, err
	}
	name := o.name
	if name == "" {
		name = l.ch.Info().Name
	}
	return &attachment[T]{far: &far[T]{l, c, o.maxValue}, timeout: o.sendTimeout, about: &about{name: name}}, nil
}

func openLink(ctx context.Context, m driver.Medium, u *url.URL, o options, rt right, c interface{ Fingerprint() string }) (*link, error) {
	ch, err := m.Open(ctx, u, driver.Config{
		Name: o.name, Send: rt.send, Receive: rt.recv,
		Slots: o.slots, Create: o.createMode(), Type: c.Fingerprint(), Schema: codec.SchemaOf(c),
		MaxValue: o.maxValue, MaxHold: o.maxHold, SendTimeout: o.sendTimeout,
		MaxAttempts: o.maxAttempts, DeadLetter: o.deadLetter,
		CloseWhenSendersGone: o.autoClose,
		OpTimeout:            o.opTimeout, CancelGrace: o.cancelGrace,
	})
	if err != nil {
		return nil, err
	}
	if err := lacks(ch.Info(), o); err != nil {
		ch.Detach(ctx)
		return nil, err
	}
	l := &link{ch: ch, opTimeout: o.opTimeout}
	if l.opTimeout == 0 {
		l.opTimeout = opTimeoutDefault
	}
	return l, nil
}

// lacks says what o asks for and the medium says that it cannot do.
func lacks(info driver.Info, o options) error {
	switch {
	case info.Slots == 0 && !info.Can.Rendezvous:
		return fault.Because(ErrUnsupported, "a channel without slots on this medium")
	case o.deadLetter != "" && !info.Can.DeadLetter:
		return fault.Because(ErrUnsupported, "a dead letter on this medium")
	}
	return nil
}

func (l *link) stats() Stats { return l.ch.Stats() }
func (l *link) slots() int   { return l.ch.Info().Slots }

func (l *link) detach() error {
	ctx, cancel := context.WithTimeout(context.Background(), l.opTimeout)
	defer cancel()
	return l.ch.Detach(ctx)
}

// encode makes items of vs.
func (f *far[T]) encode(ctx context.Context, vs []T) ([]driver.Item, error) {
	h := headerOf(ctx)
	items := make([]driver.Item, len(vs))
	var room []byte
	for i := range vs {
		it, err := f.item(room, h, &vs[i])
		if err != nil {
			return nil, err
		}
		room = roomBehind(it.Value, len(vs)-i-1)
		it.Value = slices.Clip(it.Value)
		items[i] = it
	}
	return items, nil
}

// encodeRoom is how much memory the small values of one batch share at most.
const encodeRoom = 8 << 10

// roomBehind is memory for the value after b, of which there are so many more, that
// are probably as long: what is left of b's own, or new.
func roomBehind(b []byte, more int) []byte {
	free := b[len(b):]
	if len(b) == 0 || len(b) > encodeRoom/2 || cap(free) >= len(b) {
		return free
	}
	return make([]byte, 0, min(more*len(b), encodeRoom))
}

// item makes an item of *v, in room if it fits.
func (f *far[T]) item(room []byte, h engine.Header, v *T) (driver.Item, error) {
	b, err := f.codec.Append(room, v)
	if err != nil {
		return driver.Item{}, err
	}
	if f.maxValue > 0 && len(b) > f.maxValue {
		return driver.Item{}, fault.Because(ErrTooLarge, "%d bytes, maxvalue is %d", len(b), f.maxValue)
	}
	return driver.Item{Value: b, Header: h}, nil
}

// decode turns a received item into a value. Bytes that are not a T come from a
// peer that lied about its type, or whose type evolved into another under one
// schema; the value is lost, and an event tells it.
func (at *attachment[T]) decode(it driver.Item, v *T) error {
	if err := at.far.codec.Decode(it.Value, v); err != nil {
		event.Emit(event.Event{Kind: event.Dropped, Channel: at.title(), Op: "recv", Reason: err.Error(), Attempt: it.Attempt})
		return err
	}
	custody.Taken(v)
	return nil
}

func (at *attachment[T]) sendFar(ctx context.Context, v T) error {
	_, err := at.sendOne(ctx, &v, false)
	return err
}

func (at *attachment[T]) sendAllFar(ctx context.Context, vs []T) (int, error) {
	return at.sendItems(ctx, vs)
}

func (at *attachment[T]) trySendFar(v T) (bool, error) {
	n, err := at.sendOne(context.Background(), &v, true)
	return n == 1, err
}

func (at *attachment[T]) sendItems(ctx context.Context, vs []T) (int, error) {
	if bad := at.bad(); bad != nil {
		return 0, bad
	}
	items, err := at.far.encode(ctx, vs)
	if err != nil {
		return 0, err
	}
	op := &driver.Op{Kind: driver.OpSend, Items: items}
	err = at.far.run(ctx, op, at.timeout, ErrTimeout)
	return op.N, err
}

func (at *attachment[T]) closeFar() error { return at.simple(&driver.Op{Kind: driver.OpClose}) }

func (at *attachment[T]) stopFar(reason string) error {
	if at.bad() == nil && !at.far.ch.Info().Can.Stop {
		return errNoStop
	}
	return at.simple(&driver.Op{Kind: driver.OpStop, Reason: reason})
}

func (at *attachment[T]) settleFar(k driver.Kind, h driver.Hold, delay time.Duration, reason string) error {
	return at.simple(&driver.Op{Kind: k, Hold: h, Delay: delay, Reason: reason})
}

func (at *attachment[T]) simple(op *driver.Op) error {
	if bad := at.bad(); bad != nil {
		return bad
	}
	return at.far.call(op)
}

// receive runs one receive of up to most values.
func (at *attachment[T]) receive(ctx context.Context, k driver.Kind, most int, try bool) (*driver.Op, error) {
	op := &driver.Op{Kind: k, Max: most, Try: try}
	if bad := at.bad(); bad != nil {
		return op, bad
	}
	if k == driver.OpTake && !at.far.ch.Info().Can.Hold {
		return op, errNoHold
	}
	var err error
	if try {
		err = at.far.call(op)
	} else {
		err = at.far.run(ctx, op, 0, nil)
	}
	if err == nil && len(op.Got) == 0 && !op.NotReady {
		err = errNothing
	}
	return op, err
}

func (at *attachment[T]) recvFar(ctx context.Context) (v T, err error) {
	_, err = at.receiveOne(ctx, &v, false)
	return v, err
}

func (at *attachment[T]) tryRecvFar() (v T, ok bool, err error) {
	ok, err = at.receiveOne(context.Background(), &v, true)
	return v, ok, err
}

func (at *attachment[T]) recvIntoFar(ctx context.Context, buf []T) (int, error) {
	op, err := at.receive(ctx, driver.OpRecv, len(buf), false)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, it := range op.Got {
		if bad := at.decode(it, &buf[n]); bad != nil {
			err = bad
			continue
		}
		n++
	}
	return n, err
}

func (at *attachment[T]) takeFar(ctx context.Context) (Delivery[T], error) {
	op, err := at.receive(ctx, driver.OpTake, 1, false)
	if err != nil {
		return Delivery[T]{}, err
	}
	return at.deliveryFar(op.Got[0])
}

func (at *attachment[T]) takeIntoFar(ctx context.Context, buf []Delivery[T]) (n int, err error) {
	op, err := at.receive(ctx, driver.OpTake, len(buf), false)
	if err != nil {
		return 0, err
	}
	for _, it := range op.Got {
		d, bad := at.deliveryFar(it)
		if bad != nil {
			err = bad
			continue
		}
		buf[n] = d
		n++
	}
	return n, err
}

// deliveryFar makes a Delivery of a taken item. One that cannot be decoded is
// rejected, so that it is not handed out for ever.
func (at *attachment[T]) deliveryFar(it driver.Item) (Delivery[T], error) {
	d := Delivery[T]{Attempt: it.Attempt, Header: it.Header, at: at, far: it.Hold}
	if err := at.decode(it, &d.Value); err != nil {
		at.settleFar(driver.OpReject, it.Hold, 0, err.Error())
		return Delivery[T]{}, err
	}
	return d, nil
}
