package hub

import (
	"errors"
	"net"
	"strings"
	"testing"
)

// TestListenTCP: a hub serves this machine alone.
func TestListenTCP(t *testing.T) {
	for addr, says := range map[string]string{
		":0":            "no host means all addresses",
		"0.0.0.0:0":     "0.0.0.0 is reached from outside",
		"[::]:0":        ":: is reached from outside",
		"192.0.2.1:0":   "192.0.2.1 is reached from outside",
		"localhost":     "not host:port",
		"":              "not host:port",
		"127.0.0.1:xyz": "xyz",
	} {
		l, err := ListenTCP(addr)
		if err == nil {
			l.Close()
			t.Errorf("%q: listens", addr)
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want it to say %q", addr, err, says)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.1.2.3:0"} {
		l, err := ListenTCP(addr)
		if err != nil {
			t.Log(err) // not every system has all of 127.0.0.0/8
			continue
		}
		if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
			t.Errorf("%s listens at %v", addr, ip)
		}
		if second, err := ListenTCP(l.Addr().String()); err == nil {
			second.Close()
			t.Errorf("%s is served twice", addr)
		} else if !errors.Is(err, ErrInUse) {
			t.Log(err) // not every system says so in the same words
		}
		l.Close()
	}
}
