package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

const (
	// maxUnread is how many bytes of answers may wait for a client to read them
	// before the hub stops reading what it asks.
	maxUnread = 1 << 20
	// maxDeaf is how much a client may say before the ACK that is waited for.
	maxDeaf = 16 << 20
)

// mostMet is how many receivers wait for what they have got until answers are written.
const mostMet = 16

// session is what a client does here, over one connection after the other: when
// one breaks, what it began and holds is kept until it comes back or its time is
// over.
//
// Its goroutines are the reader, which is run and owns the others; the writer,
// which is out.Run; the watcher of the client's process; and one for each DETACH
// under way. Operations that wait have none.
type session struct {
	hub     *Hub
	id      wire.ID
	client  wire.ID       // the incarnation of the client's process
	who     string        // the identity of every connection
	account *account      // of who
	window  time.Duration // how long a broken connection is outlived
	in      *wire.Reader
	out     *wire.Outbox
	chunk   int // how much goes into one frame, where one value is not more
	name    string

	leaving atomic.Bool // the hub is closing
	deaf    atomic.Bool // the reader waits for the writer
	others  sync.WaitGroup

	// The reader's own.
	line      *line
	have      uint64        // of the client's stream, when the line was taken up
	written   chan struct{} // closed when the writer of this connection has ended
	lastOp    uint64
	detaching chan struct{} // one place for each DETACH under way
	begun     time.Time     // when the frame that is halfway there began; zero if none is
	room      frames
	met       []func() // see later
	starving  starving

	mu       sync.Mutex // guards what is below
	attached map[uint32]*attachment
	conn     net.Conn      // of line; written by the reader alone
	epoch    uint32        // of the newest connection
	next     *line         // is to carry the session from now on
	offered  chan struct{} // one slot: there is a next
	over     bool          // no connection is taken any more
	expelled chan struct{} // closed when who has no right to go on
	parting  bool          // the deadlines of conn are those of its last words
	choosing
}

func newSession(l *line, window time.Duration, account *account) *session {
	s := &session{
		hub: l.hub, id: l.hello.Session, client: l.hello.Incarnation, window: window, name: l.hello.Name,
		who: l.who, account: account, expelled: make(chan struct{}),
		detaching: make(chan struct{}, maxDetaching),
		line:      l, conn: l.conn, in: l.in, out: wire.NewOutbox(), chunk: wire.Chunk(l.hello.MaxBody),
		epoch: l.hello.Epoch, offered: make(chan struct{}, 1), attached: map[uint32]*attachment{},
		choosing: choosing{choices: map[uint64]*choice{}},
	}
	s.out.Refill(s.starving.refill)
	s.in.Limit(wire.DefaultMaxBody)
	if window > 0 {
		s.out.Keep()
	}
	return s
}

// run serves the client until its session ends.
func (s *session) run() {
	err := s.carry()
	for s.outlives(err) {
		if err = s.resume(err); err == nil {
			err = s.carry()
		}
	}
	if s.leaving.Load() {
		err = errLeaving
	}
	s.end()
	held := s.detachAll() // before anything that may take time
	s.others.Wait()
	s.endChoices()
	if _, bye := errors.AsType[byeError](err); !bye {
		s.remember()
	}
	s.farewell(err)
	if held > 0 && !s.leaving.Load() {
		s.tell(event.Ended, s.reason(err))
	}
}

// carry welcomes the client on the line and serves it until the connection ends.
// It returns why; the writer goes on until it fails or is stopped.
func (s *session) carry() error {
	conn, written := s.line.conn, make(chan struct{})
	s.written = written
	// Before the client is welcome: who opens has been seen alive.
	peer := watch(s)
	defer peer.stop()
	if err := s.line.welcome(&wire.Welcome{Resume: s.window, Received: s.have}); err != nil {
		close(written)
		return err
	}
	s.mu.Lock()
	conn.SetDeadline(time.Time{}) // the handshake's
	if s.leaving.Load() {
		s.hurry()
	}
	s.mu.Unlock()
	go func() {
		defer close(written)
		if err := s.out.Run(s.paced(conn)); errors.Is(err, os.ErrDeadlineExceeded) {
			conn.Close() // it does not read: what it says is not heard either
		}
	}()
	s.bound()
	pulse := wire.StartPulse(s.beat(), s.signs, func() { s.out.Ping(false) }, func() { conn.Close() })
	err := s.serve()
	if silent := pulse.Stop(); silent != nil {
		err = silent
	}
	return err
}

// beat is how long the client may be silent, 0 for ever.
func (s *session) beat() time.Duration {
	if s.line.hello.Features&wire.FeaturePing == 0 {
		return 0
	}
	return max(s.hub.opts.Heartbeat, 0)
}

// signs grows with what the client does: what it says, or, while nobody listens
// because it is behind in reading, what it takes.
func (s *session) signs() uint64 {
	if s.deaf.Load() {
		return s.in.Came() + s.out.Written()
	}
	return s.in.Came()
}

// serve handles frames until the connection ends, and returns why it did.
func (s *session) serve() error {
	for {
		h, body, err := s.in.Next()
		if err != nil {
			return err
		}
		s.whole()
		// The answers to all that one read brought go out together.
		s.out.Cork()
		for err = s.handle(h, body); err == nil && s.in.Ready() && !s.out.Full(maxUnread) && len(s.met) < mostMet; err = s.handle(h, body) {
			if h, body, err = s.in.Next(); err != nil {
				break
			}
		}
		if s.window > 0 {
			s.out.Received(s.in.Received())
		}
		s.out.Uncork()
		s.now()
		if err == nil {
			err = s.awaitRoom()
		}
		if err != nil {
			return err
		}
	}
}

// later has then be called when the answers to what the client said are written: it
// wakes a receiver here, and the client's own goroutine has further to go.
func (s *session) later(then func()) {
	if then != nil {
		s.met = append(s.met, then)
	}
}

// now does what was left for later.
func (s *session) now() {
	for i, then := range s.met {
		then()
		s.met[i] = nil
	}
	s.met = s.met[:0]
}

// awaitRoom waits until the client reads its answers. Where it waits for an ACK,
// which is behind what is still to be read, that is read and put back.
func (s *session) awaitRoom() error {
	if !s.out.Full(maxUnread) {
		return nil
	}
	s.deaf.Store(true)
	defer s.deaf.Store(false)
	if s.out.AwaitRoom(maxUnread) {
		return nil
	}
	received := s.in.Received()
	unread, err := s.readAcks()
	s.in.Unread(unread, received)
	return err
}

// readAcks handles what is an ACK, until there is room, and returns the rest.
func (s *session) readAcks() (rest []byte, err error) {
	for !s.out.AwaitRoom(maxUnread) {
		h, body, err := s.in.Next()
		if err != nil {
			return rest, err
		}
		s.whole()
		if h.Type == wire.TypeAck {
			if err := s.handle(h, body); err != nil {
				return rest, err
			}
			continue
		}
		if rest = wire.AppendRaw(rest, h, body); len(rest) > maxDeaf {
			return rest, &wire.Error{Code: wire.CodeLimit, Text: "what this home sends is not acknowledged"}
		}
	}
	return rest, nil
}

// leave has the session end in an orderly way, soon. Any goroutine may call it.
func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving.Store(true)
	s.hurry()
}

// hurry bounds what the connection may still take. mu is held.
func (s *session) hurry() {
	s.parting = true
	s.conn.SetReadDeadline(time.Unix(1, 0))
	// A client that does not read keeps the reader waiting for the writer.
	s.conn.SetWriteDeadline(time.Now().Add(farewellTime))
}

// cut ends the connection without a word. Any goroutine may call it.
func (s *session) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn.Close()
}

// farewell ends the writer and the connection. A client that is still there is
// told why.
func (s *session) farewell(err error) {
	why, ok := errors.AsType[*wire.Error](err)
	if !ok || why.Text == "" {
		s.out.Drop()
		s.line.conn.Close()
		<-s.written
		return
	}
	s.mu.Lock()
	s.parting = true
	s.conn.SetWriteDeadline(time.Now().Add(farewellTime))
	s.mu.Unlock()
	s.out.Send(&wire.Bye{Code: why.Code, Text: why.Text})
	s.out.Close()
	<-s.written
	hangUp(s.line.conn)
}

// reason says why the connection ended.
func (s *session) reason(err error) string {
	gone, ok := errors.AsType[gaveUp](err)
	switch {
	case ok:
		return gone.reason
	case errors.Is(err, io.EOF):
		return fmt.Sprintf("%s closed the connection or died", s.name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("the connection to %s ended in the middle of a frame", s.name)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Sprintf("%s took more than %v over a frame, and was cut off", s.name, s.hub.opts.MaxStall)
	}
	return fmt.Sprintf("the connection to %s: %v", s.name, err)
}

// number takes up the operation called id, which must be new.
func (s *session) number(t wire.Type, id uint64) error {
	if id <= s.lastOp {
		return wire.Unexpected(t, "with the number of an earlier operation")
	}
	s.lastOp = id
	return nil
}

// answer sends f, the END of an operation that ended with err.
func (s *session) answer(f *wire.End, err error) {
	if err != nil {
		var doubt bool
		if f.Code, doubt, f.Text = wire.CodeOf(err); doubt {
			f.Flags |= wire.EndInDoubt
		}
	}
	s.out.End(f.Append(s.out.Begin()), true) // what Send does, without an allocation for f
}

// errClosing is what the client is told of what ends because the hub closes.
var errClosing = fault.Because(fault.ErrUnreachable, "the home is closing")

// parts reports whether that is why something ended with err: its client has not
// detached.
func (s *session) parts(err error) bool { return err == fault.ErrDetached && s.leaving.Load() }

// tell emits an event of the link to the client.
func (s *session) tell(to event.State, reason string) {
	event.Emit(event.Event{Kind: event.Link, Channel: s.name, Op: "link", State: to, Reason: reason})
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
	s.account.detach(len(all))
	return len(all)
}
