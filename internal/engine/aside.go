package engine

import "sync/atomic"

// This file is what a home does with an offer whose owner was handed a value and can
// neither take nor refuse it, since another home has its ticket and decides for too
// long. The value goes back, for others to have. The offer stands aside: its cases
// keep their places and are passed over until the owner has its ticket back.

// aside is what an Offer has for that.
type aside struct {
	out   atomic.Bool // it stands aside
	leave atomic.Bool // it is to; whoever may look at the select takes it
	enter atomic.Bool // it is to no more; the same
}

// StandAside has x, an offer that has ended with a value its owner sends back, wait
// again, aside. Done will be called once more.
//
//go:norace
func (x *AsyncSelect) StandAside() {
	x.offer.leave.Store(true)
	x.ring()
}

// StandBack ends that, if x still waits.
//
//go:norace
func (x *AsyncSelect) StandBack() {
	x.offer.enter.Store(true)
	x.ring()
}

// stand does what StandAside and StandBack ask for.
//
//go:norace
func (x *AsyncSelect) stand() {
	o := x.offer
	if x.over && o.leave.Swap(false) {
		x.stepAside()
	}
	if !x.over && o.enter.Swap(false) {
		o.out.Store(false)
		o.mute.Store(false)
		for _, l := range x.s.chans {
			l.back()
		}
	}
}

// stepAside puts the cases into the places they had, without a look: nobody may meet
// them. What comes next is a look at those whose attachment has ended meanwhile.
//
//go:norace
func (x *AsyncSelect) stepAside() {
	s, o := &x.s, x.offer
	x.over, x.chosen, x.err = false, -1, nil
	o.out.Store(true)
	o.mute.Store(true)
	o.state.Store(idle) // what was asked is answered by what was put off
	for _, l := range s.chans {
		l.clear()
		l.begin(s, nil)
		l.join(o)
	}
	s.tk.Reset()
	s.lockAll()
	s.enqueue()
	s.flush()
}

// back has a receive case be met again.
//
//go:norace
func (x *chanCase[T]) back() {
	x.c.mu.Lock()
	x.w.asleep = x.w.kind == send
	x.c.mu.Unlock()
}
