package quicchan

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/handoff-go/handoff/internal/fault"
)

// configs are the configurations by name.
var configs sync.Map

// RegisterTLS gives a configuration of TLS a name, for URLs that say config=NAME:
// keys that are in no file, authorities by callback, and the like. ServerName is
// the host of the URL where it says none. Connections that are there stay as they
// are.
func RegisterTLS(name string, config *tls.Config) { configs.Store(name, config.Clone()) }

// secret is where a client's side of TLS is found: files, or a configuration of the
// program.
type secret struct {
	ca, cert, pair string // paths, "" for none
	server         string
	named          *tls.Config // nil if files say it
}

// secretOf reads the parameters.
func secretOf(values map[string]string, host string) (secret, error) {
	s := secret{ca: values["ca"], cert: values["cert"], pair: values["key"], server: values["servername"]}
	if s.server == "" {
		s.server = host
	}
	if (s.cert == "") != (s.pair == "") {
		return s, fault.Malformed("a certificate and its key come together: cert= and key=")
	}
	name := values["config"]
	if name == "" {
		return s, nil
	}
	if s.ca+s.cert != "" {
		return s, fault.Malformed("either config= or files, not both")
	}
	named, ok := configs.Load(name)
	if !ok {
		return s, fault.Malformed("config=%s: this program has registered no such configuration", name)
	}
	s.named = named.(*tls.Config)
	return s, nil
}

// key is equal for two that are the same.
func (s secret) key() string {
	return fmt.Sprintf("ca=%q cert=%q key=%q server=%q config=%p", s.ca, s.cert, s.pair, s.server, s.named)
}

// config is the configuration. Files are read each time, so that a renewed
// certificate is used for the next connection.
func (s secret) config() (*tls.Config, error) {
	c := &tls.Config{}
	if s.named != nil {
		c = s.named.Clone()
	}
	c.MinVersion, c.NextProtos = tls.VersionTLS13, []string{protocol}
	if c.ServerName == "" {
		c.ServerName = s.server
	}
	if s.ca != "" {
		pem, err := os.ReadFile(s.ca)
		if err != nil {
			return nil, unreadable(err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.Malformed("ca=%s: there is no certificate in it", s.ca)
		}
	}
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.pair)
		if err != nil {
			return nil, unreadable(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// unreadable is the error of a file that a URL names.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fault.Because(fault.ErrDenied, "%v", err)
	}
	return fault.Malformed("%v", err)
}
