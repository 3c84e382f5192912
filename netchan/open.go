package netchan

import (
	"context"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// The bounds where the configuration says nothing.
const (
	defaultOpTimeout   = 5 * time.Second
	defaultCancelGrace = time.Second
)

// open asks the home for an attachment. The caller's reference to the link goes
// to it, or is given up.
func (l *link) open(ctx context.Context, name string, cfg driver.Config) (*attachment, error) {
	if cfg.OpTimeout <= 0 {
		cfg.OpTimeout = defaultOpTimeout
	}
	if cfg.CancelGrace <= 0 {
		cfg.CancelGrace = defaultCancelGrace
	}
	a := &attachment{link: l, cfg: cfg}
	frame := openFrame(name, cfg)
	c := &call{
		at: a, frame: frame, number: func(op uint64) { frame.Op = op }, reply: make(chan answer, 1),
		// Whoever opened has gone: end what the home has begun all the same.
		late: func(got answer) {
			if got.err != nil {
				l.depart(a)
				return
			}
			a.opened(got.opened)
			a.part(nil)
		},
	}
	if err := l.enlist(a, c, frame); err != nil {
		l.depart(a)
		return nil, err
	}
	l.out.Flush()
	got, err := c.await(ctx)
	if err != nil {
		return nil, err // late gives the reference up
	}
	if got.err != nil {
		l.depart(a)
		return nil, got.err
	}
	a.opened(got.opened)
	return a, nil
}

func openFrame(name string, cfg driver.Config) *wire.Open {
	f := &wire.Open{
		Create: uint8(cfg.Create), Slots: int32(cfg.Slots), MaxValue: uint32(cfg.MaxValue),
		MaxHold: cfg.MaxHold, SendTimeout: cfg.SendTimeout, MaxAttempts: uint32(cfg.MaxAttempts),
		Name: name, Type: cfg.Type, DeadLetter: cfg.DeadLetter,
	}
	if cfg.Send {
		f.Flags |= wire.OpenSend
	}
	if cfg.Receive {
		f.Flags |= wire.OpenReceive
	}
	if cfg.CloseWhenSendersGone {
		f.Flags |= wire.OpenCloseWhenSendersGone
	}
	return f
}

// enlist gives a its number and sends c, its OPEN.
func (l *link) enlist(a *attachment, c *call, frame *wire.Open) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.dead != nil:
		return l.dead
	case len(l.attached) >= l.limit:
		return fault.Because(fault.ErrFull, "%s allows %d attachments", l.name, l.limit)
	case l.lastChan == ^uint32(0):
		return fault.Because(fault.ErrFull, "no numbers are left for attachments to %s", l.name)
	}
	l.lastChan++
	a.id = l.lastChan
	frame.Channel = a.id
	l.attached[a] = struct{}{}
	if frame.MaxValue > 0 {
		l.in.Raise(int(frame.MaxValue) + wire.Overhead)
	}
	if s := a.cfg.Schema; s != "" && len(s) <= wire.MaxSchema {
		f := wire.Schema{Channel: a.id, Text: s}
		l.out.End(f.Append(l.out.Begin()), false)
	}
	l.begin(c)
	return nil
}

// await returns the answer to c. When ctx ends first, the answer goes to late.
func (c *call) await(ctx context.Context) (answer, error) {
	select {
	case got := <-c.reply:
		return got, nil
	case <-ctx.Done():
	}
	mu := &c.at.link.mu
	mu.Lock()
	select {
	case got := <-c.reply: // at the last moment
		mu.Unlock()
		return got, nil
	default:
	}
	c.reply = nil
	mu.Unlock()
	return answer{}, fault.Cancelled(ctx)
}

// opened notes what the home granted.
func (a *attachment) opened(f *wire.Opened) {
	l := a.link
	l.in.Raise(int(f.MaxValue) + wire.Overhead)
	a.maxValue = int(f.MaxValue)
	a.info = driver.Info{
		Name: f.Name, Slots: int(f.Slots), Home: l.home,
		Can: driver.Capabilities{
			Rendezvous: f.Flags&wire.CanRendezvous != 0,
			Hold:       f.Flags&wire.CanHold != 0,
			Stop:       f.Flags&wire.CanStop != 0,
			DeadLetter: f.Flags&wire.CanDeadLetter != 0,
			Select:     min(driver.SelectScope(f.Select), l.scope()),
			Survives:   driver.Survival(f.Survives),
		},
	}
	a.figures.Store(&driver.Stats{Slots: a.info.Slots})
	for _, w := range a.windows() {
		w.maxCalls, w.maxBytes = int(f.Ops), int(^uint(0)>>1)
	}
	a.sending.maxBytes = int(min(f.Bytes, 1<<31-1))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.selecting.maxCalls, l.selecting.maxBytes = a.sending.maxCalls, a.sending.maxBytes
}
