package netchan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/tlsconn"
	"github.com/handoff-go/handoff/internal/wire"
)

// handshakeTime is how long a home may take to say WELCOME.
const handshakeTime = 10 * time.Second

// incarnation tells this process from the one that had its number before.
var incarnation = newID()

// connect dials and begins a session.
func connect(ctx context.Context, to place) (*link, error) {
	l := &link{
		to: to, name: to.name, session: newID(), out: wire.NewOutbox(),
		over: make(chan struct{}), calls: map[uint64]*call{}, attached: map[*attachment]struct{}{},
		lending: lending{back: make(chan struct{}, 1)},
	}
	l.life, l.endLife = context.WithCancel(context.Background())
	within, stop := context.WithTimeout(ctx, handshakeTime)
	defer stop()
	c, err := l.dial(within)
	if err != nil {
		l.endLife()
		return nil, failed(ctx, to, err)
	}
	l.conn, l.in = c.conn, c.in
	l.out.Refill(l.refill)
	l.in.Limit(wire.DefaultMaxBody)
	l.welcomed(c.welcome)
	if to.resume > 0 {
		l.out.Keep()
	}
	return l, nil
}

// connection is one that is dialled, with what the home said of itself.
type connection struct {
	conn    net.Conn
	in      *wire.Reader
	welcome *wire.Welcome
}

// dial makes the next connection of the session. What is wrong with what answers
// is the error.
func (l *link) dial(ctx context.Context) (*connection, error) {
	conn, err := l.to.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &connection{conn: conn, in: wire.NewReader(conn, wire.MaxHandshake)}
	watch := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	err = l.shakeHands(c)
	if !watch() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// shakeHands tells the home who calls and hears who answers.
func (l *link) shakeHands(c *connection) error {
	l.epoch++
	hello := wire.Hello{
		Features: l.to.features(), MaxBody: wire.DefaultMaxBody,
		Session: l.session, Epoch: l.epoch, Incarnation: incarnation,
		PID: uint32(os.Getpid()), Resume: l.to.resume,
		Name: fmt.Sprintf("%s[%d]", filepath.Base(os.Args[0]), os.Getpid()),
	}
	if l.in != nil {
		hello.Received = l.in.Have()
	}
	var err error
	if hello.Token, err = readToken(l.to.token); err != nil {
		return err
	}
	if hello.Token != "" {
		hello.Features |= wire.FeatureToken
	}
	// A home that refuses us may have closed before it has read this: what it
	// said is worth more than the failed write.
	_, werr := c.conn.Write(hello.Append(wire.AppendPreface(nil)))
	version, err := c.in.Preface()
	if err != nil {
		return errors.Join(err, werr)
	}
	if version != wire.Version {
		return fault.Because(fault.ErrUnsupported, "the home at %s speaks version %d of the wire, this program version %d", l.name, version, wire.Version)
	}
	h, body, err := c.in.Next()
	if err != nil {
		return errors.Join(err, werr)
	}
	switch h.Type {
	case wire.TypeBye:
		bye, err := wire.ParseBye(h, body)
		if err != nil {
			return err
		}
		return byeError{bye}
	case wire.TypeWelcome:
		if c.welcome, err = wire.ParseWelcome(h, body); err != nil {
			return err
		}
		return l.check(c, &hello)
	}
	return wire.Unexpected(h.Type, "instead of WELCOME")
}

// check judges the home's WELCOME.
func (l *link) check(c *connection, hello *wire.Hello) error {
	w := c.welcome
	granted := w.Resume
	if w.Features&wire.FeatureResume == 0 {
		granted = 0
	}
	switch {
	case w.Session != hello.Session || w.Epoch != hello.Epoch:
		return wire.Unexpected(wire.TypeWelcome, "for another session")
	case hello.Token != "" && w.Features&wire.FeatureToken == 0:
		return fault.Because(fault.ErrUnsupported, "the home at %s welcomes without a look at the token", l.name)
	case l.in != nil && w.Incarnation != l.homeID:
		return wire.Unexpected(wire.TypeWelcome, "of another home")
	case granted > hello.Resume:
		return wire.Unexpected(wire.TypeWelcome, "with more than was asked for")
	case granted < hello.Resume:
		bye := wire.Bye{Code: wire.CodeGoingAway, Text: "that is not what was asked for"}
		c.conn.Write(bye.Append(nil))
		return fault.Because(fault.ErrUnsupported, "the home at %s keeps what a broken connection holds for %v, not for resume=%v", l.name, granted, hello.Resume)
	}
	return nil
}

// welcomed notes what the home said of itself.
func (l *link) welcomed(w *wire.Welcome) {
	l.homeID = w.Incarnation
	// Two connections to one home are two homes to a select: each is asked alone.
	l.home = fmt.Sprintf("%s#%x.%x", w.Home, w.Incarnation, w.Session)
	l.limit = int(w.Attachments)
	l.claims = w.Features&wire.FeatureSelect != 0
	l.tellsFates = w.Features&wire.FeatureFate != 0
	if w.Features&wire.FeaturePing != 0 {
		l.beat = l.to.beat
	}
	l.chunk = wire.Chunk(w.MaxBody)
	l.maxBody = int(w.MaxBody)
}

// failed says why there is no link.
func failed(ctx context.Context, to place, err error) error {
	if ctx.Err() != nil {
		return fault.Cancelled(ctx)
	}
	for _, told := range []error{fault.ErrUnreachable, fault.ErrUnsupported, fault.ErrDenied, fault.ErrConflict} {
		if errors.Is(err, told) {
			return err
		}
	}
	if broken, ok := errors.AsType[*wire.Error](err); ok {
		return fault.Because(fault.ErrUnreachable, "what answers at %s is not a handoff home: %s", to.name, broken.Text)
	}
	if bye, ok := errors.AsType[byeError](err); ok {
		return fault.Because(refusal(bye.Code), "the home at %s refuses: %s", to.name, bye.Text)
	}
	switch {
	case tlsconn.IsRefusal(err):
		return refusedTLS(to.name, err)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fault.Because(fault.ErrUnreachable, "%s did not answer within %v", to.name, handshakeTime)
	case errors.Is(err, io.ErrUnexpectedEOF), hungUp(err):
		return fault.Because(fault.ErrUnreachable, "%s closed the connection without a word; it may not be a handoff home", to.name)
	}
	return fault.Because(fault.ErrUnreachable, "%s: %v", to.name, err)
}

// hungUp reports whether err is what a connection says that the other side has
// closed.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// refusal is the sentinel of a BYE during the handshake.
func refusal(code wire.Code) error {
	switch code {
	case wire.CodeVersion, wire.CodeResume:
		return fault.ErrUnsupported
	case wire.CodeLimit:
		return fault.ErrFull
	case wire.CodeDenied:
		return fault.ErrDenied
	}
	return fault.ErrUnreachable
}
