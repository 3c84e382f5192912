package netchan_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
)

func init() {
	// tcp is a home on a port of its own, whose number it leaves in the file path.
	roles["tcp"] = func(path string) {
		l, err := hub.ListenTCP("127.0.0.1:0")
		must(err)
		must(os.WriteFile(path, []byte(l.Addr().String()), 0o600))
		h := hub.New(plenty)
		go h.Serve(l)
	}
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
