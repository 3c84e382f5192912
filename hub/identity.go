package hub

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/tlsconn"
	"github.com/handoff-go/handoff/internal/wire"
)

// Anonymous is who comes without an identity, in rights and elsewhere.
const Anonymous = "anonymous"

// The kinds of identity. What follows is the name: of the certificate, of the
// token, or the number of the user.
const (
	byCert  = "cert:"
	byToken = "token:"
	byUser  = "uid:"
)

// maxIdentity is how long the name of an identity may be.
const maxIdentity = 256

// askingConn is a connection without TLS whose client has to show a token. It is the
// connection that says so and not its listener, so that whoever wraps the listener
// does not open the door.
type askingConn struct{ *net.TCPConn }

// asksIdentity reports whether nobody comes in by conn without an identity.
func asksIdentity(conn net.Conn) bool {
	switch conn.(type) {
	case tlsconn.Peer, askingConn:
		return true
	}
	return false
}

// errDenied sends a client away. It is one text for all that is wrong with a
// token, so that nobody learns anything by trying.
func errDenied(why string) error { return &wire.Error{Code: wire.CodeDenied, Text: why} }

// identify says who is at the other end of l: whom his token names, else his
// certificate, else the system.
func (l *line) identify() error {
	var tls *tls.ConnectionState
	if conn, ok := l.conn.(tlsconn.Peer); ok {
		state := conn.ConnectionState()
		tls = &state
	}
	who, err := l.hub.Identify(l.hello.Token, tls)
	l.hello.Token = "" // it has done its work
	if conn, ok := l.conn.(*net.UnixConn); ok && who == Anonymous {
		if uid, ok := userOf(conn); ok {
			who = fmt.Sprint(byUser, uid)
		}
	}
	switch {
	case err != nil:
		return errDenied(fault.Reason(err))
	case who == Anonymous && asksIdentity(l.conn):
		return errDenied("this home wants to know who its clients are: show a certificate or a token")
	}
	l.who = who
	return nil
}

// Identify returns the identity of him who shows token, or else, of him who has
// proved a certificate over the TLS connection of conn; "anonymous" where token is
// "" and conn is nil or without one. A token that the home does not know, or a
// certificate without a name that can be one, is ErrDenied.
func (h *Hub) Identify(token string, conn *tls.ConnectionState) (who string, err error) {
	if token != "" {
		name, ok := h.opts.Tokens.find(token)
		if !ok {
			return "", fault.Because(fault.ErrDenied, "this home does not know the token")
		}
		return byToken + name, nil
	}
	if conn != nil && len(conn.VerifiedChains) > 0 {
		return certified(conn.VerifiedChains[0][0])
	}
	return Anonymous, nil
}

// certified is the identity of a certificate: the first of its names, which are
// its URIs, hosts, mail addresses, and if there are none of these its common name.
func certified(cert *x509.Certificate) (string, error) {
	var names []string
	for _, uri := range cert.URIs {
		names = append(names, uri.String())
	}
	names = append(names, cert.DNSNames...)
	names = append(names, cert.EmailAddresses...)
	names = append(names, cert.Subject.CommonName)
	if name := names[0]; isIdentity(name) {
		return byCert + name, nil
	}
	return "", fault.Because(fault.ErrDenied, "the certificate has no name that could stand in a line of rights")
}

// isIdentity reports whether name can be the name of an identity.
func isIdentity(name string) bool {
	return name != "" && len(name) <= maxIdentity &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\uFFFD' })
}
