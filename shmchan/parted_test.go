package shmchan

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/drivertest"
)

// parted is a medium for the suite, whose laws know one attachment that sends and receives. It
// opens two, each with a mapping, a bell and a keeper of its own, as two processes have
// them: neither knows of the other but through the segment. What sends, closes or waits
// for a stop is done with the one, what receives, settles and stops with the other.
//
//	shmparted:NAME
type parted struct{ sender, receiver medium }

func separate() medium {
	return medium{store: &system{mapped: map[[16]byte]*mapping{}}, survives: driver.SurvivesPeers}
}

func init() { driver.Register("shmparted", parted{separate(), separate()}) }

func (p parted) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	if !cfg.Send {
		return p.receiver.Open(ctx, u, cfg)
	}
	if !cfg.Receive {
		return p.sender.Open(ctx, u, cfg)
	}
	cfg.Receive = false
	s, err := p.sender.Open(ctx, u, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Send, cfg.Receive, cfg.Create = false, true, driver.CreateNo
	r, err := p.receiver.Open(ctx, u, cfg)
	if err != nil {
		s.Detach(ctx)
		return nil, err
	}
	return &both{Channel: r, sender: s}, nil
}

// both is the two attachments as one: the receiver, and what the sender does.
type both struct {
	driver.Channel
	sender driver.Channel
}

func (b *both) Info() driver.Info {
	info := b.Channel.Info()
	info.Can.Select = driver.SelectNone
	return info
}

func (b *both) of(k driver.Kind) driver.Channel {
	switch k {
	case driver.OpSend, driver.OpClose, driver.OpAwaitStop:
		return b.sender
	}
	return b.Channel
}

func (b *both) Start(op *driver.Op) { b.of(op.Kind).Start(op) }

func (b *both) Cancel(op *driver.Op, why error) { b.of(op.Kind).Cancel(op, why) }

func (b *both) Detach(ctx context.Context) error {
	return errors.Join(b.sender.Detach(ctx), b.Channel.Detach(ctx))
}

// TestLawsParted asks for the laws with what sends and what receives apart, as in two processes.
func TestLawsParted(t *testing.T) {
	h := withoutSelect(harness("shmparted", func(*drivertest.Env) string { return "shmparted:" + unique + drivertest.FreshName() }))
	drivertest.Run(t, h, drivertest.Options{Only: func(l drivertest.Law) bool { return l.Name != chain }})
	// Its thousands of channels are, parted, more descriptors than a process may have.
	drivertest.Run(t, h, drivertest.Options{Share: 4, Only: func(l drivertest.Law) bool { return l.Name == chain }})
}

const chain = "L1/program-chain-of-goroutines"
