package netchan

import (
	"context"
	"errors"
	"net/url"
	"time"
	"unicode/utf8"

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
func (m medium) List(ctx context.Context, u *url.URL) (all []driver.Listed, err error) {
	to, _, err := m.parse(u)
	if err != nil {
		return nil, err
	}
	err = ask(ctx, to, func(l *link) (err error) {
		all, err = l.list(ctx)
		return err
	})
	return all, err
}

// Find implements driver.Lister, as List does.
func (m medium) Find(ctx context.Context, u *url.URL) (found driver.Listed, err error) {
	to, name, err := m.parse(u)
	if err != nil {
		return found, err
	}
	if err := checkName(name); err != nil {
		return found, err
	}
	err = ask(ctx, to, func(l *link) (err error) {
		found, err = l.find(ctx, name)
		return err
	})
	return found, err
}

// ask has do ask a home over a link to it, which is there for so long.
func ask(ctx context.Context, to place, do func(*link) error) error {
	for {
		if ctx.Err() != nil {
			return fault.Cancelled(ctx)
		}
		l, fresh, err := links.get(ctx, to)
		if err != nil {
			return err
		}
		err = do(l)
		gone := err != nil && l.isDead()
		l.letGo(ctx)
		// As in Open: an old link may have ended unnoticed.
		if fresh || !gone || !errors.Is(err, fault.ErrUnreachable) {
			return err
		}
		<-l.over
	}
}

// list returns all channels of the home. The caller has a reference to the link.
func (l *link) list(ctx context.Context) (all []driver.Listed, err error) {
	err = l.pages(ctx, "", wire.MaxNames, func(page []driver.Listed) (more bool, err error) {
		if all = append(all, page...); len(all) > maxListed {
			return false, fault.Because(fault.ErrTooLarge, "the home at %s keeps more than %d channels", l.name, maxListed)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// find returns the channel called name. The caller has a reference to the link.
func (l *link) find(ctx context.Context, name string) (found driver.Listed, err error) {
	err = l.pages(ctx, justBefore(name), 1, func(page []driver.Listed) (more bool, err error) {
		for _, found = range page {
			if found.Name >= name {
				return false, nil
			}
		}
		return true, nil
	})
	switch {
	case err != nil:
		return driver.Listed{}, err
	case found.Name != name:
		return driver.Listed{}, fault.ErrNotFound
	}
	return found, nil
}

// justBefore is a text that sorts before name, with few names in between, mostly
// none: where the last character of name is the one before it, and nothing sorts
// behind what follows.
func justBefore(name string) string {
	last, n := utf8.DecodeLastRuneInString(name)
	before := name[:len(name)-n]
	near := before + string(last-1) + string(utf8.MaxRune)
	if near >= name || len(near) > wire.MaxText { // there is no character before it, or no room
		return before
	}
	return near
}

// pages has take look at the channels behind the name after, at most so many at a
// time, until it wants no more.
func (l *link) pages(ctx context.Context, after string, most uint32, take func([]driver.Listed) (more bool, err error)) error {
	for {
		page, err := l.page(ctx, after, most)
		if err != nil {
			return err
		}
		if len(page.Channels) > 0 && page.Channels[0].Name <= after {
			return fault.Because(fault.ErrUnreachable, "the home at %s lists %q again", l.name, page.Channels[0].Name)
		}
		if more, err := take(page.Channels); err != nil || !more || !page.More {
			return err
		}
		after = page.Channels[len(page.Channels)-1].Name
	}
}

// page asks for at most so many channels behind the name after.
func (l *link) page(ctx context.Context, after string, most uint32) (*wire.Names, error) {
	frame := &wire.List{Max: most, After: after}
	c := &call{
		at:    &attachment{link: l}, // number 0, which none has: the home itself
		frame: frame, number: func(op uint64) { frame.Op = op }, reply: make(chan answer, 1),
	}
	got, err := l.askFrame(ctx, c)
	switch {
	case err != nil:
		return nil, err
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
