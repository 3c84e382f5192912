package shmchan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
)

// letter is where the values go that a channel buries: another segment, which all that have the
// channel open have open, too, so that any of them can go on with what a dead one has begun.
type letter struct {
	u     *url.URL
	slots int // -1: not said
}

// letterOf reads the URL of the dead letter of the channel u. It may be relative to that.
func letterOf(u *url.URL, text string) (*letter, error) {
	dead, err := u.Parse(text)
	if err != nil {
		return nil, driver.Because(driver.ErrConflict, "malformed URL of the dead letter: %v", err)
	}
	if dead.Scheme != u.Scheme {
		return nil, driver.Because(driver.ErrUnsupported, "a dead letter that is not in shared memory (%s:)", u.Scheme)
	}
	if isDescriptor(dead) {
		return nil, driver.Because(driver.ErrUnsupported, "a dead letter that is a descriptor: others would not find it")
	}
	if place(dead) == place(u) {
		return nil, driver.Because(driver.ErrConflict, "a channel that is its own dead letter")
	}
	l := &letter{u: dead, slots: -1}
	q := dead.Query()
	if s := q.Get("slots"); s != "" {
		if l.slots, err = strconv.Atoi(s); err != nil || l.slots < 0 {
			return nil, driver.Because(driver.ErrConflict, "dead letter: slots=%s is no whole number", s)
		}
	}
	q.Del("slots")
	dead.RawQuery = q.Encode()
	return l, nil
}

// place is what of a URL says which segment it is.
func place(u *url.URL) string { return u.Scheme + ":" + cmp.Or(u.Opaque, u.EscapedPath()) }

// grave is an open dead letter: a member of its segment. The zero one is none.
type grave struct {
	*shm.Member
	seg   *shm.Segment
	where string // what others find it by
}

// dig opens the dead letter that text names, of a channel at u made for p. It makes it only if its slots
// are said: a dead letter needs room.
func (d medium) dig(ctx context.Context, u *url.URL, text string, p shm.Params) (grave, error) {
	l, err := letterOf(u, text)
	if err != nil {
		return grave{}, err
	}
	p.Defaults()
	g, err := l.open(ctx, d, p.Type, p.MaxValue)
	if errors.Is(err, driver.ErrNotFound) && l.slots < 0 {
		err = driver.Because(driver.ErrConflict, "it is not there, and its slots are not said (slots=N): a dead letter needs room")
	}
	if err != nil {
		return grave{}, fmt.Errorf("dead letter %s: %w", place(l.u), err)
	}
	return g, nil
}

// open opens l for values of type typ, or makes it for values of so many bytes.
func (l *letter) open(ctx context.Context, d medium, typ string, most int) (g grave, err error) {
	if l.slots == 0 {
		return g, driver.Because(driver.ErrConflict, "it has no slots: a dead letter needs room")
	}
	a, err := parse(l.u)
	if err != nil {
		return g, err
	}
	cfg := driver.Config{Send: true, Slots: l.slots, Type: shm.DeadType(typ)}
	if l.slots < 0 {
		cfg.Create = driver.CreateNo
	}
	p := params(cfg, a)
	if p.MaxValue = most; p.Pool == 0 { // what was said stays, as others will say it again
		p.Pool = poolFor(most, p.Slots)
	}
	g.where = place(l.u)
	if g.Member, g.seg, err = d.attachAgain(ctx, l.u, cfg, p, a); err != nil {
		return grave{}, err
	}
	switch p := g.seg.Params(); {
	case p.Slots == 0:
		err = driver.Because(driver.ErrConflict, "it has no slots: a dead letter needs room")
	case p.Dead != "":
		err = driver.Because(driver.ErrConflict, "a dead letter has no dead letter")
	}
	if err != nil {
		g.letGo()
	}
	return g, err
}

// holds says why not every value of the channel s can be buried.
func (g grave) holds(s *shm.Segment) error {
	if g.Member == nil || g.seg.Params().MaxValue >= s.Params().MaxValue {
		return nil
	}
	return driver.Because(driver.ErrConflict, "dead letter %s: it has maxvalue=%d, the channel %d", g.where, g.seg.Params().MaxValue, s.Params().MaxValue)
}

// letGo ends the use of g, if that is one. It may be called again.
func (g grave) letGo() {
	if g.Member != nil {
		g.Detach(context.Background())
	}
}

// isDescriptor reports whether u names a descriptor and not a segment that others find.
func isDescriptor(u *url.URL) bool { return strings.HasPrefix(u.Opaque, "fd=") }
