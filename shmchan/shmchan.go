// Package shmchan carries channels between the processes of one machine in memory
// that they share. Import it for its effect:
//
//	import _ "github.com/handoff-go/handoff/shmchan"
//
//	quotes, err := handoff.Open[Quote](ctx, "shm:quotes?slots=4096")
//
// A channel is one segment, mapped by all that have opened it; docs/spec/shm.md
// describes it, and package internal/shm is what happens in it. A process that is
// killed or stopped, wherever it is, neither damages the channel nor holds up the
// others. What a dead process held returns to its place.
//
// # URL
//
//	shm:NAME      a segment in the folder of this user
//	shm:/path     a segment at this path
//	shm:fd=N      a segment that was inherited as descriptor N
//
// Parameters besides those of every channel, for whoever makes the segment: waiters= (operations
// that may wait at once, 1024), members= (attachments, 64), pool= (bytes for values of more than
// 128 bytes, 1 MiB, and room for maxvalue= in each slot, up to 16 of them, and four times besides; if nothing is said
// of either, maxvalue= is a quarter of it). All of it is reserved when the segment is made: where there is not so much, Open ends with ErrFull. When one of
// them does not suffice later an operation ends with ErrFull, and says so.
//
// A segment without a name is made by File, in a process whose children inherit its descriptor.
//
// deadletter= names another channel in shared memory, not of fd=, which everybody who opens the channel opens,
// too. A value that is buried is in exactly one of the two, whoever is killed meanwhile.
//
// A value of more than 128 bytes is copied twice, into the pool and out of it. Borrow, SendBlock and TakeBlock copy nothing.
//
// # What it costs
//
// An attachment has a descriptor and a goroutine that is parked until somebody rings, and two for each other process until that one
// dies; no thread waits. 2,000 channels that two processes wait for cost each of them some 20 kB of memory a channel and under 0.2 % of a core
// (docs/results-net.md). An operation that would have to wait looks at memory for 0.1 ms at most, if that has paid lately and
// GOMAXPROCS is more than 1.
//
// # What it does not do
//
// A child that was forked and has not called exec shares its parent's life: if the parent dies meanwhile what it held comes back when the
// child has ended. The race detector does not see memory that processes share.
//
// Linux only, so far: elsewhere Open ends with ErrUnsupported.
package shmchan

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strconv"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
	"github.com/handoff-go/handoff/internal/shm/seg"
)

// store is where segments are.
type store interface {
	// open returns a membership of the segment u names. A segment that is not there is made for
	// p, as create says.
	open(ctx context.Context, u *url.URL, create driver.Create, p shm.Params) (membership, error)
}

// membership is what one attachment has of a segment before it is a member.
type membership struct {
	seg     *shm.Segment
	name    string // of the channel
	id      [16]byte
	founded bool        // it has made the segment
	reaper  bool        // everybody in it is dead
	others  []seg.Where // that may be dead, for who has made one
	// begun is called when it is a member, left when it was, or never will be; last: nobody is left.
	begun func(*shm.Member) error
	left  func(last bool)
	// checked is called once in a while, as long as an operation waits.
	checked func(*shm.Member)
}

// medium opens the channels of a scheme.
type medium struct {
	store    store
	survives driver.Survival
	selects  driver.SelectScope
}

// asked are the parameters that are the medium's own, 0 where the URL does not say.
type asked struct{ waiters, members, pool int }

func parse(u *url.URL) (a asked, err error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, driver.Because(driver.ErrConflict, "malformed parameters: %v", err)
	}
	for key, values := range q {
		field := map[string]*int{"waiters": &a.waiters, "members": &a.members, "pool": &a.pool}[key]
		if field == nil || len(values) != 1 {
			return a, driver.Because(driver.ErrConflict, "unknown parameter %s", key)
		}
		if *field, err = strconv.Atoi(values[0]); err != nil || *field <= 0 {
			return a, driver.Because(driver.ErrConflict, "%s=%s is no positive number", key, values[0])
		}
	}
	a.pool = (a.pool + 4095) &^ 4095 // pages
	return a, nil
}

// Open implements driver.Medium.
func (d medium) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	a, err := parse(u)
	switch {
	case err != nil:
		return nil, err
	case u.Fragment != "" || u.Host != "":
		return nil, driver.Because(driver.ErrConflict, "malformed URL: want shm:NAME, shm:/path or shm:fd=N")
	case len(cfg.Type) > maxType:
		return nil, driver.Because(driver.ErrUnsupported, "a type whose fingerprint has %d bytes", len(cfg.Type))
	}
	m, _, err := d.attachAgain(ctx, u, cfg, params(cfg, a), a)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// maxType is how long a fingerprint may be that fits into a segment.
const maxType = 1024

// params is what a segment is made for, if it is not there.
func params(cfg driver.Config, a asked) shm.Params {
	p := shm.Params{Slots: max(cfg.Slots, 0), MaxValue: cfg.MaxValue, Waiters: a.waiters, Members: a.members, Pool: a.pool,
		Type: cfg.Type, MaxHold: cfg.MaxHold, Attempts: cfg.MaxAttempts, AutoClose: cfg.CloseWhenSendersGone}
	if p.Pool == 0 && cfg.MaxValue > 0 {
		p.Pool = poolFor(cfg.MaxValue, p.Slots)
	}
	return p
}

// poolFor is how large a pool is, if nothing is said, for values of so many bytes: when all slots are
// taken, if they are not very many, there is room for those of a few who send and receive.
func poolFor(value, slots int) int { return max(1<<20, ((min(slots, 16)+4)*value+4095)&^4095) }

// attachAgain is attach until it does not meet a segment that ends.
func (d medium) attachAgain(ctx context.Context, u *url.URL, cfg driver.Config, p shm.Params, a asked) (*shm.Member, *shm.Segment, error) {
	for {
		rand.Read(p.Born[:])
		m, s, err := d.attach(ctx, u, cfg, p, a)
		if !shm.Ended(err) || isDescriptor(u) { // which leads to no other one
			return m, s, err
		}
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
	}
}

// attach opens a segment, and its dead letter before it is in it, and becomes a member. It is to be
// tried again if the segment has ended.
func (d medium) attach(ctx context.Context, u *url.URL, cfg driver.Config, p shm.Params, a asked) (m *shm.Member, s *shm.Segment, err error) {
	var g grave
	defer func() {
		if err != nil {
			g.letGo()
		}
	}()
	if cfg.DeadLetter != "" {
		if g, err = d.dig(ctx, u, cfg.DeadLetter, p); err != nil {
			return nil, nil, err
		}
		p.Dead = g.where
	}
	p.Founder.Pid = os.Getpid()
	p.Founder.About = shm.About{Send: cfg.Send, Receive: cfg.Receive}
	ms, err := d.store.open(ctx, u, cfg.Create, p)
	if err != nil {
		return nil, nil, err
	}
	if !ms.founded && !ms.reaper {
		if err = agrees(ms.seg, cfg, p, a); err == nil && g.Member == nil && ms.seg.Params().Dead != "" {
			g, err = d.dig(ctx, u, ms.seg.Params().Dead, ms.seg.Params())
		}
		if err != nil {
			ms.left(false)
			return nil, nil, err
		}
	}
	about := shm.About{Name: ms.name, Title: cmp.Or(cfg.Name, ms.name), Send: cfg.Send, Receive: cfg.Receive, Survives: d.survives,
		Select: d.selects, Checked: ms.checked, Over: func(last bool) { ms.left(last); g.letGo() }}
	if !ms.reaper {
		about.Grave = g.Member
	}
	if ms.founded {
		m = ms.seg.Founded(ms.id, about)
	} else if m, err = ms.seg.Join(ms.id, os.Getpid(), ms.reaper, about); err != nil {
		ms.left(shm.Ended(err)) // who has ended it may have been killed before its name was gone
		return nil, nil, err
	}
	if err = ms.begun(m); err == nil {
		err = g.holds(ms.seg)
	}
	if err != nil {
		m.Detach(ctx)
		return nil, nil, err
	}
	return m, ms.seg, nil
}

// agrees says what cfg wants otherwise than the segment is. What it does not say, it accepts.
func agrees(s *shm.Segment, cfg driver.Config, want shm.Params, a asked) error {
	p := s.Params()
	switch {
	case cfg.Create == driver.CreateNew:
		return driver.Because(driver.ErrConflict, "it exists already")
	case cfg.Type != "" && cfg.Type != p.Type:
		return driver.Because(driver.ErrTypeMismatch, "it carries %q, not %q", p.Type, cfg.Type)
	case cfg.Slots >= 0 && cfg.Slots != p.Slots:
		return driver.Because(driver.ErrConflict, "it has slots=%d, not %d", p.Slots, cfg.Slots)
	case cfg.MaxValue > 0 && cfg.MaxValue != p.MaxValue:
		return driver.Because(driver.ErrConflict, "it has maxvalue=%d, not %d", p.MaxValue, cfg.MaxValue)
	case cfg.MaxHold > 0 && cfg.MaxHold != p.MaxHold:
		return driver.Because(driver.ErrConflict, "it has maxhold=%v, not %v", p.MaxHold, cfg.MaxHold)
	case cfg.MaxAttempts > 0 && cfg.MaxAttempts != p.Attempts:
		return driver.Because(driver.ErrConflict, "it has maxattempts=%d, not %d", p.Attempts, cfg.MaxAttempts)
	case want.Dead != "" && want.Dead != p.Dead:
		return driver.Because(driver.ErrConflict, "it has deadletter=%s, not %s", p.Dead, want.Dead)
	case cfg.CloseWhenSendersGone && !p.AutoClose:
		return driver.Because(driver.ErrConflict, "it has autoclose=false, not true")
	case a.waiters > 0 && a.waiters != p.Waiters:
		return driver.Because(driver.ErrConflict, "it has waiters=%d, not %d", p.Waiters, a.waiters)
	case a.members > 0 && a.members != p.Members:
		return driver.Because(driver.ErrConflict, "it has members=%d, not %d", p.Members, a.members)
	case a.pool > 0 && a.pool != p.Pool:
		return driver.Because(driver.ErrConflict, "it has pool=%d, not %d", p.Pool, a.pool)
	}
	return nil
}
