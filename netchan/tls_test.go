package netchan_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
	"github.com/handoff-go/handoff/internal/devcert"
	"github.com/handoff-go/handoff/internal/tlsconn"
	"github.com/handoff-go/handoff/netchan"
)

func init() {
	// tls is a home on a port of its own, with the certificates beside path, at
	// which it leaves its address.
	roles["tls"] = func(path string) {
		dir := filepath.Dir(path)
		cert, err := os.ReadFile(filepath.Join(dir, "server.crt"))
		must(err)
		key, err := os.ReadFile(filepath.Join(dir, "server.key"))
		must(err)
		ca, err := os.ReadFile(filepath.Join(dir, "ca.json"))
		must(err)
		var pair devcert.Pair
		must(json.Unmarshal(ca, &pair))
		authority, err := devcert.Load(pair)
		must(err)
		own, err := tls.X509KeyPair(cert, key)
		must(err)
		l, err := hub.TCP{TLS: &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: authority.Pool()}}.Listen("127.0.0.1:0")
		must(err)
		must(os.WriteFile(path, []byte(l.Addr().String()), 0o600))
		h := hub.New(plenty)
		go h.Serve(l)
	}
}

// papers are an authority and its certificates, in files.
type papers struct {
	dir string
	ca  *devcert.Authority
}

// newPapers makes those of a home on this machine and of a client called alice.
func newPapers(t testing.TB) papers {
	t.Helper()
	ca, err := devcert.NewAuthority("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	p := papers{t.TempDir(), ca}
	home, err := ca.Server([]string{"127.0.0.1", "localhost"}, time.Hour)
	p.put(t, "server", home, err)
	p.put(t, "ca", ca.Pair, nil)
	p.client(t, "alice")
	whole, err := json.Marshal(ca.Pair)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.at("ca.json"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p papers) at(name string) string { return filepath.Join(p.dir, name) }

// put writes a pair into files, if err is nil.
func (p papers) put(t testing.TB, name string, pair devcert.Pair, err error) {
	t.Helper()
	if err == nil {
		err = os.WriteFile(p.at(name+".crt"), pair.Cert, 0o600)
	}
	if err == nil {
		err = os.WriteFile(p.at(name+".key"), pair.Key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// client makes the certificate of a client.
func (p papers) client(t testing.TB, name string) {
	t.Helper()
	pair, err := p.ca.Client(name, time.Hour)
	p.put(t, name, pair, err)
}

// home is the home's side of TLS.
func (p papers) home(t testing.TB) *tls.Config {
	t.Helper()
	own, err := tls.LoadX509KeyPair(p.at("server.crt"), p.at("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: p.ca.Pool()}
}

// place is where a client called name finds the home at address.
func (p papers) place(address, name string) string {
	return "tls://" + address + "?ca=" + p.at("ca.crt") + "&cert=" + p.at(name+".crt") + "&key=" + p.at(name+".key")
}

// serveTLS starts a hub behind TLS on a port of its own and returns the address.
func serveTLS(t testing.TB, p papers, opts hub.Options) (*hub.Hub, string) {
	t.Helper()
	l, err := hub.TCP{TLS: p.home(t)}.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, opts), l.Addr().String()
}

func serveAtTLS(t testing.TB, opts hub.Options) (*hub.Hub, string) {
	t.Helper()
	p := newPapers(t)
	h, address := serveTLS(t, p, opts)
	return h, p.place(address, "alice")
}

func awayTLS(t testing.TB) away {
	t.Helper()
	p := newPapers(t)
	home := child(t, "tls", p.at("address"))
	address, err := os.ReadFile(p.at("address"))
	if err != nil {
		t.Fatal(err)
	}
	at := p.place(string(address), "alice")
	return away{process: home, here: at, there: at}
}

// listenTLS says a place to which nobody comes back.
func listenTLS(t testing.TB) (net.Listener, string) {
	t.Helper()
	p := newPapers(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := p.home(t)
	config.ClientAuth, config.NextProtos = tls.RequireAndVerifyClientCert, []string{tlsconn.Protocol}
	return tls.NewListener(l, config), p.place(l.Addr().String(), "alice") + "&resume=0s"
}

// TestWhoIsWho: neither side takes the other without its certificate, and says why.
func TestWhoIsWho(t *testing.T) {
	p, other := newPapers(t), newPapers(t)
	_, address := serveTLS(t, p, hub.Options{})
	_, plain := serveTCP(t, hub.Options{})
	host, port, _ := net.SplitHostPort(address)
	ca := "?ca=" + p.at("ca.crt")
	stranger := ca + "&cert=" + other.at("alice.crt") + "&key=" + other.at("alice.key")
	server := ca + "&cert=" + p.at("server.crt") + "&key=" + p.at("server.key")
	tests := []struct {
		name, at string
		want     error
		says     string
	}{
		{"a known client", p.place(address, "alice"), nil, ""},
		{"by another name of the home", strings.Replace(p.place(address, "alice"), host, "localhost", 1), nil, ""},
		{"by a name the certificate has not", p.place("[::ffff:127.0.0.1]:"+port, "alice") + "&servername=example.org", driver.ErrDenied, "example.org"},
		{"no certificate", "tls://" + address + ca, driver.ErrDenied, "certificate"},
		{"a certificate of another authority", "tls://" + address + stranger, driver.ErrDenied, "refuses this client's certificate"},
		{"a home's certificate for a client", "tls://" + address + server, driver.ErrDenied, "refuses this client's certificate"},
		{"a home of another authority", other.place(address, "alice"), driver.ErrDenied, "not trusted"},
		{"no TLS at the home", p.place(plain, "alice"), driver.ErrUnreachable, "speaks TLS"},
		{"no TLS here", "tcp://" + address, driver.ErrUnreachable, ""},
		{"a certificate without its key", "tls://" + address + ca + "&cert=" + p.at("alice.crt"), driver.ErrConflict, "come together"},
		{"no such file", "tls://" + address + "?ca=" + p.at("nothing"), driver.ErrConflict, "nothing"},
		{"an authority that is a key", "tls://" + address + "?ca=" + p.at("ca.key"), driver.ErrConflict, "no certificate in it"},
		{"a configuration nobody registered", "tls://" + address + "?config=nobody", driver.ErrConflict, "registered"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := tryOpen(test.at, "jobs", both)
			if err == nil {
				e.Detach(t.Context())
			}
			if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %v saying %q", err, test.want, test.says)
			}
		})
	}
}

// TestRegisterTLS: a program can bring its own configuration, and cannot lower the
// version by it.
func TestRegisterTLS(t *testing.T) {
	p := newPapers(t)
	_, address := serveTLS(t, p, hub.Options{})
	pair, err := tls.LoadX509KeyPair(p.at("alice.crt"), p.at("alice.key"))
	if err != nil {
		t.Fatal(err)
	}
	netchan.RegisterTLS("mine", &tls.Config{RootCAs: p.ca.Pool(), Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS13})
	e := open(t, "tls://"+address+"?config=mine", "jobs", slots(1))
	e.send("a").want(t, nil)
	netchan.RegisterTLS("old", &tls.Config{RootCAs: p.ca.Pool(), Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12})
	if _, err := tryOpen("tls://"+address+"?config=old", "jobs", both); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
}

// TestTLSEnvironment: what the URL leaves out the environment says.
func TestTLSEnvironment(t *testing.T) {
	p := newPapers(t)
	_, address := serveTLS(t, p, hub.Options{})
	t.Setenv("HANDOFF_CA", p.at("ca.crt"))
	t.Setenv("HANDOFF_CERT", p.at("alice.crt"))
	t.Setenv("HANDOFF_KEY", p.at("alice.key"))
	open(t, "tls://"+address, "jobs", slots(1)).send("a").want(t, nil)
}

// TestOldTLSIsRefused: a home speaks TLS 1.3 or nothing.
func TestOldTLSIsRefused(t *testing.T) {
	p := newPapers(t)
	_, address := serveTLS(t, p, hub.Options{})
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: p.ca.Pool(), MaxVersion: tls.VersionTLS12})
	if err == nil {
		conn.Close()
		t.Fatal("the home speaks TLS 1.2")
	}
}

// TestResumeOverTLS: a connection that breaks is resumed over TLS as over TCP, each
// time after the handshake of TLS.
func TestResumeOverTLS(t *testing.T) {
	p := newPapers(t)
	_, address := serveTLS(t, p, hub.Options{})
	between := through(t, address, badline.Never)
	e := open(t, p.place(between.Address(), "alice")+"&resume=30s", "jobs", slots(4))
	for range 8 {
		between.Cut(false)
		e.send("x").want(t, nil)
		e.recv(1).wantGot(t, "x")
	}
}

// withTokens are the options of a home that knows alice and bob by their tokens.
func withTokens(t testing.TB, rights string) hub.Options {
	t.Helper()
	tokens, err := hub.ParseTokens(strings.NewReader("alice alice-alice-alice\nbob bob-bob-bob-bob-bob\n"))
	if err != nil {
		t.Fatal(err)
	}
	opts := hub.Options{Tokens: tokens}
	if rights != "" {
		if opts.Rights, err = hub.ParseRights(strings.NewReader(rights)); err != nil {
			t.Fatal(err)
		}
	}
	return opts
}

// tokenFile leaves a token in a file.
func tokenFile(t testing.TB, token string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTokens: a token is shown over tcp: and over tls:, where it does instead of a
// certificate, and no error says it.
func TestTokens(t *testing.T) {
	p := newPapers(t)
	opts := withTokens(t, "allow token:alice all *\nallow cert:alice all *\n")
	secure, err := hub.TCP{TLS: p.home(t), Tokens: true}.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := hub.TCP{Tokens: true}.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, secure, opts)
	serveOn(t, plain, opts)
	tls, tcp := "tls://"+secure.Addr().String()+"?ca="+p.at("ca.crt"), "tcp://"+plain.Addr().String()+"?"
	alice, bob, wrong := tokenFile(t, "alice-alice-alice", 0o600), tokenFile(t, "bob-bob-bob-bob-bob", 0o600), tokenFile(t, "eve-eve-eve-eve-eve", 0o600)
	for _, test := range []struct {
		name, at string
		want     error
		says     string
	}{
		{"over TLS", tls + "&tokenfile=" + alice, nil, ""},
		{"over TCP", tcp + "&tokenfile=" + alice, nil, ""},
		{"a certificate instead", p.place(secure.Addr().String(), "alice"), nil, ""},
		{"the token counts, not the certificate", p.place(secure.Addr().String(), "alice") + "&tokenfile=" + bob, driver.ErrDenied, "token:bob has no right"},
		{"a wrong one", tcp + "&tokenfile=" + wrong, driver.ErrDenied, "does not know the token"},
		{"none over TLS", tls, driver.ErrDenied, "show a certificate or a token"},
		{"none over TCP", tcp, driver.ErrDenied, "show a certificate or a token"},
		{"one without rights", tcp + "&tokenfile=" + bob, driver.ErrDenied, "token:bob has no right to send, receive"},
		{"no file", tcp + "&tokenfile=" + alice + "x", driver.ErrConflict, "no such file"},
		{"a file for all to read", tcp + "&tokenfile=" + tokenFile(t, "alice-alice-alice", 0o644), driver.ErrDenied, "others may read"},
		{"a file with more in it", tcp + "&tokenfile=" + tokenFile(t, "alice-alice-alice\nalice", 0o600), driver.ErrConflict, "one line"},
		{"a file with nothing in it", tcp + "&tokenfile=" + tokenFile(t, "", 0o600), driver.ErrConflict, "one line"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && test.says == "others may read" {
				t.Skip("files have no such mode there")
			}
			e, err := tryOpen(test.at, "jobs", slots(1))
			if err == nil {
				e.Detach(t.Context())
			}
			if !errors.Is(err, test.want) || err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "-alice")) {
				t.Errorf("%v, want %v saying %q", err, test.want, test.says)
			}
		})
	}
}

// TestAttackStolenSession: a session is resumed by the certificate's name it began
// with, and by no other, whatever else is the same.
func TestAttackStolenSession(t *testing.T) {
	p := newPapers(t)
	p.client(t, "bob")
	_, address := serveTLS(t, p, hub.Options{})
	between := through(t, address, badline.Never)
	e := open(t, p.place(between.Address(), "alice")+"&resume=30s", "jobs", slots(4))
	e.send("a").want(t, nil)
	// A renewed certificate of the same name will do.
	p.client(t, "alice")
	between.Cut(false)
	e.send("b").want(t, nil)
	for _, end := range []string{".crt", ".key"} {
		b, err := os.ReadFile(p.at("bob" + end))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.at("alice"+end), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	between.Cut(false)
	e.recv(1).want(t, driver.ErrUnreachable)
	if p := e.recv(1).wait(t); !strings.Contains(p.Err.Error(), "another process or identity") {
		t.Error(p.Err)
	}
}

// TestExpiredCertificate: what is no longer valid, on either side, is not taken.
func TestExpiredCertificate(t *testing.T) {
	p := newPapers(t)
	_, address := serveTLS(t, p, hub.Options{})
	old, err := p.ca.Client("old", -time.Minute)
	p.put(t, "old", old, err)
	if _, err := tryOpen(p.place(address, "old"), "jobs", both); !errors.Is(err, driver.ErrDenied) {
		t.Errorf("a client's: %v", err)
	}
	stale, err := p.ca.Server([]string{"127.0.0.1"}, -time.Minute)
	p.put(t, "server", stale, err)
	_, address = serveTLS(t, p, hub.Options{})
	if _, err := tryOpen(p.place(address, "alice"), "jobs", both); !errors.Is(err, driver.ErrDenied) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("a home's: %v", err)
	}
}
