package netchan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// keepAlive finds a peer whose machine is gone while nothing is under way, in
// half a minute.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// parseTCP reads tcp://host:port/NAME?resume=DURATION&heartbeat=DURATION&tokenfile=PATH.
func parseTCP(u *url.URL) (place, string, error) {
	at, _, err := parseAddress(u)
	if err != nil {
		return place{}, "", err
	}
	at.dial = func(ctx context.Context) (net.Conn, error) { return dialTCP(ctx, at.name) }
	at.key = fmt.Sprintf("tcp:%s resume=%v heartbeat=%v %s", at.name, at.resume, at.beat, at.token)
	return at.place, at.channel, nil
}

// address is what the schemes over TCP have in common. The place lacks its key and
// its dial.
type address struct {
	place
	host    string
	channel string
}

// parseAddress reads SCHEME://host:port/NAME with resume=, heartbeat= and tokenfile=, and the
// parameters called names too, which it returns.
func parseAddress(u *url.URL, names ...string) (at address, values map[string]string, err error) {
	want := u.Scheme + "://host:port/NAME"
	switch {
	case u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Host == "":
		return at, nil, malformed("want %s", want)
	case u.Hostname() == "":
		return at, nil, malformed("the host is missing (%s)", want)
	case u.Port() == "":
		return at, nil, malformed("the port is missing (%s)", want)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return at, nil, malformed("%s is not a port: want 1 to 65535", u.Port())
	}
	if values, err = parameters(u, append(names, "resume", "heartbeat", "tokenfile")...); err != nil {
		return at, nil, err
	}
	if at.resume, err = parseResume(values["resume"]); err != nil {
		return at, nil, err
	}
	if at.beat, err = parseHeartbeat(values["heartbeat"]); err != nil {
		return at, nil, err
	}
	if at.token, err = tokenFile(u.Scheme, values["tokenfile"]); err != nil {
		return at, nil, err
	}
	at.host = normalHost(u.Hostname())
	at.name = net.JoinHostPort(at.host, strconv.FormatUint(port, 10))
	at.channel = strings.TrimPrefix(u.Path, "/")
	return at, values, nil
}

// The time for which a session over TCP outlives a broken connection.
const (
	defaultResume = 5 * time.Second
	maxResume     = time.Hour
	minHeartbeat  = 10 * time.Millisecond
)

// parseResume reads the parameter resume.
func parseResume(said string) (time.Duration, error) {
	if said == "" {
		return defaultResume, nil
	}
	d, err := time.ParseDuration(said)
	switch {
	case err != nil:
		return 0, fault.Malformed("resume=%s is not a duration such as 5s", said)
	case d < 0 || d > maxResume:
		return 0, fault.Malformed("resume=%s: from 0, which is not at all, to %v", said, maxResume)
	}
	return d, nil
}

// parseHeartbeat reads the parameter heartbeat.
func parseHeartbeat(said string) (time.Duration, error) {
	if said == "" {
		return wire.DefaultBeat, nil
	}
	d, err := time.ParseDuration(said)
	switch {
	case err != nil:
		return 0, fault.Malformed("heartbeat=%s is not a duration such as 5s", said)
	case d != 0 && (d < minHeartbeat || d > maxResume):
		return 0, fault.Malformed("heartbeat=%s: 0, which is none, or from %v to %v", said, minHeartbeat, maxResume)
	}
	return d, nil
}

// normalHost gives a host one form however it is written.
func normalHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	// Go sets TCP_NODELAY on every connection.
	d := net.Dialer{KeepAliveConfig: keepAlive}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err == nil {
		return conn, nil
	}
	missing, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case unknown && missing.IsNotFound:
		return nil, fault.Because(fault.ErrUnreachable, "there is no host %s", missing.Name)
	case unknown:
		return nil, fault.Because(fault.ErrUnreachable, "the address of %s cannot be found out: %s", missing.Name, missing.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fault.Because(fault.ErrUnreachable, "nobody listens at %s", address)
	case isTimeout(err):
		return nil, fault.Because(fault.ErrUnreachable, "dialling %s timed out: the host does not answer", address)
	}
	return nil, fault.Because(fault.ErrUnreachable, "%s: %v", address, err)
}

func isTimeout(err error) bool {
	late, ok := errors.AsType[net.Error](err)
	return ok && late.Timeout()
}
