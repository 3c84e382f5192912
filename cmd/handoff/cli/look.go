package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

// options are the parameters of a URL that every medium has. They say how to open
// a channel and not where it is.
var options = []string{
	"name", "slots", "create", "codec", "schema", "maxvalue", "sendtimeout", "maxhold", "deadletter", "maxattempts",
	"autoclose", "optimeout", "cancelgrace",
}

// place is the URL of t without options: what its medium sees.
func (t target) place() *url.URL {
	u := *t.u
	q := u.Query()
	for _, name := range options {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	return &u
}

// look attaches to the channel at u with no right to send or to receive, so that
// nobody counts it, and detaches. It makes no channel.
func look(ctx context.Context, u *url.URL) (driver.Info, driver.Stats, error) {
	failed := func(err error) error { return &handoff.OpError{Op: "open", Channel: u.String(), Err: err} }
	medium, ok := driver.Lookup(u.Scheme)
	if !ok {
		return driver.Info{}, driver.Stats{}, failed(driver.ErrNotFound)
	}
	ch, err := medium.Open(ctx, u, driver.Config{Slots: -1, Create: driver.CreateNo})
	if err != nil {
		return driver.Info{}, driver.Stats{}, failed(err)
	}
	info, stats := ch.Info(), ch.Stats()
	if err := ch.Detach(ctx); err != nil {
		return info, stats, failed(err)
	}
	return info, stats, nil
}

// list is the channels of the home that u names.
func list(ctx context.Context, u *url.URL) ([]driver.Listed, error) {
	medium, ok := driver.Lookup(u.Scheme)
	var err error = driver.ErrNotFound
	if ok {
		lister, can := medium.(driver.Lister)
		if can {
			var all []driver.Listed
			if all, err = lister.List(ctx, u); err == nil {
				return all, nil
			}
		} else {
			err = fmt.Errorf("%w: a home of %s: does not say which channels it keeps", driver.ErrUnsupported, u.Scheme)
		}
	}
	return nil, &handoff.OpError{Op: "list", Channel: u.String(), Err: err}
}
