package netchan

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Transport is what another package brings to reach homes, such as quicchan: streams
// under TLS 1.3. Its URLs are those of tls:.
type Transport struct {
	// Protocol is what both sides say in the handshake of TLS that they speak.
	Protocol string
	// Parameters are those of its URLs that tls: does not have.
	Parameters []string
	// Own reports whether each channel has a stream of its own, by the values of
	// all parameters. An error of it refuses the URL.
	Own func(values map[string]string) (bool, error)
	// Dial makes a stream to the home at address, which is host:port: one that keeps
	// order, loses nothing and tells its end. Streams with the same line may share what
	// is under them. config reads the files of the URL each time, so that a renewed
	// certificate is used for what is dialled next. Of streams with the same line beat is
	// the same, what heartbeat= says: after so long a peer that is gone without a word is
	// to be noticed below, if that can be; 0 for never.
	Dial func(ctx context.Context, line, address string, beat time.Duration, config func() (*tls.Config, error)) (net.Conn, error)
}

// Register makes the URLs of a scheme mean channels at homes that are reached over t.
func Register(scheme string, t Transport) {
	driver.Register(scheme, medium{func(u *url.URL) (place, string, error) { return t.parse(u) }})
}

// parse reads SCHEME://host:port/NAME with the parameters of tls: and those of t.
func (t Transport) parse(u *url.URL) (place, string, error) {
	at, from, values, err := parseSecure(u, t.Parameters...)
	if err != nil {
		return place{}, "", err
	}
	own, err := t.Own(values)
	if err != nil {
		return place{}, "", err
	}
	config := func() (*tls.Config, error) { return from.config(t.Protocol) }
	at.dial = func(ctx context.Context) (net.Conn, error) { return t.Dial(ctx, at.key, at.name, at.beat, config) }
	at.home = at.key
	session := at.place
	if own {
		session.key += fmt.Sprintf(" chan=%q", at.channel)
	}
	return session, at.channel, nil
}
