package netchan

import (
	"context"
	"fmt"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// The pauses between two questions after an operation that is still under way.
const (
	firstAsk = 20 * time.Millisecond
	lastAsk  = time.Second
)

// doubt is an operation that ended for its caller before it was known how it
// ended. The link tells it when it gets to know; after the link the home is asked.
type doubt struct {
	link *link
	op   uint64
	left int           // values that had left custody before the frame in doubt
	over chan struct{} // closed when fate is set or never will be by the link

	// Set before over is closed.
	known bool
	fate  fault.Fate
}

// traced makes err, which is ErrInDoubt, one whose outcome can be asked for. mu is
// held, and c ends now.
func (c *call) traced(err error) error {
	l := c.at.link
	c.doubt = &doubt{link: l, op: c.id, left: c.next, over: make(chan struct{})}
	if l.dead != nil {
		close(c.doubt.over)
	}
	tag := fmt.Sprintf("%x-%d", l.session[:4], c.id)
	return &fault.Traced{Err: err, Tag: tag, Ask: c.doubt.ask}
}

// told notes how c ended, for whoever was told that it is in doubt. mu is held.
func (c *call) told(f fault.Fate) {
	if c.doubt != nil {
		f.N += c.doubt.left
		c.doubt.known, c.doubt.fate = true, f
		close(c.doubt.over)
		c.doubt = nil
	}
}

// untold notes that the link will not get to know how c ended. mu is held.
func (c *call) untold() {
	if c.doubt != nil {
		close(c.doubt.over)
		c.doubt = nil
	}
}

// ask returns what became of the operation.
func (d *doubt) ask(ctx context.Context) (fault.Fate, error) {
	select {
	case <-d.over:
	case <-ctx.Done():
		return fault.Fate{}, fault.Cancelled(ctx)
	}
	if d.known {
		return d.fate, nil
	}
	for pause := firstAsk; ; pause = min(2*pause, lastAsk) {
		f, err := d.askHome(ctx)
		if err != nil || f.Known != wire.FateUnderWay {
			return d.read(f), orUnknown(f, err)
		}
		timer := time.NewTimer(pause) // the home waits for the old connection
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fault.Fate{}, fault.Cancelled(ctx)
		}
	}
}

// orUnknown is err, or that the home does not know.
func orUnknown(f *wire.Fate, err error) error {
	if err == nil && f.Known == wire.FateUnknown {
		return fault.Because(fault.ErrNotFound, "the home does not know any more")
	}
	return err
}

// read turns the home's answer into what the caller is told.
func (d *doubt) read(f *wire.Fate) fault.Fate {
	told := fault.Fate{N: d.left, Chosen: -1}
	if f == nil {
		return told
	}
	switch f.Known {
	case wire.FateNever:
		told.Err = fault.Because(fault.ErrUnreachable, "it never came to the home")
	case wire.FateEnded:
		told.N += int(f.N)
		told.Err = wire.Err(f.Code, f.InDoubt, f.Text, wire.ErrCancelled)
		if f.Chosen != wire.NoneChosen {
			told.Chosen = int(f.Chosen)
		}
	}
	return told
}

// askHome asks the home once, over another session than the operation's.
func (d *doubt) askHome(ctx context.Context) (f *wire.Fate, err error) {
	err = ask(ctx, d.link.to, func(l *link) (err error) {
		switch {
		case l.homeID != d.link.homeID:
			return fault.Because(fault.ErrNotFound, "the home at %s was started anew and knows nothing of it", l.name)
		case !l.tellsFates:
			return fault.Because(fault.ErrUnsupported, "the home at %s remembers no outcomes", l.name)
		}
		f, err = l.askFate(ctx, d.link.session, d.op)
		return err
	})
	return f, err
}

// askFate asks for an operation of another session. The caller has a reference to
// the link.
func (l *link) askFate(ctx context.Context, session wire.ID, op uint64) (*wire.Fate, error) {
	frame := &wire.Ask{Session: session, Asked: op}
	c := &call{
		at:    &attachment{link: l}, // number 0, which none has: the home itself
		frame: frame, number: func(op uint64) { frame.Op = op }, reply: make(chan answer, 1),
	}
	got, err := l.askFrame(ctx, c)
	switch {
	case err != nil:
		return nil, err
	case got.fate == nil:
		return nil, fault.Because(fault.ErrUnreachable, "the home at %s tells nothing, without a reason", l.name)
	}
	return got.fate, nil
}

// askFrame begins c, which belongs to no attachment, and awaits the answer.
func (l *link) askFrame(ctx context.Context, c *call) (answer, error) {
	l.mu.Lock()
	if l.dead != nil {
		defer l.mu.Unlock()
		return answer{}, l.dead
	}
	l.begin(c)
	l.mu.Unlock()
	l.out.Flush()
	got, err := c.await(ctx)
	if err == nil {
		err = got.err
	}
	return got, err
}
