// Package web serves the channels of a hub over HTTP: JSON for curl and for any
// language, server-sent events and WebSockets for browsers.
//
//	h := hub.New(hub.Options{})
//	l, err := hub.ListenTCP("localhost:8080")
//	...
//	s := web.New(h, web.Options{})
//	err = s.Serve(l) // until s.Close, which comes before h.Close
//
//	$ curl -d hello localhost:8080/v1/channels/words/send?slots=4
//	$ curl -X POST localhost:8080/v1/channels/words/receive
//
// What is served, and what holds when a connection breaks, is specified in
// docs/spec/http.md; the server describes itself at /v1/openapi.json. These are
// doors to the same channels that other programs open with package handoff.
//
// It is a module of its own because of the WebSocket library it needs.
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/fault"
)

// Right is what somebody may do with a channel.
type Right string

// The rights. Who may receive may also take, settle and ask senders to stop.
const (
	Create  Right = "create"
	Send    Right = "send"
	Receive Right = "receive"
	Close   Right = "close"
	Inspect Right = "inspect"
)

// Options are the limits and the rules of a Server. The zero value of each field
// takes the default.
type Options struct {
	// Hosts are names by which the server may be asked, besides localhost and
	// loopback addresses. A page of any other name that leads here is refused.
	Hosts []string
	// Origins are the pages, besides the server's own, that may use it from a
	// browser: scheme, host and port, as https://shop.example:8443.
	Origins []string

	// Identified sends away whoever shows no token of the hub (Authorization: Bearer).
	// Then any address may be served, else a loopback address only. What each may do
	// the hub's rights say, as for those who come by other ways.
	Identified bool

	MaxConnections int           // at once; 256
	MaxBody        int           // bytes of a request's body, or of a message on a WebSocket; 4 MiB
	MaxWaiting     int           // operations that wait at once; 1,024
	MaxWaitBytes   int           // values in sends that wait; 64 MiB
	MaxHolds       int           // values taken and not settled; 4,096
	MaxRequests    int           // under way on one WebSocket; 256
	Linger         time.Duration // how long a channel that is not used stays attached; 1 minute
}

func (o Options) withDefaults() Options {
	for _, limit := range []struct {
		field *int
		value int
	}{
		{&o.MaxConnections, 256}, {&o.MaxBody, 4 << 20}, {&o.MaxWaiting, 1024}, {&o.MaxWaitBytes, 64 << 20},
		{&o.MaxHolds, 4096}, {&o.MaxRequests, 256},
	} {
		if *limit.field <= 0 {
			*limit.field = limit.value
		}
	}
	if o.Linger <= 0 {
		o.Linger = time.Minute
	}
	return o
}

// What a client has time for.
const (
	headerTime = 10 * time.Second // to send the header of a request
	bodyTime   = 30 * time.Second // to send its body
	writeTime  = 30 * time.Second // to take what is written to it
	idleTime   = 2 * time.Minute  // between two requests
	maxHeader  = 32 << 10
)

// Server serves the channels of a hub. Make one with New.
type Server struct {
	hub    *hub.Hub
	opts   Options
	mux    *http.ServeMux
	server *http.Server
	shared *ends // of all clients that are not on a WebSocket
	holds  *holds
	room   room
	forms  forms

	ctx  context.Context // of everything that waits
	stop context.CancelCauseFunc

	mu      sync.Mutex // guards closing
	closing bool
	sockets sync.WaitGroup // not added to once closing
}

// New returns a Server of the channels of h that serves nothing yet.
func New(h *hub.Hub, opts Options) *Server {
	s := &Server{hub: h, opts: opts.withDefaults()}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	s.shared = newEnds(h, s.opts.Linger)
	s.holds = newHolds(s.opts.MaxHolds)
	s.room = room{calls: s.opts.MaxWaiting, bytes: s.opts.MaxWaitBytes}
	s.mux = s.routes()
	s.server = &http.Server{
		Handler: s, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: silent,
	}
	return s
}

// Serve accepts connections on l until Close, and then returns hub.ErrClosed, or
// until l fails. It closes l. Where clients need no identity, l must listen at a
// loopback address, as hub.ListenTCP does.
func (s *Server) Serve(l net.Listener) error {
	if !s.opts.Identified && !isLoopback(l.Addr()) {
		l.Close()
		return fault.Because(fault.ErrDenied, "%v is reached from outside, and clients do not show who they are", l.Addr())
	}
	return s.serve(limit(l, s.opts.MaxConnections))
}

// ServeTLS is Serve over TLS, for clients who show a token of the hub or a
// certificate that config asks for: hub.TCP has a suitable one, whose Config is for
// http/1.1. Any address will do.
func (s *Server) ServeTLS(l net.Listener, config *tls.Config) error {
	// Outermost, where net/http looks for it.
	return s.serve(tls.NewListener(limit(l, s.opts.MaxConnections), config))
}

func (s *Server) serve(l net.Listener) error {
	err := s.server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return hub.ErrClosed
	}
	return err
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback() // others, as a Unix socket, are of this machine
}

var errEnding = fault.Because(fault.ErrUnreachable, "the home is ending")

// Close ends the server: it stops listening, ends what waits, gives back what is
// held, and returns when all is quiet. When ctx ends first the connections are cut,
// and Close returns its error. A second Close returns hub.ErrClosed.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	closing := s.closing
	s.closing = true
	s.mu.Unlock()
	if closing {
		return hub.ErrClosed
	}
	s.stop(errEnding)
	err := s.server.Shutdown(ctx)
	if err != nil {
		s.server.Close()
	}
	s.sockets.Wait()
	s.holds.close()
	s.shared.close()
	return err
}

// enter counts a WebSocket in, unless the server is closing.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sockets.Add(1)
	return true
}
