package shmchan

import (
	"crypto/rand"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
	"github.com/handoff-go/handoff/internal/shm/seg"
)

// File makes a channel of T that has no name: nobody finds it but who has the file, and who inherits it. It
// is opened as shm:fd=N, N being the number of the descriptor in the process that opens it; two that open
// it, in one process or in several, have the same channel.
//
//	f, err := shmchan.File[Quote]("slots=4096")
//	cmd.ExtraFiles = []*os.File{f} // descriptor 3 there: shm:fd=3
//	ch, err := handoff.Open[Quote](ctx, fmt.Sprintf("shm:fd=%d", f.Fd()))
//
// query is what a URL has behind its "?" for who makes a channel: slots, which must be there, maxvalue,
// maxhold, maxattempts, autoclose, codec, schema, waiters, members and pool. A dead letter is refused, as is
// anything else: ErrConflict. T is as for Open, but not a Dead.
//
// The file is the caller's, and can be closed once the channel is open or the children have started. The memory is
// sealed against being cut off, all of it is there from the beginning, and it goes with the last who has it open. The channel ends with its last
// attachment, and is then not made again: ErrNotFound. So this process opens it before its children do, or they overlap otherwise.
//
// ErrFull if there is not so much memory, ErrUnsupported for a T that cannot be carried, and where there is no shared
// memory.
func File[T any](query string) (*os.File, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, driver.Because(driver.ErrConflict, "malformed parameters: %v", err)
	}
	typ, err := shm.TypeOf[T](q.Get("codec"), q.Get("schema"))
	if err != nil {
		return nil, err
	}
	cfg := driver.Config{Type: typ}
	if err := configure(&cfg, q); err != nil {
		return nil, err
	}
	a, err := parse(&url.URL{RawQuery: q.Encode()})
	if err != nil {
		return nil, err
	}
	return file(cfg, a)
}

func file(cfg driver.Config, a asked) (*os.File, error) {
	if len(cfg.Type) > maxType {
		return nil, driver.Because(driver.ErrUnsupported, "a type whose fingerprint has %d bytes", len(cfg.Type))
	}
	p := params(cfg, a)
	rand.Read(p.Born[:])
	size, err := p.Size()
	if err != nil {
		return nil, err
	}
	place, err := seg.At(seg.Where{})
	if err != nil {
		return nil, err
	}
	defer place.Close()
	if p.Place, err = place.Key(); err != nil {
		return nil, err
	}
	return seg.Memory(size, maker(p))
}

// configure moves what q says of every channel, and which a segment keeps, to cfg.
func configure(cfg *driver.Config, q url.Values) (err error) {
	number := func(field *int, least int) func(string) error {
		return func(s string) (err error) {
			if *field, err = strconv.Atoi(s); err == nil && *field < least {
				err = strconv.ErrRange
			}
			return err
		}
	}
	takes := map[string]func(string) error{
		"slots":       number(&cfg.Slots, 0),
		"maxvalue":    number(&cfg.MaxValue, 1),
		"maxattempts": number(&cfg.MaxAttempts, 1),
		"maxhold": func(s string) (err error) {
			if cfg.MaxHold, err = time.ParseDuration(s); err == nil && cfg.MaxHold <= 0 {
				err = strconv.ErrRange
			}
			return err
		},
		"autoclose": func(s string) (err error) { cfg.CloseWhenSendersGone, err = strconv.ParseBool(s); return err },
		"codec":     func(string) error { return nil }, // it is in the type
		"schema":    func(string) error { return nil },
	}
	if !q.Has("slots") {
		return driver.Because(driver.ErrConflict, "slots= is not said")
	}
	for key, take := range takes {
		values, ok := q[key]
		if !ok {
			continue
		}
		if len(values) != 1 || take(values[0]) != nil {
			return driver.Because(driver.ErrConflict, "%s=%s is nothing it can be", key, values[0])
		}
		q.Del(key)
	}
	return nil
}
