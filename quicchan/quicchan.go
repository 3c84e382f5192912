// Package quicchan carries channels to their home over QUIC.
//
//	import _ "github.com/handoff-go/handoff/quicchan"
//
//	ch, err := handoff.Open[Job](ctx, "quic://host:7443/jobs?ca=ca.pem&cert=me.pem&key=me.key")
//
// It is package netchan over another transport: the same wire, the same resume and
// heartbeat (the parameters of tcp:), the same home, which serves what [Listen]
// returns:
//
//	l, err := quicchan.Listen("localhost:7443", config)
//	go hub.Serve(l)
//
// # One stream per channel
//
// Each channel that a process opens has a stream, and a session, of its own; all
// channels of a process to one home share one QUIC connection. Over TCP they share
// one stream of bytes, and a packet that is lost holds up every channel until it has
// come again; a value of a megabyte is before all that is said after it. Over QUIC a
// lost packet holds up the channels whose bytes were in it, a stream that its peer
// does not read has a window of its own, and a large value shares the line with the
// small ones of other channels.
//
// The price: a handshake of our own for each channel; the home may hear of what a
// process did on two channels in another order than it was done, so that a slot of
// one that was freed before a value is sent on the other may not be free yet; and a
// select over two channels of one home is one over two sessions: to a select each
// stream is a home, so that this process decides it, with the messages of a select
// over several homes. With stream=shared in the URL the channels share one stream
// as over TCP, and the home decides a select over them.
//
// # Who is there
//
// QUIC is always under TLS 1.3. The parameters ca, cert and key name files in PEM;
// config=NAME is a [tls.Config] that the program has given a name by [RegisterTLS].
// servername says which name the home's certificate has, if not that of the URL.
package quicchan

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/netchan"
)

func init() { netchan.Register("quic", parse) }

// protocol is what both sides say in the handshake of TLS that they speak.
const protocol = "handoff/1"

// The windows: what a peer may send that is not read. A stream that nobody reads has
// a sixty-fourth of its connection's, so that it takes as many to hold up another. A
// connection is over before its sessions find it silent: they resume over another.
const (
	streamWindow     = 1 << 20
	connectionWindow = 64 * streamWindow
	maxStreams       = 1 << 16
	keepAlive        = 3 * time.Second
	idleMost         = 10 * time.Second // less than the silence that a session takes for a break
)

func quicConfig() *quic.Config {
	return &quic.Config{
		MaxStreamReceiveWindow: streamWindow, MaxConnectionReceiveWindow: connectionWindow,
		MaxIncomingStreams: maxStreams, MaxIncomingUniStreams: -1, KeepAlivePeriod: keepAlive, MaxIdleTimeout: idleMost,
	}
}

// parse reads quic://host:port/NAME and its parameters.
func parse(u *url.URL) (to netchan.Place, name string, err error) {
	if u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Hostname() == "" || u.Port() == "" {
		return to, "", fault.Malformed("malformed URL: want quic://host:port/NAME")
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || port == 0 {
		return to, "", fault.Malformed("malformed URL: %s is not a port: want 1 to 65535", u.Port())
	}
	values, err := parameters(u, "resume", "heartbeat", "stream", "ca", "cert", "key", "servername", "config")
	if err != nil {
		return to, "", err
	}
	secret, err := secretOf(values, u.Hostname())
	if err != nil {
		return to, "", err
	}
	name = strings.TrimPrefix(u.Path, "/")
	address := net.JoinHostPort(strings.ToLower(u.Hostname()), u.Port())
	line := fmt.Sprintf("quic:%s %s", address, secret.key())
	to.Name = address
	to.Home = fmt.Sprintf("%s resume=%s heartbeat=%s", line, values["resume"], values["heartbeat"])
	to.Key = to.Home
	switch values["stream"] {
	case "":
		to.Key = fmt.Sprintf("%s chan=%q", to.Home, name)
	case "shared":
	default:
		return to, "", fault.Malformed("stream=%s: want stream=shared, or nothing", values["stream"])
	}
	to.Dial = func(ctx context.Context) (net.Conn, error) { return lines.dial(ctx, line, address, secret) }
	return to, name, to.SetTimes(values["resume"], values["heartbeat"])
}

// parameters takes the parameters called names out of u's query, one value each,
// and refuses all others.
func parameters(u *url.URL, names ...string) (map[string]string, error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fault.Malformed("malformed URL: %v", err)
	}
	values := map[string]string{}
	for _, name := range names {
		if len(q[name]) > 1 {
			return nil, fault.Malformed("malformed URL: %s is said %d times", name, len(q[name]))
		}
		values[name] = q.Get(name)
		delete(q, name)
	}
	for name := range q {
		return nil, fault.Malformed("unknown parameter %s", name)
	}
	return values, nil
}
