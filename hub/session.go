package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/wire"
)

const (
	// handshakeTime is how long a client may take to say HELLO.
	handshakeTime = 10 * time.Second
	// farewellTime is how long the last words to a client may take.
	farewellTime = time.Second
	// maxUnread is how many bytes of answers may wait for a client to read them
	// before the hub stops reading what it asks.
	maxUnread = 1 << 20
)

// session is one connection of a client.
//
// Its goroutines are the reader, which is run and owns the others; the writer,
// which is out.Run; the watcher of the client's process; and one for each DETACH
// under way. Operations that wait have none.
type session struct {
	hub     *Hub
	conn    net.Conn
	in      *wire.Reader
	out     *wire.Outbox
	surplus bool // one connection too many: it is told so
	chunk   int  // how much goes into one frame, where one value is not more
	name    string
	pid     uint32 // what the client says its process's number is

	leaving atomic.Bool // the hub is closing
	others  sync.WaitGroup

	// The reader's own.
	greeted bool // the client speaks handoff
	lastOp  uint64
	room    frames

	mu       sync.Mutex // guards attached and choosing
	attached map[uint32]*attachment
	choosing
}

func newSession(h *Hub, conn net.Conn) *session {
	return &session{
		hub: h, conn: conn, in: wire.NewReader(conn, wire.MaxHandshake), out: wire.NewOutbox(),
		attached: map[uint32]*attachment{}, choosing: choosing{choices: map[uint64]*choice{}},
	}
}

// run serves the connection until it ends.
func (s *session) run() {
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.out.Run(s.conn)
	}()
	err := s.shakeHands()
	<-s.hub.shaking
	if err == nil {
		peer := watch(s)
		err = s.serve()
		peer.stop()
	}
	if s.leaving.Load() {
		err = &wire.Error{Code: wire.CodeGoingAway, Text: "the home is closing"}
	}
	held := s.detachAll() // before anything that may take time
	s.others.Wait()
	s.farewell(err)
	<-written
	s.conn.Close()
	if held > 0 && !s.leaving.Load() {
		event.Emit(event.Event{Kind: event.Link, Channel: s.name, Op: "link", Reason: s.reason(err)})
	}
}

// shakeHands hears who calls and says who answers.
func (s *session) shakeHands() error {
	s.conn.SetDeadline(time.Now().Add(handshakeTime))
	if s.leaving.Load() { // set before or seen now: either way the deadline is over
		s.conn.SetDeadline(time.Unix(1, 0))
	}
	version, err := s.in.Preface()
	if err != nil {
		return err
	}
	// From here on it is one of us, and may be told what is wrong.
	s.greeted = true
	s.out.End(wire.AppendPreface(s.out.Begin()), false)
	if version != wire.Version {
		return &wire.Error{Code: wire.CodeVersion, Text: fmt.Sprintf("this home speaks version %d of the wire, not %d", wire.Version, version)}
	}
	h, body, err := s.in.Next()
	if err != nil {
		return err
	}
	if h.Type != wire.TypeHello {
		return wire.Unexpected(h.Type, "instead of HELLO")
	}
	hello, err := wire.ParseHello(h, body)
	if err != nil {
		return err
	}
	s.name, s.pid = hello.Name, hello.PID
	if hello.MaxBody < wire.Overhead {
		return wire.Unexpected(h.Type, "with a limit that is too small")
	}
	s.chunk = wire.Chunk(hello.MaxBody)
	if hello.Epoch != 1 {
		return &wire.Error{Code: wire.CodeResume, Text: "this home does not resume sessions"}
	}
	if s.surplus {
		return &wire.Error{Code: wire.CodeLimit, Text: fmt.Sprintf("the home serves %d connections and no more", s.hub.opts.MaxConnections)}
	}
	s.out.Send(&wire.Welcome{
		MaxBody: wire.DefaultMaxBody, Attachments: uint32(s.hub.opts.MaxAttachments),
		Session: hello.Session, Epoch: hello.Epoch, Incarnation: s.hub.incarnation, Home: s.hub.opts.Name,
	})
	s.in.Limit(wire.DefaultMaxBody)
	s.conn.SetDeadline(time.Time{})
	if s.leaving.Load() {
		s.conn.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

// serve handles frames until the connection ends, and returns why it did.
func (s *session) serve() error {
	for {
		h, body, err := s.in.Next()
		if err != nil {
			return err
		}
		// The answers to all that one read brought go out together.
		s.out.Cork()
		for err = s.handle(h, body); err == nil && s.in.Ready(); err = s.handle(h, body) {
			if h, body, err = s.in.Next(); err != nil {
				break
			}
		}
		s.out.Uncork()
		if err != nil {
			return err
		}
		s.out.AwaitRoom(maxUnread)
	}
}

// leave has the session end in an orderly way, soon. Any goroutine may call it.
func (s *session) leave() {
	s.leaving.Store(true)
	s.conn.SetReadDeadline(time.Unix(1, 0))
	// A client that does not read keeps the reader waiting for the writer.
	s.conn.SetWriteDeadline(time.Now().Add(farewellTime))
}

// farewell ends the writer. A client that is still there is told why.
func (s *session) farewell(err error) {
	why, ok := errors.AsType[*wire.Error](err)
	if !ok || why.Text == "" {
		s.out.Drop()
		s.conn.Close()
		return
	}
	s.conn.SetWriteDeadline(time.Now().Add(farewellTime))
	if s.greeted {
		s.out.Send(&wire.Bye{Code: why.Code, Text: why.Text})
	}
	s.out.Close()
}

// reason says why the connection ended.
func (s *session) reason(err error) string {
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Sprintf("%s closed the connection or died", s.name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("the connection to %s ended in the middle of a frame", s.name)
	}
	return fmt.Sprintf("the connection to %s: %v", s.name, err)
}

// detachAll ends all attachments and returns how many there were.
func (s *session) detachAll() int {
	s.mu.Lock()
	var all []*attachment
	for _, a := range s.attached {
		all = append(all, a)
	}
	clear(s.attached)
	s.mu.Unlock()
	for _, a := range all {
		a.ch.Detach(context.Background())
	}
	return len(all)
}
