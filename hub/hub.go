// Package hub is the home of named channels: it keeps them and serves them to
// other processes over sockets and pipes.
//
//	h := hub.New(hub.Options{})
//	l, err := hub.ListenUnix("/run/user/1000/jobs.sock")
//	...
//	err = h.Serve(l) // until h.Close
//
// A home is reached through a Unix socket ([ListenUnix]), an address of this
// machine ([ListenTCP]) or of any, by clients that show who they are ([TCP], with
// TLS or [Tokens]), a named pipe ([ListenPipe]), or pipes that a child
// process inherits ([PipeConn] and [Hub.ServeConn]). A channel is made when it is
// first opened and lives as long as its home: with it end the channel and what is
// in its slots. What crosses a connection is specified in docs/spec/wire.md;
// package netchan is the other side.
//
// # Who comes
//
// A client has an identity: that of its token, its certificate, or the user at the
// other end of a Unix socket. [Rights] say what each may do with which channels;
// without them all may do everything. docs/security.md has the whole.
//
// # Death of a client
//
// When a process that holds values is known to be dead, or its connection has
// ended, its attachments are detached at once: values it held return to their
// place with their attempt raised, operations it had waiting are taken out. On
// Linux a hub watches the process at the other end of a Unix socket or a pipe, so
// that a connection kept open by a child that inherited it makes no difference.
//
// A client that asked for it, as over TCP, is waited for when its connection
// breaks: it may come back and find everything as it was, and only when its time
// is over (MaxResume bounds it) are its attachments detached.
package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/wire"
)

// Home is one channel at its home.
type Home interface {
	// Attach makes an attachment with the rights of cfg. Its Start, Cancel and
	// Detach must not wait for anybody: a receive that is cancelled has ended,
	// and a hold that is returned is back in its place, when the call returns,
	// or a moment later on a goroutine that is running.
	Attach(cfg driver.Config) (driver.Channel, error)
	// Stats returns the channel's figures.
	Stats() driver.Stats
}

// Options are the limits and places of a Hub. The zero value of each field takes
// the default.
type Options struct {
	// Name names the home to its clients; the default is the program's name and
	// process number.
	Name string
	// New makes a channel, of cfg.Slots slots. The default keeps it in this
	// process's memory. cfg.DeadLetter, if not "", is a query that names another
	// channel of the hub (chan=NAME, and slots=N perhaps); the default buries there.
	// It must not wait: while it runs, nobody can open a channel of the hub or list
	// them.
	New func(cfg driver.Config) (Home, error)

	MaxConnections int // at once, broken ones that are waited for included; 1,024
	MaxAttachments int // of one connection; 65,536
	MaxChannels    int // 65,536
	MaxSlots       int // of one channel; 1,048,576
	MaxAllSlots    int // of all channels together, memory for which is taken when they are made; 16,777,216
	MaxValue       int // bytes a channel may ask for; 64 MiB
	MaxWaiting     int // operations of one attachment that wait, per class; 16,384
	MaxWaitBytes   int // values in sends of one attachment that wait; 4 MiB

	// Of one identity that came over a network, by a certificate or a token.
	MaxIdentitySessions    int // broken ones that are waited for included; 256
	MaxIdentityAttachments int // 262,144
	MaxIdentityChannels    int // made for it; they stay; 16,384
	MaxIdentityBytes       int // values in its sends that wait, one send is always taken; 64 MiB

	// Tokens name those who show one; nil: no token is taken.
	Tokens *Tokens
	// Rights say what each identity may do, nil: everything. See SetRights.
	Rights *Rights

	// MaxAcceptRate bounds the connections that each listener takes in a second; as
	// many more may come at once after a quiet second. 1,000; below 0 there is no bound.
	MaxAcceptRate int
	// MaxStall bounds how long a client that comes over TCP, TLS or QUIC may let the
	// home wait in the middle of a frame, and for the reading of 256 KiB that it is
	// sent. It is cut off then, which is no death: it may come back. The default is 1
	// minute; below 0 there is no bound.
	MaxStall time.Duration

	// MaxResume bounds how long a client whose connection broke may stay away
	// before what it holds returns; clients ask for their time. The default is 1
	// hour; below 0 is not at all.
	MaxResume time.Duration

	// Heartbeat is how long a client that answers to it, as over TCP, may be silent
	// before it is asked whether it is there; after four times as long its
	// connection is over. The default is 5 s; below 0 is never.
	Heartbeat time.Duration
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = fmt.Sprintf("%s[%d]", filepath.Base(os.Args[0]), os.Getpid())
	}
	for _, limit := range []struct {
		field *int
		value int
	}{
		{&o.MaxConnections, 1024}, {&o.MaxAttachments, 1 << 16}, {&o.MaxChannels, 1 << 16}, {&o.MaxSlots, 1 << 20}, {&o.MaxAllSlots, 1 << 24},
		{&o.MaxValue, 64 << 20}, {&o.MaxWaiting, 16384}, {&o.MaxWaitBytes, 4 << 20},
		{&o.MaxIdentitySessions, 256}, {&o.MaxIdentityAttachments, 1 << 18}, {&o.MaxIdentityChannels, 1 << 14}, {&o.MaxIdentityBytes, 64 << 20},
	} {
		if *limit.field <= 0 {
			*limit.field = limit.value
		}
	}
	if o.MaxAcceptRate == 0 {
		o.MaxAcceptRate = 1000
	}
	if o.MaxStall == 0 {
		o.MaxStall = time.Minute
	}
	o.MaxValue = min(o.MaxValue, wire.MaxValueLimit)
	if o.MaxResume == 0 {
		o.MaxResume = time.Hour
	}
	o.MaxResume = max(o.MaxResume, 0)
	if o.Heartbeat == 0 {
		o.Heartbeat = wire.DefaultBeat
	}
	return o
}

// maxHandshakes is how many connections of one listener may be shaking hands at
// once: who is slow at one keeps nobody from another.
const maxHandshakes = 64

// A listener that fails is asked again after a pause, so many times in a row.
const (
	maxAcceptFailures = 50
	acceptPause       = 100 * time.Millisecond
)

// Hub is a home of named channels. Make one with New.
type Hub struct {
	opts        Options
	incarnation wire.ID
	names       names
	memory      memory
	inner       *door // of ServeConn
	rights      atomic.Pointer[Rights]
	shakeWithin time.Duration // handshakeTime, but for tests

	mu        sync.Mutex // guards the rest
	listeners map[net.Listener]struct{}
	lines     map[*line]struct{} // connections that shake hands
	sessions  map[*session]struct{}
	resumable map[wire.ID]*session // those that outlive a connection
	accounts  map[string]*account  // by identity
	closing   bool
	running   sync.WaitGroup // connections and sessions; not added to once closing
	closed    chan struct{}  // closed with closing
}

// New returns a Hub that serves nothing yet.
func New(opts Options) *Hub {
	h := &Hub{
		opts: opts.withDefaults(), shakeWithin: handshakeTime, inner: newDoor(pace{}), accounts: map[string]*account{},
		listeners: map[net.Listener]struct{}{}, sessions: map[*session]struct{}{},
		lines: map[*line]struct{}{}, resumable: map[wire.ID]*session{}, closed: make(chan struct{}),
	}
	h.names.init(h.opts)
	h.SetRights(opts.Rights)
	rand.Read(h.incarnation[:]) // never fails
	return h
}

// ErrClosed is what Serve returns once Close was called.
var ErrClosed = errors.New("hub: closed")

// Serve accepts connections on l until Close, and then returns ErrClosed, or
// until l fails. It closes l. A Hub may serve several listeners at once.
func (h *Hub) Serve(l net.Listener) error {
	defer l.Close()
	if !h.listen(l) {
		return ErrClosed
	}
	defer h.unlisten(l)
	at, err := h.door(l)
	if err != nil {
		return err
	}
	for failures := 0; ; {
		if !h.enter(at) || !h.pause(at.pace.take(time.Now())) {
			return ErrClosed
		}
		conn, err := l.Accept()
		if err == nil {
			failures = 0
			h.accept(conn, at)
			continue
		}
		<-at.shaking
		failures++
		if h.isClosing() {
			return ErrClosed
		}
		if errors.Is(err, net.ErrClosed) || failures > maxAcceptFailures {
			return err
		}
		// Out of descriptors, most often: some will be closed.
		if !h.pause(acceptPause) {
			return ErrClosed
		}
	}
}

// pause waits, and returns false once the hub closes.
func (h *Hub) pause(d time.Duration) bool {
	if d == 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-h.closed:
		return false
	}
}

func (h *Hub) listen(l net.Listener) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.listeners[l] = struct{}{}
	return true
}

func (h *Hub) unlisten(l net.Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

func (h *Hub) isClosing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closing
}

// door is a place where clients come in.
type door struct {
	shaking chan struct{} // one place a handshake
	pace    pace          // of who accepts
}

func newDoor(pace pace) *door {
	return &door{shaking: make(chan struct{}, maxHandshakes), pace: pace}
}

// door is that of l.
func (h *Hub) door(l net.Listener) (*door, error) {
	if t, ok := l.(*tcpListener); ok && t.tokens && h.opts.Tokens == nil {
		return nil, errors.New("hub: the listener asks for tokens, and this hub has none (Options.Tokens)")
	}
	return newDoor(newPace(h.opts.MaxAcceptRate)), nil
}

// enter waits until one more handshake may begin at a door. It returns false once
// the hub closes.
func (h *Hub) enter(at *door) bool {
	select {
	case at.shaking <- struct{}{}:
		return true
	case <-h.closed:
		return false
	}
}

// accept answers conn, whose handshake has a place at the door, and returns a
// channel that is closed when it has ended, and the session with it if conn began
// one.
func (h *Hub) accept(conn net.Conn, at *door) (over <-chan struct{}) {
	done := make(chan struct{})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		conn.Close()
		<-at.shaking
		close(done)
		return done
	}
	l := newLine(h, conn, at)
	h.lines[l] = struct{}{}
	h.running.Go(func() {
		defer close(done)
		l.answer()
	})
	return done
}

// shaken notes that l shakes hands no more.
func (h *Hub) shaken(l *line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.lines, l)
}

// ServeConn serves one connection that is there already, such as one that
// PipeConn has made, and returns when it has ended, or ErrClosed after Close. It
// closes conn.
func (h *Hub) ServeConn(conn net.Conn) error {
	if !h.enter(h.inner) {
		conn.Close()
		return ErrClosed
	}
	<-h.accept(conn, h.inner)
	if h.isClosing() {
		return ErrClosed
	}
	return nil
}

// Close ends the hub: it stops listening, detaches everybody, tells them so, and
// returns when all is quiet. Operations that were waiting end with
// ErrUnreachable at their callers. When ctx ends first the connections are cut
// without a word, and Close returns its error.
//
// The channels end with their home. If values were still in their slots, Close
// says so in its error and emits an event for each channel; whoever wants them
// received closes or drains the channels before. A second Close returns
// ErrClosed.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		return ErrClosed
	}
	h.closing = true
	close(h.closed)
	owned.Delete(h.incarnation)
	for l := range h.listeners {
		l.Close()
	}
	for l := range h.lines {
		l.conn.SetReadDeadline(time.Unix(1, 0))
	}
	for s := range h.sessions {
		s.leave()
	}
	h.mu.Unlock()

	quiet := make(chan struct{})
	go func() { // ends with the sessions, which leave or are cut below
		h.running.Wait()
		close(quiet)
	}()
	var err error
	select {
	case <-quiet:
	case <-ctx.Done():
		err = context.Cause(ctx)
		h.cut()
		<-quiet
	}
	return errors.Join(err, h.lost())
}

// cut closes the connections of all sessions.
func (h *Hub) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.lines {
		l.conn.Close()
	}
	for s := range h.sessions {
		s.cut()
	}
}

// lost tells of the values that end with the hub.
func (h *Hub) lost() error {
	var errs []error
	for name, home := range h.names.all() {
		s := home.Stats()
		n := s.Len + s.Held
		if n == 0 {
			continue
		}
		what := "a value"
		if n > 1 {
			what = fmt.Sprintf("%d values", n)
		}
		reason := fmt.Sprintf("its home has ended with %s in its slots", what)
		event.Emit(event.Event{Kind: event.Dropped, Channel: name, Op: "close", Reason: reason})
		errs = append(errs, fmt.Errorf("hub: channel %q: %s", name, reason))
	}
	return errors.Join(errs...)
}
