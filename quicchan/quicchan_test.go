package quicchan_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/netchan"
	"github.com/handoff-go/handoff/quicchan"
)

// patience bounds every wait of a test: reaching it is a failure.
const patience = 20 * time.Second

// authority makes a certificate for this machine that is its own authority, and
// returns the two sides that trust it, each other, and nobody else.
func authority(t testing.TB) (server, client *tls.Config, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AddCert(certificate)
	pair = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	server = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: known, ClientAuth: tls.RequireAndVerifyClientCert}
	client = &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: known}
	return server, client, pair
}

// serve starts a home and returns the URL of its channels, for fmt with a name.
// wrap, if not nil, comes between the listener and the hub.
func serve(t testing.TB, opts hub.Options, wrap func(net.Listener) net.Listener) (h *hub.Hub, url string) {
	t.Helper()
	server, client, _ := authority(t)
	l, err := quicchan.Listen("127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	netchan.RegisterTLS(t.Name(), client)
	url = "quic://" + l.Addr().String() + "/%s?config=" + t.Name()
	if wrap != nil {
		l = wrap(l)
	}
	return serveOn(t, l, opts), url
}

// serveOn starts a home behind l.
func serveOn(t testing.TB, l net.Listener, opts hub.Options) *hub.Hub {
	t.Helper()
	h := hub.New(opts)
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		h.Close(ctx) // a test may leave values behind
		if err := <-served; err != hub.ErrClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	return h
}

// open opens a channel for the time of the test.
func open(t testing.TB, url string, opts ...handoff.Option) handoff.Chan[string] {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	ch, err := handoff.Open[string](ctx, url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Detach() })
	return ch
}

// plenty is what a home needs that serves the whole suite.
var plenty = hub.Options{MaxAttachments: 1 << 20, MaxChannels: 1 << 20, MaxConnections: 1 << 16, MaxIdentitySessions: 1 << 16, MaxIdentityChannels: 1 << 20}

// TestLaws runs the suite with all channels over one stream.
func TestLaws(t *testing.T) {
	_, url := serve(t, plenty, nil)
	drivertest.Run(t, harness("quic, one stream", url+"&stream=shared"), drivertest.Options{Only: except(t, otherwise), Share: less})
}

// TestLawsOfStreams runs it with a stream for each channel.
func TestLawsOfStreams(t *testing.T) {
	_, url := serve(t, plenty, nil)
	holds := except(t, otherwise, otherwiseApart)
	only := func(l drivertest.Law) bool { return l.Name != steady && holds(l) }
	h := harness("quic, a stream for each", url)
	h.Several = true // to a select each stream is a home
	drivertest.Run(t, h, drivertest.Options{Only: only, Share: less})
	drivertest.Run(t, h, drivertest.Options{Only: func(l drivertest.Law) bool { return l.Name == steady }})
}

// less is what the suite repeats less often: package netchan does it in full.
const less = 20

// steady is a law that is judged in full: each session keeps up to 16 KiB each way
// that are not acknowledged, so that it takes many repetitions until two of them, at
// both ends, are as large as they get.
const steady = "L12/cancelled-operations-leave-nothing"

func harness(name, url string) drivertest.Harness {
	fresh := func(*drivertest.Env) string { return fmt.Sprintf(url, drivertest.FreshName()) }
	h := drivertest.Medium(name, fresh)
	h.Has = h.Has.With(drivertest.FeaturePayloads, drivertest.FeatureHuge)
	h.Empty = drivertest.Opened[struct{}](fresh)
	h.Text = drivertest.Opened[string](fresh)
	h.Bytes = drivertest.Opened[[]byte](fresh)
	h.Big = drivertest.Opened[drivertest.Big](fresh)
	h.Huge = drivertest.Opened[drivertest.Huge](fresh)
	return h
}

// otherwise are the laws that do not hold over a wire: see package netchan.
var otherwise = map[string]string{
	"L3/batches-agree-with-the-obvious-channel": "a plain receive is confirmed when its home has heard of it",
}

// otherwiseApart are those that do not hold where each channel has a stream.
var otherwiseApart = map[string]string{
	"L13/a-full-dead-letter-keeps-the-hold": "two channels have two streams, so the home may hear of a Reject on one before it hears that a " +
		"value of the other, its dead letter, was received: it is still full then",
}

func except(t *testing.T, laws ...map[string]string) func(drivertest.Law) bool {
	all := map[string]string{}
	for _, some := range laws {
		maps.Copy(all, some)
	}
	return func(l drivertest.Law) bool {
		why, not := all[l.Name]
		if not {
			t.Logf("left out: %s: %s", l.Name, why)
		}
		return !not
	}
}

func TestMalformed(t *testing.T) {
	for url, says := range map[string]string{
		"quic:jobs":                               "quic://host:port/NAME",
		"quic://localhost/jobs":                   "quic://host:port/NAME",
		"quic://localhost:0/jobs":                 "1 to 65535",
		"quic://localhost:1/":                     "name is missing",
		"quic://localhost:1/jobs?x=1":             "unknown parameter x",
		"quic://localhost:1/jobs?stream=2":        "stream=shared",
		"quic://localhost:1/jobs?resume=x":        "resume=x",
		"quic://localhost:1/jobs?heartbeat=x":     "heartbeat=x",
		"quic://localhost:1/jobs?cert=a":          "come together",
		"quic://localhost:1/jobs?config=unheard":  "no such configuration",
		"quic://localhost:1/jobs?ca=nothing-here": "nothing-here",
	} {
		if _, err := handoff.Open[string](t.Context(), url); !errors.Is(err, handoff.ErrConflict) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", url, err, says)
		}
	}
}

// TestStrangers: neither side talks to one whose certificate it does not know.
func TestStrangers(t *testing.T) {
	_, url := serve(t, hub.Options{}, nil)
	_, stranger, _ := authority(t)
	netchan.RegisterTLS("stranger", stranger)
	_, known, _ := authority(t)
	known.Certificates = nil
	netchan.RegisterTLS("nobody", known)
	at := fmt.Sprintf(url, "jobs")
	for _, config := range []string{"stranger", "nobody"} {
		_, err := handoff.Open[string](t.Context(), strings.Replace(at, "config="+t.Name(), "config="+config, 1))
		if !errors.Is(err, handoff.ErrDenied) {
			t.Errorf("%s: %v", config, err)
		}
	}
}

// TestTokens: a home whose TLS asks for no certificate lets in those only who show a
// token that it knows.
func TestTokens(t *testing.T) {
	dir := t.TempDir()
	write := func(name, line string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tokens, err := hub.ReadTokens(write("tokens", "alice 0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	server, client, _ := authority(t)
	server.ClientCAs, server.ClientAuth = nil, tls.NoClientCert
	l, err := quicchan.Listen("127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, hub.Options{Tokens: tokens})
	netchan.RegisterTLS(t.Name(), client)
	at := "quic://" + l.Addr().String() + "/jobs?config=" + t.Name()
	open(t, at+"&tokenfile="+write("hers", "0123456789abcdef"))
	for _, other := range []string{at, at + "&tokenfile=" + write("other", "fedcba9876543210")} {
		if _, err := handoff.Open[string](t.Context(), other); !errors.Is(err, handoff.ErrDenied) {
			t.Errorf("Open(%s): %v", other, err)
		}
	}
}

// TestFiles: certificates may be in files that the URL names.
func TestFiles(t *testing.T) {
	server, _, pair := authority(t)
	l, err := quicchan.Listen("127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{})
	go h.Serve(l)
	defer h.Close(context.Background())
	dir := t.TempDir()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	ch, err := handoff.Open[string](t.Context(), fmt.Sprintf("quic://%s/jobs?ca=%s&cert=%s&key=%s", l.Addr(), cert, cert, key), handoff.Slots(1))
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	if err := ch.Send(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if v, err := ch.Recv(t.Context()); v != "a" || err != nil {
		t.Errorf("received %q, %v", v, err)
	}
}
