package hub

import (
	"context"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// frames is where the reader parses into, again and again.
type frames struct {
	order   wire.Order
	send    wire.Send
	receive wire.Receive
	settle  wire.Settle
	schema  wire.Schema   // for the next OPEN
	items   []driver.Item // see kept
}

// kept are items with their values in memory of their own, good until the next.
func (f *frames) kept(items []driver.Item, lasting int) []driver.Item {
	f.items = wire.Keep(f.items[:0], items, lasting)
	return f.items
}

// handle does what one frame asks. An error ends the connection.
func (s *session) handle(h wire.Header, body []byte) error {
	switch h.Type {
	case wire.TypeSend:
		f := &s.room.send
		if err := f.Parse(h, body); err != nil {
			return err
		}
		return s.begin(h, f.Channel, f.Op, func(a *attachment) error { return a.send(f) })
	case wire.TypeRecv, wire.TypeTake:
		f := &s.room.receive
		if err := f.Parse(h, body); err != nil {
			return err
		}
		return s.begin(h, f.Channel, f.Op, func(a *attachment) error { return a.receive(f) })
	case wire.TypeSettle:
		f := &s.room.settle
		if err := f.Parse(h, body); err != nil {
			return err
		}
		return s.begin(h, f.Channel, f.Op, func(a *attachment) error { a.settle(f); return nil })
	case wire.TypeStop:
		f, err := wire.ParseStop(h, body)
		if err != nil {
			return err
		}
		return s.begin(h, f.Channel, f.Op, func(a *attachment) error { a.stop(f); return nil })
	case wire.TypeSelect:
		f, err := wire.ParseSelect(h, body)
		if err != nil {
			return err
		}
		return s.choose(f)
	case wire.TypeAck:
		f, err := wire.ParseAck(h, body)
		if err != nil {
			return err
		}
		return s.out.Acked(f.Received)
	case wire.TypePing:
		f, err := wire.ParsePing(h, body)
		if err == nil && s.beat() == 0 {
			err = wire.Unexpected(h.Type, "where there are no heartbeats")
		}
		if err == nil && !f.Answer {
			s.out.Ping(true)
		}
		return err
	case wire.TypeOpen:
		f, err := wire.ParseOpen(h, body)
		if err != nil {
			return err
		}
		return s.open(f)
	case wire.TypeSchema:
		f, err := wire.ParseSchema(h, body)
		if err != nil {
			return err
		}
		s.room.schema = *f
		return nil
	case wire.TypeList:
		return s.list(h, body)
	case wire.TypeAsk:
		return s.tellFate(h, body)
	case wire.TypeBye:
		f, err := wire.ParseBye(h, body)
		if err != nil {
			return err
		}
		return byeError{f}
	}
	return s.handleOrder(h, body)
}

// byeError is a BYE from the client.
type byeError struct{ *wire.Bye }

func (e byeError) Error() string { return "it said goodbye: " + e.Bye.String() }

// handleOrder handles the frames that say no more than what to do to which
// operation.
func (s *session) handleOrder(h wire.Header, body []byte) error {
	if h.Type.Optional() {
		return nil
	}
	f := &s.room.order
	switch h.Type {
	case wire.TypeTaken, wire.TypeCancel, wire.TypeGrant, wire.TypeAside, wire.TypeBack, wire.TypeClose, wire.TypeAwaitStop, wire.TypeStats, wire.TypeDetach:
		if err := f.Parse(h, body); err != nil {
			return err
		}
	default:
		if _, err := wire.Parse(h, body); err != nil {
			return err
		}
		return wire.Unexpected(h.Type, "from a client")
	}
	switch h.Type {
	case wire.TypeTaken, wire.TypeCancel, wire.TypeGrant, wire.TypeAside, wire.TypeBack:
		if c := s.choice(f.Op); c != nil {
			return c.order(h.Type)
		}
		if (h.Type == wire.TypeGrant || h.Type == wire.TypeBack) && f.Op <= s.lastOp {
			return nil // it has ended meanwhile, and its owner hears that
		}
		if h.Type == wire.TypeGrant || h.Type == wire.TypeAside || h.Type == wire.TypeBack {
			return wire.Unexpected(h.Type, "for a select that is not there")
		}
		a := s.attachment(f.Channel)
		if a == nil && h.Type == wire.TypeCancel && f.Op <= s.lastOp {
			return nil // it has ended with its attachment: DETACH and CANCEL need not know of each other
		}
		if a == nil {
			return wire.Unexpected(h.Type, "for an attachment that is not there")
		}
		if h.Type == wire.TypeTaken {
			return a.taken(f.Op)
		}
		a.cancel(f.Op)
		return nil
	}
	return s.begin(h, f.Channel, f.Op, func(a *attachment) error { return a.order(f) })
}

// begin has do begin the operation called id, which must be new, on an
// attachment, which must be there.
func (s *session) begin(h wire.Header, channel uint32, id uint64, do func(*attachment) error) error {
	if err := s.number(h.Type, id); err != nil {
		return err
	}
	a := s.attachment(channel)
	if a == nil {
		return wire.Unexpected(h.Type, "for an attachment that is not there")
	}
	return do(a)
}

func (s *session) attachment(channel uint32) *attachment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attached[channel]
}

// open grants an attachment, or says why not.
func (s *session) open(f *wire.Open) error {
	if err := s.number(wire.TypeOpen, f.Op); err != nil {
		return err
	}
	if f.Channel == 0 {
		return wire.Unexpected(wire.TypeOpen, "with number 0, which is no attachment's")
	}
	s.mu.Lock()
	taken, n := s.attached[f.Channel] != nil, len(s.attached)
	s.mu.Unlock()
	if taken {
		return wire.Unexpected(wire.TypeOpen, "of an attachment that is there already")
	}
	if n >= s.hub.opts.MaxAttachments {
		return s.refuse(f, fault.Because(fault.ErrFull, "a connection has %d attachments and no more", s.hub.opts.MaxAttachments))
	}
	ch, made, err := s.attach(f)
	if err != nil {
		return s.refuse(f, err)
	}
	a := newAttachment(s, f, ch)
	s.mu.Lock()
	s.attached[f.Channel] = a
	s.mu.Unlock()
	s.in.Raise(made.MaxValue + wire.Overhead)
	a.maxValue = made.MaxValue
	s.out.Send(a.granted(f))
	return nil
}

// opener is who the client is, with the rights of this moment.
func (s *session) opener() opener { return opener{s.who, s.hub.rights.Load(), s.account} }

// attach attaches to the channel f names, if the client may.
func (s *session) attach(f *wire.Open) (driver.Channel, driver.Config, error) {
	cfg := s.config(f)
	by := s.opener()
	if err := by.needs(f.Name, asks(cfg.Send, cfg.Receive, cfg.CloseWhenSendersGone)); err != nil {
		return nil, driver.Config{}, err
	}
	if err := s.account.attach(); err != nil {
		return nil, driver.Config{}, err
	}
	ch, made, err := s.hub.names.attach(by, f.Name, cfg)
	if err != nil {
		s.account.detach(1)
	}
	return ch, made, err
}

// config is what f asks for, with the schema announced before it.
func (s *session) config(f *wire.Open) driver.Config {
	cfg := driver.Config{
		Name: f.Name,
		Send: f.Flags&wire.OpenSend != 0, Receive: f.Flags&wire.OpenReceive != 0,
		Slots: int(f.Slots), Create: driver.Create(f.Create), Type: f.Type,
		MaxValue: int(f.MaxValue), MaxHold: f.MaxHold, SendTimeout: f.SendTimeout,
		MaxAttempts: int(f.MaxAttempts), DeadLetter: f.DeadLetter,
		CloseWhenSendersGone: f.Flags&wire.OpenCloseWhenSendersGone != 0,
	}
	if s.room.schema.Channel == f.Channel {
		cfg.Schema = s.room.schema.Text
	}
	s.room.schema = wire.Schema{}
	return cfg
}

// refuse answers an OPEN with why not, which is no reason to end the connection.
func (s *session) refuse(f *wire.Open, err error) error {
	s.answer(&wire.End{Channel: f.Channel, Op: f.Op}, err)
	return nil
}

// orderNeeds is what orders need, each time they are given.
var orderNeeds = map[wire.Type]right{wire.TypeClose: mayClose, wire.TypeStats: mayInspect}

// order begins an operation that has no more to say than its kind.
func (a *attachment) order(f *wire.Order) error {
	if err := a.s.opener().needs(a.name, orderNeeds[f.Type]); err != nil {
		a.s.answer(&wire.End{Channel: a.id, Op: f.Op}, err)
		return nil
	}
	switch f.Type {
	case wire.TypeClose:
		a.start(&op{id: f.Op}, driver.Op{Kind: driver.OpClose})
	case wire.TypeAwaitStop:
		return a.wait(&a.stopping, &op{id: f.Op}, driver.Op{Kind: driver.OpAwaitStop})
	case wire.TypeStats:
		a.s.out.Send(&wire.Figures{Channel: a.id, Op: f.Op, Stats: a.ch.Stats()})
	case wire.TypeDetach:
		a.detach(f.Op)
	}
	return nil
}

// maxDetaching is how many attachments of one session may be ending at once; the
// next DETACH waits for one of them, and none of them for anybody.
const maxDetaching = 64

// detach ends a, on a goroutine of its own: it may take a while, and other
// attachments go on.
func (a *attachment) detach(id uint64) {
	s := a.s
	s.mu.Lock()
	delete(s.attached, a.id)
	s.mu.Unlock()
	s.detaching <- struct{}{}
	s.others.Go(func() {
		defer func() { <-s.detaching }()
		err := a.ch.Detach(context.Background())
		a.dropLate()
		s.account.detach(1)
		s.answer(&wire.End{Channel: a.id, Op: id}, err)
	})
}
