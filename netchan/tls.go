package netchan

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/tlsconn"
)

// secret is where a client's side of TLS is found: files, or a configuration of
// the program.
type secret struct {
	ca, cert, key string      // paths, "" for none
	named         *tls.Config // nil if files say it
	host          string      // what the home calls itself
}

// parseTLS reads tls://host:port/NAME with the parameters of tcp: and those that say
// who the home and this client are.
func parseTLS(u *url.URL) (place, string, error) {
	at, from, _, err := parseSecure(u)
	if err != nil {
		return place{}, "", err
	}
	at.dial = func(ctx context.Context) (net.Conn, error) { return dialTLS(ctx, at.name, from) }
	return at.place, at.channel, nil
}

// parseSecure reads what the schemes under TLS have in common, and the parameters called
// names too. The place lacks its dial.
func parseSecure(u *url.URL, names ...string) (at address, from secret, values map[string]string, err error) {
	at, values, err = parseAddress(u, append(names, "ca", "cert", "key", "servername", "config")...)
	if err != nil {
		return at, from, nil, err
	}
	if from, err = secretOf(values); err != nil {
		return at, from, nil, err
	}
	if from.host = values["servername"]; from.host == "" {
		from.host = at.host
	}
	at.key = fmt.Sprintf("%s:%s resume=%v heartbeat=%v host=%s %q %q %q %p %s", u.Scheme, at.name, at.resume, at.beat, from.host, from.ca, from.cert, from.key, from.named, at.token)
	return at, from, values, nil
}

// secretOf reads the parameters; what none says the environment does, where no
// configuration was named.
func secretOf(values map[string]string) (from secret, err error) {
	if name := values["config"]; name != "" {
		if values["ca"]+values["cert"]+values["key"] != "" {
			return from, fault.Malformed("either config= or files, not both")
		}
		named, ok := configs.Load(name)
		if !ok {
			return from, fault.Malformed("config=%s: this program has registered no such configuration", name)
		}
		return secret{named: named.(*tls.Config)}, nil
	}
	for _, one := range []struct {
		path      *string
		said, env string
	}{{&from.ca, "ca", "HANDOFF_CA"}, {&from.cert, "cert", "HANDOFF_CERT"}, {&from.key, "key", "HANDOFF_KEY"}} {
		if *one.path, err = pathOf(values[one.said], one.env); err != nil {
			return from, err
		}
	}
	if (from.cert == "") != (from.key == "") {
		return from, fault.Malformed("a certificate and its key come together (cert= and key=, or HANDOFF_CERT and HANDOFF_KEY)")
	}
	return from, nil
}

// pathOf is the file that a parameter names, or else a variable of the
// environment; "" if neither does.
func pathOf(said, env string) (string, error) {
	if said == "" {
		said = os.Getenv(env)
	}
	if said == "" {
		return "", nil
	}
	abs, err := filepath.Abs(said)
	if err != nil {
		return "", malformed("%v", err)
	}
	return abs, nil
}

// configs are the configurations by name.
var configs sync.Map

// RegisterTLS gives a configuration of TLS a name, for the URLs of tls:, and of
// every transport under TLS, that say config=NAME: keys that are in no file, authorities by callback, and the like.
// Versions before TLS 1.3 are not spoken whatever it says, and ServerName is the
// host of the URL where it says none. Connections that are there stay as they are.
func RegisterTLS(name string, config *tls.Config) { configs.Store(name, config.Clone()) }

// config is the configuration for a home that speaks protocol. Files are read each
// time, so that a renewed certificate is used for the next connection.
func (from secret) config(protocol string) (*tls.Config, error) {
	config := &tls.Config{}
	if from.named != nil {
		config = from.named.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS13)
	if config.ServerName == "" {
		config.ServerName = from.host
	}
	config.NextProtos = []string{protocol}
	if from.ca != "" {
		pem, err := os.ReadFile(from.ca)
		if err != nil {
			return nil, unreadable(err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.Malformed("ca=%s: there is no certificate in it", from.ca)
		}
	}
	if from.cert == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(from.cert, from.key)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, unreadable(err)
	}
	if err != nil {
		return nil, fault.Malformed("cert=%s key=%s: %v", from.cert, from.key, err)
	}
	// It is shown whatever authorities the home names, which then says that it will
	// not do; left out, the home would seem to know nobody.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return config, nil
}

// unreadable is the error of a file that a URL or the environment names.
func unreadable(err error) error {
	sentinel := fault.ErrConflict
	if errors.Is(err, fs.ErrPermission) {
		sentinel = fault.ErrDenied
	}
	return fault.Because(sentinel, "%v", err)
}

func dialTLS(ctx context.Context, address string, from secret) (net.Conn, error) {
	config, err := from.config(tlsconn.Protocol)
	if err != nil {
		return nil, err
	}
	raw, err := dialTCP(ctx, address)
	if err != nil {
		return nil, err
	}
	conn := tlsconn.Client(raw, config)
	if err := conn.Handshake(ctx); err != nil {
		raw.Close()
		return nil, distrust(ctx, address, err)
	}
	return conn, nil
}

// distrust says why there is no TLS with address. What breaks a connection is not
// told from what is wrong with the home, but a certificate is: it is ErrDenied.
func distrust(ctx context.Context, address string, err error) error {
	_, mismatch := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case mismatch:
		return fault.Because(fault.ErrDenied, "the home at %s is not trusted: %v", address, err)
	case tlsconn.IsRefusal(err):
		return refusedTLS(address, err)
	case hungUp(err), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Because(fault.ErrUnreachable, "%s closed the connection without a word; it may not be a handoff home, or not one that speaks TLS", address)
	case isNotTLS(err):
		return fault.Because(fault.ErrUnreachable, "what answers at %s does not speak TLS", address)
	}
	return fault.Because(fault.ErrUnreachable, "TLS with %s: %v", address, err)
}

func isNotTLS(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

// refusedTLS is the error of a home that ended TLS by an alert: it does not take
// what this client showed.
func refusedTLS(address string, err error) error {
	op, _ := errors.AsType[*net.OpError](err)
	return fault.Because(fault.ErrDenied, "the home at %s refuses this client's certificate, or that it has none (cert= and key=): %v", address, op.Err)
}
