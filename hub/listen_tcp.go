package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/handoff-go/handoff/internal/tlsconn"
)

// resolveTime bounds the search for the address of a host to listen at.
const resolveTime = 5 * time.Second

// TCP says how clients that come over TCP show who they are. The zero value asks
// nothing, and listens on addresses of this machine only.
type TCP struct {
	// TLS, if not nil, is the home's side of TLS: its certificate, and in ClientCAs
	// the authorities whose word about a client it takes. It must name them: without
	// them any authority of this system would do. TLS 1.3 is the least that is
	// spoken, and whoever shows no certificate is sent away, unless Tokens lets him
	// show a token instead. ClientAuth, MinVersion and NextProtos are set here.
	TLS *tls.Config
	// Tokens asks for a token of Options.Tokens, or, over TLS, for one or a
	// certificate. Without TLS tokens cross the network in the clear.
	Tokens bool
	// ListenToAnybodyWithoutIdentity lets whoever reaches an address of this machine
	// use the home without saying who he is, and without encryption.
	ListenToAnybodyWithoutIdentity bool
}

// ListenTCP is Listen of a TCP that asks nothing: only processes of this machine
// can be served, by addresses such as localhost and 127.0.0.1, and any user of it
// can connect. What is for one user alone belongs on a Unix socket.
func ListenTCP(addr string) (net.Listener, error) { return TCP{}.Listen(addr) }

// Listen listens at addr, which is host:port; port 0 takes any that is free. No
// host means all addresses of this machine. Beyond loopback addresses every client
// must have an identity: one of TLS, Tokens and ListenToAnybodyWithoutIdentity must
// be set. An address that is taken is ErrInUse.
func (t TCP) Listen(addr string) (net.Listener, error) {
	config, err := t.Config(tlsconn.Protocol)
	if err != nil {
		return nil, fmt.Errorf("hub: %q: %w", addr, err)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("hub: %q is not host:port: %w", addr, err)
	}
	if config == nil && !t.Tokens && !t.ListenToAnybodyWithoutIdentity {
		ip, err := loopback(host)
		if err != nil {
			return nil, fmt.Errorf("hub: %q: %w", addr, err)
		}
		host = ip.String()
	}
	keep := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	ctx, stop := context.WithTimeout(context.Background(), resolveTime)
	defer stop()
	l, err := keep.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w: somebody serves %s", ErrInUse, addr)
	case err != nil:
		return nil, fmt.Errorf("hub: %w", err)
	}
	return &tcpListener{Listener: l, config: config, tokens: t.Tokens}, nil
}

// Config is the configuration of TLS with which a protocol over it is served, as
// Listen does it for that of handoff; nil where TLS is nil.
func (t TCP) Config(protocol string) (*tls.Config, error) {
	if t.TLS == nil {
		return nil, nil
	}
	config := t.TLS.Clone()
	switch {
	case len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil:
		return nil, errors.New("TLS without a certificate of this home")
	case config.ClientCAs == nil && !t.Tokens:
		return nil, errors.New("TLS without ClientCAs: whose word about a client is to be taken?")
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS13)
	config.NextProtos = []string{protocol}
	// What was vouched for once is asked for again.
	config.SessionTicketsDisabled = true
	switch {
	case config.ClientCAs == nil: // a certificate says nothing here
		config.ClientAuth = tls.NoClientCert
	case t.Tokens:
		config.ClientAuth = tls.VerifyClientCertIfGiven
	default:
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

// tcpListener is what TCP.Listen returns.
type tcpListener struct {
	net.Listener
	config *tls.Config // nil: no TLS
	tokens bool
}

// Accept implements net.Listener. Hands are not shaken yet.
func (l *tcpListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	switch {
	case err != nil:
		return nil, err
	case l.config != nil:
		return tlsconn.Server(conn, l.config), nil
	case l.tokens:
		return askingConn{conn.(*net.TCPConn)}, nil
	}
	return conn, nil
}

// errNotLoopback is why Listen refuses a host.
var errNotLoopback = errors.New("without identity only a loopback address can be served, as localhost is: whoever reaches the address may use every channel. Ask for certificates (TLS) or tokens")

// loopback returns an address of host, all of which are loopback addresses.
func loopback(host string) (netip.Addr, error) {
	if host == "" {
		return netip.Addr{}, fmt.Errorf("no host means all addresses of this machine; %w", errNotLoopback)
	}
	ctx, stop := context.WithTimeout(context.Background(), resolveTime)
	defer stop()
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	var chosen netip.Addr
	for _, ip := range all {
		ip = ip.Unmap()
		if !ip.IsLoopback() {
			return netip.Addr{}, fmt.Errorf("%v is reached from outside; %w", ip, errNotLoopback)
		}
		// What most programs mean by localhost.
		if !chosen.IsValid() || ip.Is4() && !chosen.Is4() {
			chosen = ip
		}
	}
	if !chosen.IsValid() {
		return chosen, fmt.Errorf("%s has no address", host)
	}
	return chosen, nil
}
