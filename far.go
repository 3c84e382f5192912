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
	viewer   codec.Viewer[T] // codec, if it is one
	maxValue int
}

// link is an attachment on a medium, whatever its type. Waiting, deadlines and
// cancellation happen here, once for all media.
type link struct {
	ch        driver.Channel
	performer driver.Performer // ch, if it is one
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
	viewer, _ := c.(codec.Viewer[T])
	return &attachment[T]{far: &far[T]{l, c, viewer, o.maxValue}, timeout: o.sendTimeout, about: &about{name: name}}, nil
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
	l.performer, _ = ch.(driver.Performer)
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

// encode makes items of vs in r.
func (f *far[T]) encode(ctx context.Context, r *running, vs []T) error {
	h := headerOf(ctx)
	if cap(r.items) < len(vs) {
		r.items = make([]driver.Item, 0, len(vs))
	}
	r.items = r.items[:0]
	if r.room == nil && f.viewer == nil && len(vs) > 1 {
		r.room = make([]byte, 0, encodeRoom)
	}
	room := r.room[:0]
	for i := range vs {
		if f.viewer != nil {
			// The medium copies it before the caller has it back.
			if b := f.viewer.View(&vs[i]); b != nil {
				it, err := f.itemOf(b, h)
				if err != nil {
					return err
				}
				r.items = append(r.items, it)
				continue
			}
		}
		it, err := f.item(room, h, &vs[i])
		if err != nil {
			return err
		}
		if len(vs) == 1 {
			r.room = it.Value // which may have outgrown it
		}
		room = roomBehind(it.Value, len(vs)-i-1)
		it.Value = slices.Clip(it.Value)
		r.items = append(r.items, it)
	}
	r.op.Items = r.items
	return nil
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
	return f.itemOf(b, h)
}

// itemOf makes an item of the bytes of a value.
func (f *far[T]) itemOf(b []byte, h engine.Header) (driver.Item, error) {
	if f.maxValue > 0 && len(b) > f.maxValue {
		return driver.Item{}, fault.Because(ErrTooLarge, "%d bytes, maxvalue is %d", len(b), f.maxValue)
	}
	return driver.Item{Value: b, Header: h}, nil
}

// decode turns a received item into a value. Bytes that are not a T come from a
// peer that lied about its type, or whose type evolved into another under one
// schema; the value is lost, and an event tells it.
func (at *attachment[T]) decode(it *driver.Item, v *T) error {
	if err := at.far.codec.Decode(it.Value, v); err != nil {
		event.Emit(event.Event{Kind: event.Dropped, Channel: at.title(), Op: "recv", Reason: err.Error(), Attempt: it.Attempt})
		return err
	}
	custody.Taken(v)
	return nil
}

func (at *attachment[T]) sendFar(ctx context.Context, v T) error {
	_, err := at.sendItems(ctx, []T{v}, false)
	return err
}

func (at *attachment[T]) sendAllFar(ctx context.Context, vs []T) (int, error) {
	return at.sendItems(ctx, vs, false)
}

func (at *attachment[T]) trySendFar(v T) (bool, error) {
	n, err := at.sendItems(context.Background(), []T{v}, true)
	return n == 1, err
}

func (at *attachment[T]) sendItems(ctx context.Context, vs []T, try bool) (int, error) {
	if bad := at.bad(); bad != nil {
		return 0, bad
	}
	r := newRun(driver.OpSend)
	defer r.putAway()
	err := at.far.encode(ctx, r, vs)
	if err != nil {
		return 0, err
	}
	if r.op.Try = try; try {
		err = r.call(at.far.link)
	} else {
		err = r.run(ctx, at.far.link, at.timeout, ErrTimeout)
	}
	return r.op.N, err
}

func (at *attachment[T]) closeFar() error { return at.simple(newRun(driver.OpClose)) }

func (at *attachment[T]) stopFar(reason string) error {
	if at.bad() == nil && !at.far.ch.Info().Can.Stop {
		return errNoStop
	}
	r := newRun(driver.OpStop)
	r.op.Reason = reason
	return at.simple(r)
}

func (at *attachment[T]) settleFar(k driver.Kind, h driver.Hold, delay time.Duration, reason string) error {
	r := newRun(k)
	r.op.Hold, r.op.Delay, r.op.Reason = h, delay, reason
	return at.simple(r)
}

// simple runs r, which takes one round trip, and puts it away.
func (at *attachment[T]) simple(r *running) error {
	defer r.putAway()
	if bad := at.bad(); bad != nil {
		return bad
	}
	return r.call(at.far.link)
}

// receive runs one receive of up to most values. The caller puts r away, where err
// is nil too.
func (at *attachment[T]) receive(ctx context.Context, k driver.Kind, most int, try bool) (r *running, err error) {
	r = newRun(k)
	if bad := at.bad(); bad != nil {
		return r, bad
	}
	if k == driver.OpTake && !at.far.ch.Info().Can.Hold {
		return r, errNoHold
	}
	op := &r.op
	op.Max, op.Try = most, try
	if try {
		err = r.call(at.far.link)
	} else {
		err = r.run(ctx, at.far.link, 0, nil)
	}
	if err == nil && len(op.Got) == 0 && !op.NotReady {
		err = errNothing
	}
	return r, err
}

func (at *attachment[T]) recvFar(ctx context.Context) (v T, err error) {
	r, err := at.receive(ctx, driver.OpRecv, 1, false)
	defer r.putAway()
	if err == nil {
		err = at.decode(&r.op.Got[0], &v)
	}
	return v, err
}

func (at *attachment[T]) tryRecvFar() (v T, ok bool, err error) {
	r, err := at.receive(context.Background(), driver.OpRecv, 1, true)
	defer r.putAway()
	if err != nil || r.op.NotReady {
		return v, false, err
	}
	err = at.decode(&r.op.Got[0], &v)
	return v, err == nil, err
}

func (at *attachment[T]) recvIntoFar(ctx context.Context, buf []T) (int, error) {
	r, err := at.receive(ctx, driver.OpRecv, len(buf), false)
	defer r.putAway()
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range r.op.Got {
		if bad := at.decode(&r.op.Got[i], &buf[n]); bad != nil {
			err = bad
			continue
		}
		n++
	}
	return n, err
}

func (at *attachment[T]) takeFar(ctx context.Context) (Delivery[T], error) {
	r, err := at.receive(ctx, driver.OpTake, 1, false)
	defer r.putAway()
	if err != nil {
		return Delivery[T]{}, err
	}
	return at.deliveryFar(&r.op.Got[0])
}

func (at *attachment[T]) takeIntoFar(ctx context.Context, buf []Delivery[T]) (n int, err error) {
	r, err := at.receive(ctx, driver.OpTake, len(buf), false)
	defer r.putAway()
	if err != nil {
		return 0, err
	}
	for i := range r.op.Got {
		d, bad := at.deliveryFar(&r.op.Got[i])
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
func (at *attachment[T]) deliveryFar(it *driver.Item) (Delivery[T], error) {
	d := Delivery[T]{Attempt: it.Attempt, Header: it.Header, at: at, far: it.Hold}
	if err := at.decode(it, &d.Value); err != nil {
		at.settleFar(driver.OpReject, it.Hold, 0, err.Error())
		return Delivery[T]{}, err
	}
	return d, nil
}
