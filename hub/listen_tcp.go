package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// resolveTime bounds the search for the address of a host to listen at.
const resolveTime = 5 * time.Second

// ListenTCP listens at addr, which is host:port; port 0 takes any that is free.
// Only processes of this machine can be served: every address of the host must
// be a loopback address, as localhost and 127.0.0.1 are, because a hub does not
// yet ask who its clients are. Any user of this machine can connect; what is for
// one user alone belongs on a Unix socket. An address that is taken is ErrInUse.
func ListenTCP(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("hub: %q is not host:port: %w", addr, err)
	}
	ip, err := loopback(host)
	if err != nil {
		return nil, fmt.Errorf("hub: %q: %w", addr, err)
	}
	config := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	l, err := config.Listen(context.Background(), "tcp", net.JoinHostPort(ip.String(), port))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w: somebody serves %s", ErrInUse, addr)
	case err != nil:
		return nil, fmt.Errorf("hub: %w", err)
	}
	return l, nil
}

// errNotLoopback is why ListenTCP refuses a host.
var errNotLoopback = errors.New("only a loopback address can be served, as localhost is: whoever reaches the address may use every channel, for clients do not yet show who they are")

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
