package web

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// silent is where net/http reports what clients do wrong: they are told themselves.
var silent = log.New(io.Discard, "", 0)

// guard refuses what a browser sends for a page that has no business here. A
// program that is no browser can say anything, and is not what this is about.
func (s *Server) guard(r *http.Request) error {
	if !s.knownHost(r.Host) {
		return wrong(http.StatusForbidden, "denied", "this home is not called %q", r.Host)
	}
	if s.knownOrigin(r) {
		return nil
	}
	return wrong(http.StatusForbidden, "denied", "a page of another site may not use this home, unless its operator allows the origin")
}

// knownHost reports whether host is a name of this server. A page whose own name
// was made to lead to this machine has another one.
func (s *Server) knownHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if ip, err := netip.ParseAddr(name); err == nil && ip.IsLoopback() {
		return true
	}
	return name == "localhost" || slices.Contains(s.opts.Hosts, name) || slices.Contains(s.opts.Hosts, host)
}

// knownOrigin reports whether the page that asks, if it is one, may.
func (s *Server) knownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "" || site == "none" || site == "same-origin"
	}
	if slices.Contains(s.opts.Origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && u.Scheme == schemeOf(r)
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// share adds what a browser wants to hear before it shows a page of a known origin
// the answer, and reports whether the request was nothing but the question.
func (s *Server) share(w http.ResponseWriter, r *http.Request) (asked bool) {
	origin := r.Header.Get("Origin")
	h := w.Header()
	if len(s.opts.Origins) > 0 {
		h.Add("Vary", "Origin")
	}
	if !slices.Contains(s.opts.Origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Handoff-Attempt, Handoff-Header, Handoff-Hold, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Handoff-Header")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// limit is l with at most so many connections at once: the next ones wait to be
// accepted.
func limit(l net.Listener, most int) net.Listener {
	return &fewConns{Listener: l, places: make(chan struct{}, most), closed: make(chan struct{})}
}

type fewConns struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (l *fewConns) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &counted{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

func (l *fewConns) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// counted is a connection with a place.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
