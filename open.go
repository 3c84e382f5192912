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
	return open(ctx, url, right{true, true}, opts, deadSink[T])
}

// OpenSender is Open for the sending end; it asks the medium for no other right.
func OpenSender[T any](ctx context.Context, url string, opts ...Option) (Sender[T], error) {
	ch, err := open(ctx, url, right{send: true}, opts, deadSink[T])
	return ch.Sender, err
}

// OpenReceiver is Open for the receiving end; it asks the medium for no other
// right.
func OpenReceiver[T any](ctx context.Context, url string, opts ...Option) (Receiver[T], error) {
	ch, err := open(ctx, url, right{recv: true}, opts, deadSink[T])
	return ch.Receiver, err
}

// right is what an attachment may do.
type right struct{ send, recv bool }

// open is Open; dead is nil for a dead letter itself, which has none.
func open[T any](ctx context.Context, rawURL string, rt right, opts []Option, dead sinkMaker[T]) (Chan[T], error) {
	at, err := openAttachment(background(ctx), rawURL, rt, opts, dead)
	if err != nil {
		return Chan[T]{}, opError("open", rawURL, err)
	}
	return at.ends(), nil
}

func openAttachment[T any](ctx context.Context, rawURL string, rt right, opts []Option, dead sinkMaker[T]) (*attachment[T], error) {
	if err := engine.Ended(ctx); err != nil {
		return nil, err
	}
	u, o, err := parse(rawURL, opts)
	if err != nil {
		return nil, err
	}
	if dead == nil && o.deadLetter != "" {
		return nil, fault.Because(ErrConflict, "a dead letter has no dead letter")
	}
	if u.Scheme == "mem" {
		return openMem(ctx, u, o, rt, dead)
	}
	medium, ok := driver.Lookup(u.Scheme)
	if !ok {
		return nil, fault.Because(ErrNotFound, "no medium for scheme %q (is its package imported?)", u.Scheme)
	}
	return openFar[T](ctx, medium, u, o, rt)
}

// parse splits rawURL into the medium's part and the options all media have.
func parse(rawURL string, opts []Option) (*url.URL, options, error) {
	o, err := gather(opts)
	if err != nil {
		return nil, o, err
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, o, fault.Because(ErrConflict, "malformed URL: %v", err)
	}
	if u.Scheme == "" {
		return nil, o, fault.Because(ErrConflict, "malformed URL: no scheme in %q", rawURL)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, o, fault.Because(ErrConflict, "malformed URL: %v", err)
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
	return fault.Because(ErrConflict, "unknown parameter %s", strings.Join(names, ", "))
}
