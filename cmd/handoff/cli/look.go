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

// list is the channels of the home that u names.
func list(ctx context.Context, u *url.URL) ([]driver.Listed, error) {
	at, err := lister(u)
	if err != nil {
		return nil, err
	}
	all, err := at.List(ctx, u)
	return all, failed("list", u, err)
}

// find is the channel that u names. It is not opened, so nobody counts it.
func find(ctx context.Context, u *url.URL) (driver.Listed, error) {
	at, err := lister(u)
	if err != nil {
		return driver.Listed{}, err
	}
	found, err := at.Find(ctx, u)
	return found, failed("find", u, err)
}

// lister is the medium of u, which can tell of the channels of a home.
func lister(u *url.URL) (driver.Lister, error) {
	medium, ok := driver.Lookup(u.Scheme)
	if !ok {
		return nil, failed("list", u, driver.ErrNotFound)
	}
	at, ok := medium.(driver.Lister)
	if !ok {
		return nil, failed("list", u, fmt.Errorf("%w: a home of %s: does not say which channels it keeps", driver.ErrUnsupported, u.Scheme))
	}
	return at, nil
}

// failed is err with what was tried, where.
func failed(op string, u *url.URL, err error) error {
	if err == nil {
		return nil
	}
	return &handoff.OpError{Op: op, Channel: u.String(), Err: err}
}
