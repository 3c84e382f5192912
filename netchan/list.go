package netchan

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// maxListed bounds what a home can make us keep.
const maxListed = 1 << 20

// List implements driver.Lister. It opens no channel; a link to the home that is
// there already is used. One made for it ends with it, which for inherited pipes
// is once and for all. Channels that come or go meanwhile may be in it or not,
// all others are, once.
func (m medium) List(ctx context.Context, u *url.URL) ([]driver.Listed, error) {
	to, _, err := m.parse(u)
	if err != nil {
		return nil, err
	}
	for {
		if ctx.Err() != nil {
			return nil, fault.Cancelled(ctx)
		}
		l, fresh, err := links.get(ctx, to)
		if err != nil {
			return nil, err
		}
		all, err := l.list(ctx)
		gone := err != nil && l.isDead()
		l.letGo(ctx)
		// As in Open: an old link may have ended unnoticed.
		if fresh || !gone || !errors.Is(err, fault.ErrUnreachable) {
			return all, err
		}
		<-l.over
	}
}

// list asks page by page. The caller has a reference to the link.
func (l *link) list(ctx context.Context) (all []driver.Listed, err error) {
	after := ""
	for {
		page, err := l.page(ctx, after)
		if err != nil {
			return nil, err
		}
		if len(page.Channels) > 0 && page.Channels[0].Name <= after {
			return nil, fault.Because(fault.ErrUnreachable, "the home at %s lists %q again", l.name, page.Channels[0].Name)
		}
		if all = append(all, page.Channels...); len(all) > maxListed {
			return nil, fault.Because(fault.ErrTooLarge, "the home at %s keeps more than %d channels", l.name, maxListed)
		}
		if !page.More {
			return all, nil
		}
		after = all[len(all)-1].Name
	}
}

// page asks for the channels behind the name after.
func (l *link) page(ctx context.Context, after string) (*wire.Names, error) {
	frame := &wire.List{Max: wire.MaxNames, After: after}
	c := &call{
		at:    &attachment{link: l}, // number 0, which none has: the home itself
		frame: frame, number: func(op uint64) { frame.Op = op }, reply: make(chan answer, 1),
	}
	l.mu.Lock()
	if l.dead != nil {
		defer l.mu.Unlock()
		return nil, l.dead
	}
	l.begin(c)
	l.mu.Unlock()
	l.out.Flush()
	got, err := c.await(ctx)
	switch {
	case err != nil:
		return nil, err
	case got.err != nil:
		return nil, got.err
	case got.names == nil:
		return nil, fault.Because(fault.ErrUnreachable, "the home at %s lists nothing, without a reason", l.name)
	}
	now := time.Now()
	for i := range got.names.Channels {
		got.names.Channels[i].Stats.AsOf = now
	}
	return got.names, nil
}

// letGo gives up a reference to the link that no attachment has. The last one
// waits for the link's goroutines.
func (l *link) letGo(ctx context.Context) {
	if l.left() {
		l.awaitOver(ctx)
	}
}
