package quicchan

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// Listen listens for QUIC connections at addr, which is host:port; port 0 takes any
// that is free. Each stream of a connection is a net.Conn of the listener, which a
// hub serves like any other.
//
// config must have a certificate of this home. Its clients show who they are: by a
// certificate, if config.ClientCAs vouch for it, or by a token that the hub knows. A
// hub lets nobody in who does neither. [hub.TCP.Config] makes such a config.
//
// Closing the listener takes no more connections; those that are there last until
// their streams have ended, at most a few seconds.
//
// [hub.TCP.Config]: https://pkg.go.dev/github.com/handoff-go/handoff/hub#TCP.Config
func Listen(addr string, config *tls.Config) (net.Listener, error) {
	config = config.Clone()
	config.MinVersion, config.NextProtos = tls.VersionTLS13, []string{protocol}
	if config.ClientCAs != nil && config.ClientAuth < tls.VerifyClientCertIfGiven {
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("quicchan: %w", err)
	}
	socket, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("quicchan: %w", err)
	}
	t := &quic.Transport{Conn: socket}
	inner, err := t.Listen(config, quicConfig(0))
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("quicchan: %w", err)
	}
	l := &listener{inner: inner, transport: t, socket: socket, streams: make(chan *stream), closed: make(chan struct{})}
	l.running.Go(l.serve)
	return l, nil
}

// lingerTime is how long streams may last after Close.
const lingerTime = 3 * time.Second

// listener is a QUIC listener, whose connections are their streams.
type listener struct {
	inner     *quic.Listener
	transport *quic.Transport
	socket    *net.UDPConn
	streams   chan *stream
	once      sync.Once
	closed    chan struct{}
	running   sync.WaitGroup // serve, and one for each connection
	open      sync.WaitGroup // streams that were accepted
}

// serve accepts connections.
func (l *listener) serve() {
	for {
		conn, err := l.inner.Accept(context.Background())
		if err != nil {
			return // closed, or the socket failed: Accept says so
		}
		l.running.Go(func() { l.accept(conn) })
	}
}

// accept accepts the streams of one connection until it ends or the listener does.
func (l *listener) accept(conn *quic.Conn) {
	ctx, stop := context.WithCancel(conn.Context())
	defer stop()
	unwatch := make(chan struct{})
	defer close(unwatch)
	go func() { // ends with accept
		select {
		case <-l.closed:
			stop()
		case <-unwatch:
		}
	}()
	for {
		s, err := conn.AcceptStream(ctx)
		if err != nil {
			return
		}
		l.open.Add(1)
		one := &stream{Stream: s, conn: conn, left: l.open.Done}
		select {
		case l.streams <- one:
		case <-l.closed:
			one.Close()
			return
		}
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case s := <-l.streams:
		return s, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.inner.Addr() }

// Close implements net.Listener.
func (l *listener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		close(l.closed)
		err = l.inner.Close()
		l.running.Wait()
		go l.linger() // ends by itself, soon: a hub closes its streams next
	})
	if errors.Is(err, quic.ErrServerClosed) {
		err = nil
	}
	return err
}

// linger ends the socket when the streams have ended and their last words have had
// their time.
func (l *listener) linger() {
	quiet := make(chan struct{})
	go func() { // ends with the streams, which end with the socket at the latest
		l.open.Wait()
		close(quiet)
	}()
	select {
	case <-quiet:
		time.Sleep(idleTime)
	case <-time.After(lingerTime):
	}
	l.transport.Close()
	l.socket.Close()
}
