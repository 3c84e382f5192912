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

// parseTCP reads tcp://host:port/NAME?resume=DURATION&heartbeat=DURATION.
func parseTCP(u *url.URL) (place, string, error) {
	switch {
	case u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Host == "":
		return place{}, "", malformed("want tcp://host:port/NAME")
	case u.Hostname() == "":
		return place{}, "", malformed("the host is missing (tcp://host:port/NAME)")
	case u.Port() == "":
		return place{}, "", malformed("the port is missing (tcp://host:port/NAME)")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return place{}, "", malformed("%s is not a port: want 1 to 65535", u.Port())
	}
	name := strings.TrimPrefix(u.Path, "/")
	values, err := parameters(u, "resume", "heartbeat")
	if err != nil {
		return place{}, "", err
	}
	resume, err := parseResume(values["resume"])
	if err != nil {
		return place{}, "", err
	}
	beat, err := parseHeartbeat(values["heartbeat"])
	if err != nil {
		return place{}, "", err
	}
	address := net.JoinHostPort(normalHost(u.Hostname()), strconv.FormatUint(port, 10))
	dial := func(ctx context.Context) (net.Conn, error) { return dialTCP(ctx, address) }
	key := fmt.Sprintf("tcp:%s resume=%v heartbeat=%v", address, resume, beat)
	return place{key: key, name: address, dial: dial, resume: resume, beat: beat}, name, nil
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
