// Package netchan carries channels over a socket or a pair of pipes to the home
// that decides for them, which may be another process or another machine.
//
//	import _ "github.com/handoff-go/handoff/netchan"
//
//	ch, err := handoff.Open[Job](ctx, "unix:/run/jobs.sock?chan=jobs")
//
// registers these schemes:
//
//	unix:/path.sock?chan=NAME       a Unix socket of this machine
//	tcp://host:port/NAME            TCP; the host may be a name; resume=DURATION,
//	                                heartbeat=DURATION, tokenfile=PATH
//	tls://host:port/NAME            the same within TLS 1.3; ca=, cert= and key= name
//	                                files, else HANDOFF_CA, HANDOFF_CERT and
//	                                HANDOFF_KEY do, or config= what RegisterTLS has;
//	                                servername=
//	pipe:/path?chan=NAME            a named pipe (FIFO) of this machine
//	pipe:?in=FD&out=FD&chan=NAME    two pipes that this process inherited
//
// NAME in a path is written as paths are: a / in it may stand as it is, a ? is
// %3F.
//
// The home is served by package hub, or by the command handoff serve. Many
// channels of one process to one home share one connection; a channel on which
// nothing moves does not hold up another. What crosses the connection is
// specified in docs/spec/wire.md.
//
// # Who is who
//
// Over tls: the home is the one whose certificate is for the host of the URL, and
// this process the one its own is for, or its token. What is wrong with either is
// ErrDenied at open, and so is what the home does not let this identity do. Files
// are read for each connection. docs/security.md has the whole.
//
// # Pipes
//
// Of two inherited pipes this process reads the descriptor in and writes out; its
// parent, most often, serves the other ends by hub.PipeConn. Both are taken over
// by the first open: they become non-blocking, move to numbers that children do
// not inherit, and the old numbers are closed, or lead nowhere if they are
// standard ones. Once the last channel over them is detached or their home has
// ended, they cannot be opened again.
//
// A FIFO is where a process meets its home; what they say to each other goes over
// two FIFOs of their own, without names. So many processes can use one at once.
//
// # When a connection breaks
//
// Over tcp: and tls: a connection that breaks is not an end. For the time that the
// parameter resume says, 5s unless said otherwise and at most 1h, this process
// dials again and goes on where the connection broke; the home keeps what the
// process holds for as long. Nothing is lost or received twice, and no operation
// notices anything but the time: one that tries, settles or closes is bounded by
// OpTimeout as ever, a cancelled receive returns at once, a cancelled send within
// CancelGrace. Events of kind Link tell of the break and of the return. Channels
// with different resume have different connections. A home that keeps nothing for
// so long is ErrUnsupported at open.
//
// A line that dies without a word, or a home that is stopped, is noticed by its
// silence: after heartbeat, 5s unless said otherwise, the home is asked whether it
// is there, and after four times as long the connection has broken. The home does
// the same with us. With heartbeat=0 nobody asks, and operations wait as for a home
// that is slow, until TCP gives up, which may take it a quarter of an hour.
//
// When the time of resume is over, with resume=0, and over the other media, where a
// connection breaks only when one side ends it, the attachments on it end. An
// operation whose outcome can no longer be known ends with ErrInDoubt; one that
// certainly had no effect, and everything after, with ErrUnreachable. What this
// process held goes back to its place at the home with its attempt raised.
//
// So a process that dies gives back what it held at once over unix: and pipe:, and
// after resume over tcp: and tls:, where its home cannot tell its death from a bad line.
//
// # What it does not do
//
// A dead letter at another home is ErrUnsupported, and so is a select over several
// homes if one of them is too old to know of it. Of the suite's laws it
// refuses those that need one heap for both sides and operations without allocation; events
// are told in the process of the home, and asked for where that is the test's; most runs leave
// out native cases and claims;
// `go test -v -run TestLaws` names each. Two are left out by name, in laws_test.go,
// as a plain receive is confirmed when its home has heard of it.
package netchan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

func init() {
	driver.Register("unix", medium{parseUnix})
	driver.Register("tcp", medium{parseTCP})
	driver.Register("tls", medium{parseTLS})
	driver.Register("pipe", medium{parsePipe})
}

// medium opens the channels of one scheme.
type medium struct {
	// parse splits a URL into the place of the home and the channel's name, which
	// Open and Find check and List ignores.
	parse func(*url.URL) (place, string, error)
}

// place is where a home is reached, and how.
type place struct {
	key    string // equal for two URLs that mean the same home in the same way, over one link
	home   string // the same, whatever the links are; "" for key
	name   string // for people
	dial   func(context.Context) (net.Conn, error)
	resume time.Duration // how long to dial again when a connection breaks
	beat   time.Duration // how long a connection may be silent before the home is asked; 0 for ever
	token  string        // the path of the file with the token to show; "" for none
}

// sameHome is equal for two places of one home.
func (p place) sameHome() string {
	if p.home != "" {
		return p.home
	}
	return p.key
}

// features are those this side of the wire has.
func (p place) features() uint64 {
	f := wire.FeatureResume | wire.FeatureSelect | wire.FeatureFate
	if p.beat > 0 {
		f |= wire.FeaturePing
	}
	return f
}

// Open implements driver.Medium. ctx bounds dialling, the handshake and the
// home's answer.
func (m medium) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	to, name, err := m.parse(u)
	if err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Cancelled(ctx)
	}
	if cfg.DeadLetter, err = m.deadLetter(u, to, cfg.DeadLetter); err != nil {
		return nil, err
	}
	if err := checkTexts(name, cfg); err != nil {
		return nil, err
	}
	for {
		l, fresh, err := links.get(ctx, to)
		if err != nil {
			return nil, err
		}
		a, err := l.open(ctx, name, cfg)
		if err == nil {
			return a, nil
		}
		// A link that was there before may have ended unnoticed, because its home
		// was started anew: that is no reason not to reach the new one.
		if fresh || !errors.Is(err, fault.ErrUnreachable) || !l.isDead() {
			return nil, err
		}
		<-l.over
	}
}

// deadLetter turns the URL of a dead letter into what the wire says of it: the
// home buries at home. It may be one relative to u, the channel's own.
func (m medium) deadLetter(u *url.URL, to place, letter string) (string, error) {
	if letter == "" {
		return "", nil
	}
	dead, err := u.Parse(letter)
	if err != nil {
		return "", fault.Malformed("malformed URL of the dead letter: %v", err)
	}
	if dead.Scheme != u.Scheme {
		return "", fault.Because(fault.ErrUnsupported, "a dead letter at another home than the channel's")
	}
	q := dead.Query()
	slots := q["slots"]
	delete(q, "slots")
	dead.RawQuery = q.Encode()
	at, name, err := m.parse(dead)
	switch {
	case err != nil:
		return "", fmt.Errorf("dead letter: %w", err)
	case at.sameHome() != to.sameHome():
		return "", fault.Because(fault.ErrUnsupported, "a dead letter at another home than the channel's")
	}
	if err := checkName(name); err != nil {
		return "", fmt.Errorf("dead letter: %w", err)
	}
	query := url.Values{"chan": {name}}
	if slots != nil {
		query["slots"] = slots
	}
	return query.Encode(), nil
}

// checkTexts refuses what the wire has no room for.
func checkTexts(name string, cfg driver.Config) error {
	for what, s := range map[string]string{"channel name": name, "type": cfg.Type, "dead letter": cfg.DeadLetter} {
		if len(s) > wire.MaxText {
			return fault.Because(fault.ErrTooLarge, "the %s has %d bytes, at most %d can be", what, len(s), wire.MaxText)
		}
	}
	if cfg.MaxValue > wire.MaxValueLimit {
		return fault.Because(fault.ErrTooLarge, "maxvalue=%d, at most %d can be", cfg.MaxValue, wire.MaxValueLimit)
	}
	return nil
}

// malformed is the error of a URL that cannot be read.
func malformed(format string, args ...any) error {
	return fault.Malformed("malformed URL: "+format, args...)
}

// parameters takes the parameters called names out of u's query, one value each,
// and refuses all others.
func parameters(u *url.URL, names ...string) (map[string]string, error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, malformed("%v", err)
	}
	values := map[string]string{}
	for _, name := range names {
		if len(q[name]) > 1 {
			return nil, malformed("%s is said %d times", name, len(q[name]))
		}
		values[name] = q.Get(name)
		delete(q, name)
	}
	for name := range q {
		return nil, fault.Malformed("unknown parameter %s", name)
	}
	return values, nil
}

// checkName refuses a channel name that cannot be told from another by eye.
func checkName(name string) error {
	if name == "" {
		return malformed("the channel's name is missing (chan=NAME, or tcp://host:port/NAME)")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
		return malformed("the channel's name %q has control characters or is not UTF-8", name)
	}
	return nil
}
