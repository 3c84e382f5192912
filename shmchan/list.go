package shmchan

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
	"github.com/handoff-go/handoff/internal/shm/seg"
)

// system is a Lister, and what the tests use instead is not.
var _ driver.Lister = listing{}

// listing is the medium of the operating system's segments, which can be looked at.
type listing struct {
	medium
}

// List implements driver.Lister. The channels of shm: are the segments in the folder of this user; with a path
// or a descriptor it is that one. Looking makes nothing, and nobody is attached by it. What cannot be looked at, because
// it is another user's or of another version, is not in the list; Find says why.
func (d listing) List(ctx context.Context, u *url.URL) (all []driver.Listed, err error) {
	if u.Path != "" || isDescriptor(u) {
		one, err := d.Find(ctx, u)
		if err != nil {
			return nil, err
		}
		return []driver.Listed{one}, nil
	}
	if _, err := parse(u); err != nil {
		return nil, err
	}
	names, err := seg.List()
	if errors.Is(err, driver.ErrNotFound) {
		return nil, nil
	}
	slices.Sort(names)
	for _, name := range names {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if one, err := look(ctx, seg.Where{Name: name}); err == nil {
			all = append(all, one)
		}
	}
	return all, err
}

// Find implements driver.Lister. A channel whose processes are all dead is not there.
func (d listing) Find(ctx context.Context, u *url.URL) (driver.Listed, error) {
	if _, err := parse(u); err != nil {
		return driver.Listed{}, err
	}
	where, err := seg.Parse(u)
	if err != nil {
		return driver.Listed{}, err
	}
	return look(ctx, where)
}

// look maps a segment and says what is in it.
func look(ctx context.Context, where seg.Where) (l driver.Listed, err error) {
	place, err := seg.At(where)
	if err != nil {
		return l, err
	}
	defer place.Close()
	memory, _, err := place.Open(ctx, 0, nil)
	if err != nil {
		return l, err
	}
	defer memory.Close()
	words, ok := shm.Words(memory.Bytes())
	if !ok {
		return l, driver.Because(driver.ErrConflict, "no segment of handoff")
	}
	s, err := shm.Load(words)
	if err != nil {
		return l, err
	}
	seen, err := s.Peek()
	if err != nil {
		return l, err
	}
	// The name as it stands in a URL.
	l = driver.Listed{Name: where.String(), Type: s.Params().Type, Stats: seen.Stats, Attached: []driver.Attached{}}
	for _, who := range seen.Members {
		if place.Alive(who.ID) {
			l.Attached = append(l.Attached, driver.Attached{Pid: who.Pid, Since: who.Since, Send: who.Send, Receive: who.Receive})
		}
	}
	if seen.Ended || len(l.Attached) == 0 {
		return l, driver.Because(driver.ErrNotFound, "all that had %s open are dead", where)
	}
	return l, nil
}
