package netchan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// handshakeTime is how long a home may take to say WELCOME.
const handshakeTime = 10 * time.Second

// incarnation tells this process from the one that had its number before.
var incarnation = newID()

// connect dials and shakes hands.
func connect(ctx context.Context, to place) (*link, error) {
	within, stop := context.WithTimeout(ctx, handshakeTime)
	defer stop()
	conn, err := to.dial(within)
	if err != nil {
		return nil, failed(ctx, to, err)
	}
	l := &link{
		name: to.name, conn: conn, out: wire.NewOutbox(), in: wire.NewReader(conn, wire.MaxHandshake),
		over: make(chan struct{}), calls: map[uint64]*call{}, attached: map[*attachment]struct{}{},
	}
	watch := context.AfterFunc(within, func() { conn.SetDeadline(time.Unix(1, 0)) })
	err = l.shakeHands()
	if !watch() && err == nil {
		err = within.Err()
	}
	if err != nil {
		conn.Close()
		return nil, failed(ctx, to, err)
	}
	l.in.Limit(wire.DefaultMaxBody)
	return l, nil
}

// shakeHands tells the home who calls and hears who answers.
func (l *link) shakeHands() error {
	hello := wire.Hello{
		MaxBody: wire.DefaultMaxBody, Session: newID(), Epoch: 1, Incarnation: incarnation,
		PID: uint32(os.Getpid()), Name: fmt.Sprintf("%s[%d]", filepath.Base(os.Args[0]), os.Getpid()),
	}
	// A home that refuses us may have closed before it has read this: what it
	// said is worth more than the failed write.
	_, werr := l.conn.Write(hello.Append(wire.AppendPreface(nil)))
	version, err := l.in.Preface()
	if err != nil {
		return errors.Join(err, werr)
	}
	if version != wire.Version {
		return fault.Because(fault.ErrUnsupported, "the home at %s speaks version %d of the wire, this program version %d", l.name, version, wire.Version)
	}
	h, body, err := l.in.Next()
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
		w, err := wire.ParseWelcome(h, body)
		if err != nil {
			return err
		}
		return l.welcomed(w, &hello)
	}
	return wire.Unexpected(h.Type, "instead of WELCOME")
}

// welcomed notes what the home said of itself.
func (l *link) welcomed(w *wire.Welcome, hello *wire.Hello) error {
	if w.Session != hello.Session || w.Epoch != hello.Epoch {
		return wire.Unexpected(wire.TypeWelcome, "for another session")
	}
	// Two connections to one home are two homes to a select: each is asked alone.
	l.home = fmt.Sprintf("%s#%x.%x", w.Home, w.Incarnation, w.Session)
	l.limit = int(w.Attachments)
	l.chunk = wire.Chunk(w.MaxBody)
	l.maxBody = int(w.MaxBody)
	return nil
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
