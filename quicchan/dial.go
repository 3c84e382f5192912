package quicchan

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/handoff-go/handoff/internal/fault"
)

// configure returns the configuration of TLS for a home.
type configure = func() (*tls.Config, error)

// idleTime is how long a connection without streams is kept: so long the last words
// on its last stream have to arrive, and whoever comes back finds it.
const idleTime = 500 * time.Millisecond

// lines are the connections of this process, one to a home.
var lines = pool{all: map[string]*line{}}

// pool shares connections between the streams over them.
type pool struct {
	mu  sync.Mutex // guards the rest and the fields of every line
	all map[string]*line
}

// line is a connection that is there or being made.
type line struct {
	made    chan struct{} // closed when conn is set or dialling has failed
	conn    *quic.Conn
	streams int
	idle    *time.Timer // ends it, while there are no streams
}

// dial makes a stream to a home, over the connection that is there, if it lives.
func (p *pool) dial(ctx context.Context, key, address string, beat time.Duration, config configure) (net.Conn, error) {
	for {
		l, err := p.get(ctx, key, address, beat, config)
		if err != nil {
			return nil, err
		}
		s, err := l.conn.OpenStreamSync(ctx)
		if err == nil {
			return &stream{Stream: s, conn: l.conn, left: func() { p.release(key, l) }}, nil
		}
		p.release(key, l)
		if ctx.Err() != nil {
			return nil, fault.Cancelled(ctx)
		}
		if l.conn.Context().Err() == nil {
			return nil, unreachable(address, err)
		}
		p.forget(key, l) // it had ended before we came, or just now
	}
}

// get returns a connection with one more stream counted.
func (p *pool) get(ctx context.Context, key, address string, beat time.Duration, config configure) (*line, error) {
	for {
		p.mu.Lock()
		l := p.all[key]
		if l != nil && l.conn != nil {
			if l.conn.Context().Err() == nil {
				l.streams++
				if l.idle != nil {
					l.idle.Stop()
					l.idle = nil
				}
				p.mu.Unlock()
				return l, nil
			}
			l = nil // it has ended, and its streams with it
		}
		if l == nil {
			l = &line{made: make(chan struct{}), streams: 1}
			p.all[key] = l
			p.mu.Unlock()
			return l, p.make(ctx, key, l, address, beat, config)
		}
		p.mu.Unlock()
		select {
		case <-l.made:
		case <-ctx.Done():
			return nil, fault.Cancelled(ctx)
		}
	}
}

// make dials for l, which is in the pool.
func (p *pool) make(ctx context.Context, key string, l *line, address string, beat time.Duration, config configure) error {
	conn, err := connect(ctx, address, beat, config)
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(l.made)
	if err != nil {
		if p.all[key] == l {
			delete(p.all, key)
		}
		return err
	}
	l.conn = conn
	return nil
}

// forget has the next stream dial anew.
func (p *pool) forget(key string, l *line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[key] == l {
		delete(p.all, key)
	}
}

// release counts a stream out. With the last one the connection ends, after a while.
func (p *pool) release(key string, l *line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.streams--; l.streams > 0 {
		return
	}
	l.idle = time.AfterFunc(idleTime, func() {
		p.mu.Lock()
		over := l.streams == 0
		if over && p.all[key] == l {
			delete(p.all, key)
		}
		p.mu.Unlock()
		if over {
			l.conn.CloseWithError(0, "")
		}
	})
}

// connect dials a home.
func connect(ctx context.Context, address string, beat time.Duration, config configure) (*quic.Conn, error) {
	secret, err := config()
	if err != nil {
		return nil, err
	}
	conn, err := quic.DialAddr(ctx, address, secret, quicConfig(beat))
	if err != nil {
		return nil, unreachable(address, err)
	}
	return conn, nil
}

// unreachable says in plain words why there is no way to a home.
func unreachable(address string, err error) error {
	if missing, ok := errors.AsType[*net.DNSError](err); ok {
		return fault.Because(fault.ErrUnreachable, "there is no host %s", missing.Name)
	}
	if idle, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return fault.Because(fault.ErrUnreachable, "nobody answers at %s: %v", address, idle)
	}
	if stranger, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fault.Because(fault.ErrDenied, "the home at %s is not trusted: %v", address, stranger)
	}
	if refused(err) {
		return fault.Because(fault.ErrDenied, "the home at %s refuses this client's certificate, or that it has none (cert= and key=): %v", address, err)
	}
	return fault.Because(fault.ErrUnreachable, "%s: %v", address, err)
}
