package handoff

import (
	"context"
	"net/url"
	"strings"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// Open opens the channel url names, making it if it is not there, on the medium
// its scheme names: "mem:NAME" in this process, or one whose package was
// imported. ctx bounds the opening only. Detach ends what Open began.
//
// Errors: ErrNotFound for an unknown scheme (its package was not imported) or,
// with create=no, a channel that is not there; ErrConflict for an unknown or
// wrong parameter, or one that contradicts the channel as it exists;
// ErrTypeMismatch if the channel carries another type; ErrUnsupported for what
// the medium cannot do, and for a T with functions, channels or ends in it on a
// medium that crosses a process; ErrUnreachable if there is nobody to ask.
func Open[T any](ctx context.Context, url string, opts ...Option) (Chan[T], error) {
	return open[T](ctx, url, right{true, true}, opts)
}

// OpenSender is Open for the sending end; it asks the medium for no other right.
func OpenSender[T any](ctx context.Context, url string, opts ...Option) (Sender[T], error) {
	ch, err := open[T](ctx, url, right{send: true}, opts)
	return ch.Sender, err
}

// OpenReceiver is Open for the receiving end; it asks the medium for no other
// right.
func OpenReceiver[T any](ctx context.Context, url string, opts ...Option) (Receiver[T], error) {
	ch, err := open[T](ctx, url, right{recv: true}, opts)
	return ch.Receiver, err
}

// right is what an attachment may do.
type right struct{ send, recv bool }

func open[T any](ctx context.Context, rawURL string, rt right, opts []Option) (Chan[T], error) {
	at, err := openAttachment[T](background(ctx), rawURL, rt, opts)
	if err != nil {
		return Chan[T]{}, opError("open", rawURL, err)
	}
	return at.ends(), nil
}

func openAttachment[T any](ctx context.Context, rawURL string, rt right, opts []Option) (*attachment[T], error) {
	if err := engine.Ended(ctx); err != nil {
		return nil, err
	}
	u, o, err := parse(rawURL, opts)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "mem" {
		return openMem[T](ctx, u, o, rt)
	}
	medium, err := mediumOf(u)
	if err != nil {
		return nil, err
	}
	return openFar[T](ctx, medium, u, o, rt)
}

// mediumOf finds the medium of a URL.
func mediumOf(u *url.URL) (driver.Medium, error) {
	medium, ok := driver.Lookup(u.Scheme)
	if !ok {
		return nil, fault.Because(ErrNotFound, "no medium for scheme %q (is its package imported?)", u.Scheme)
	}
	return medium, nil
}

// parse splits rawURL into the medium's part and the options all media have.
func parse(rawURL string, opts []Option) (*url.URL, options, error) {
	o, err := gather(opts)
	if err != nil {
		return nil, o, err
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, o, fault.Malformed("malformed URL: %v", err)
	}
	if u.Scheme == "" {
		return nil, o, fault.Malformed("malformed URL: no scheme in %q", rawURL)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, o, fault.Malformed("malformed URL: %v", err)
	}
	if err := o.fromQuery(q); err != nil {
		return nil, o, err
	}
	u.RawQuery = q.Encode()
	return u, o, nil
}

// unknownParameters refuses what is left of a query nobody understood.
func unknownParameters(u *url.URL) error {
	if u.RawQuery == "" {
		return nil
	}
	var names []string
	for name := range u.Query() {
		names = append(names, name)
	}
	return fault.Malformed("unknown parameter %s", strings.Join(names, ", "))
}
