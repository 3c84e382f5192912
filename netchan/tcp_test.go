package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
)

func init() {
	// tcp is a home on a port of its own, whose number it leaves in the file path.
	roles["tcp"] = func(path string) {
		l, err := hub.ListenTCP("127.0.0.1:0")
		must(err)
		must(os.WriteFile(path, []byte(l.Addr().String()), 0o600))
		h := hub.New(hub.Options{Name: "child", MaxAttachments: 1 << 20, MaxChannels: 1 << 20})
		go h.Serve(l)
	}
}

// tcpHome starts a home in another process and returns its address.
func tcpHome(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "address")
	child(t, "tcp", path)
	address, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(address)
}

// serveTCP starts a hub on a port of its own and returns the address.
func serveTCP(t testing.TB, opts hub.Options) (*hub.Hub, string) {
	t.Helper()
	l, err := hub.ListenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, opts), l.Addr().String()
}

// tcpHarness is the suite's subject: channels at the home that listens at
// address, with more parameters if there are any.
func tcpHarness(name, address, parameters string) drivertest.Harness {
	h := drivertest.Medium(name, func(*drivertest.Env) string {
		return fmt.Sprintf("tcp://%s/%s?%s", address, drivertest.FreshName(), parameters)
	})
	h.Has = h.Has.Without(drivertest.FeatureEvents)
	return h
}

// TestLawsTCP runs the suite with the home in this process.
func TestLawsTCP(t *testing.T) {
	_, address := serveTCP(t, hub.Options{MaxAttachments: 1 << 20, MaxChannels: 1 << 20})
	drivertest.Run(t, tcpHarness("tcp", address, ""), options(t))
}

// TestLawsTCPOverProcesses runs the suite with the home in another process.
func TestLawsTCPOverProcesses(t *testing.T) {
	drivertest.Run(t, tcpHarness("tcp", tcpHome(t), ""), options(t))
}

// openURL opens a channel as a driver does.
func openURL(ctx context.Context, rawURL string, cfg driver.Config) (end, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return end{}, err
	}
	m, ok := driver.Lookup(u.Scheme)
	if !ok {
		return end{}, fmt.Errorf("no medium for %s", rawURL)
	}
	ch, err := m.Open(ctx, u, cfg)
	return end{ch}, err
}

// mustOpenURL is openURL in a test.
func mustOpenURL(t testing.TB, rawURL string, cfg driver.Config) end {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	e, err := openURL(ctx, rawURL, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Detach(context.Background()) })
	return e
}

func TestMalformedTCP(t *testing.T) {
	tests := []struct{ url, says string }{
		{"tcp:jobs", "want tcp://host:port/NAME"},
		{"tcp:///jobs", "want tcp://host:port/NAME"},
		{"tcp:/jobs", "want tcp://host:port/NAME"},
		{"tcp://me@localhost:1/jobs", "want tcp://host:port/NAME"},
		{"tcp://localhost:1/jobs#x", "want tcp://host:port/NAME"},
		{"tcp://:1/jobs", "host is missing"},
		{"tcp://localhost/jobs", "port is missing"},
		{"tcp://localhost:/jobs", "port is missing"},
		{"tcp://localhost:0/jobs", "1 to 65535"},
		{"tcp://localhost:65536/jobs", "1 to 65535"},
		{"tcp://localhost:1", "name is missing"},
		{"tcp://localhost:1/", "name is missing"},
		{"tcp://localhost:1/a%00b", "control characters"},
		{"tcp://localhost:1/jobs?chan=x", "unknown parameter chan"},
	}
	for _, test := range tests {
		_, err := openURL(t.Context(), test.url, both)
		if !errors.Is(err, driver.ErrConflict) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want it to say %q", test.url, err, test.says)
		}
	}
	if _, err := handoff.Open[int](t.Context(), "tcp://localhost:x/jobs"); !errors.Is(err, handoff.ErrConflict) {
		t.Error(err)
	}
}

// TestTCPNames: a name is the path without its first slash, and an address is one
// home, over one connection, however it is written.
func TestTCPNames(t *testing.T) {
	_, address := serveTCP(t, hub.Options{MaxConnections: 1})
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	a := mustOpenURL(t, "tcp://"+address+"/a/b%3Fc", slots(1))
	b := mustOpenURL(t, "tcp://[::ffff:127.0.0.1]:0"+port+"/a/b%3Fc", both)
	if a.Info().Home != b.Info().Home || a.Info().Name != "a/b?c" {
		t.Errorf("%+v and %+v", a.Info(), b.Info())
	}
	a.send("x").want(t, nil)
	b.recv(1).wantGot(t, "x")
}

// TestNobodyAtTCP: what cannot be reached is told in words.
func TestNobodyAtTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	l.Close()
	for url, says := range map[string]string{
		"tcp://" + free + "/jobs":              "nobody listens at " + free,
		"tcp://no-such-host.invalid:7000/jobs": "no-such-host.invalid",
	} {
		if _, err := openURL(t.Context(), url, both); !errors.Is(err, driver.ErrUnreachable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", url, err, says)
		}
	}

	// A host that takes the connection and says nothing.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := openURL(ctx, "tcp://"+silent.Addr().String()+"/jobs", both); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("opening at a silent host: %v", err)
	}
}
