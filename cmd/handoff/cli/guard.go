package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/quicchan"
	"github.com/spf13/pflag"
)

// guardFlags say who may come to a home, and what they may do there.
type guardFlags struct {
	cert, key, clientCA    string
	tokens, rights         string
	anybodyWithoutIdentity bool
}

func (g *guardFlags) add(f *pflag.FlagSet) {
	f.StringVar(&g.cert, "cert", "", "the home's certificate, not for --tcp: `FILE`")
	f.StringVar(&g.key, "key", "", "its key: `FILE`")
	f.StringVar(&g.clientCA, "client-ca", "", "the authorities that vouch for clients: `FILE`")
	f.StringVar(&g.tokens, "tokens", "", "the tokens that name clients: `FILE`")
	f.StringVar(&g.rights, "rights", "", "what each client may do: `FILE`")
	f.BoolVar(&g.anybodyWithoutIdentity, "listen-to-anybody-without-identity", false,
		"let --tcp serve strangers, from everywhere, unencrypted")
}

// load reads the files the flags name: options for the hub, and how it listens over
// TCP and over TLS.
func (g guardFlags) load(wantsTLS bool) (opts hub.Options, tcp, secure hub.TCP, err error) {
	if g.tokens != "" {
		if opts.Tokens, err = hub.ReadTokens(g.tokens); err != nil {
			return opts, tcp, secure, err
		}
	}
	if g.rights != "" {
		if opts.Rights, err = hub.ReadRights(g.rights); err != nil {
			return opts, tcp, secure, err
		}
	}
	tcp = hub.TCP{Tokens: g.tokens != "", ListenToAnybodyWithoutIdentity: g.anybodyWithoutIdentity}
	secure = hub.TCP{Tokens: g.tokens != ""}
	switch {
	case wantsTLS:
		secure.TLS, err = g.tls()
	case g.cert != "" || g.key != "" || g.clientCA != "":
		err = usage("--cert, --key and --client-ca are for --tls, --quic and --https, which are missing")
	}
	return opts, tcp, secure, err
}

// tls is the home's side of TLS.
func (g guardFlags) tls() (*tls.Config, error) {
	switch {
	case g.cert == "" || g.key == "":
		return nil, usage("--tls, --quic and --https need --cert and --key: handoff cert makes some for development")
	case g.clientCA == "" && g.tokens == "":
		return nil, usage("--tls, --quic and --https need --client-ca or --tokens, so that clients can show who they are")
	}
	pair, err := tls.LoadX509KeyPair(g.cert, g.key)
	if err != nil {
		return nil, fmt.Errorf("--cert %s --key %s: %w", g.cert, g.key, err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if g.clientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(g.clientCA)
	if err != nil {
		return nil, fmt.Errorf("--client-ca: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--client-ca %s: there is no certificate in it", g.clientCA)
	}
	return config, nil
}

// tcpDoor opens a door at an address.
func tcpDoor(scheme, addr string, how hub.TCP) (door, error) {
	l, err := how.Listen(addr)
	if err != nil {
		return door{}, err
	}
	at := l.Addr().String()
	if scheme != "tcp" && scheme != "http" {
		at = certified(addr, at)
	}
	return door{Listener: l, url: scheme + "://" + at + "/NAME"}, nil
}

// quicDoor opens a door at an address over QUIC.
func quicDoor(addr string, how hub.TCP) (door, error) {
	config, err := how.Config("") // it names the protocol itself
	if err != nil {
		return door{}, err
	}
	l, err := quicchan.Listen(addr, config)
	if err != nil {
		return door{}, err
	}
	return door{Listener: l, url: "quic://" + certified(addr, l.Addr().String()) + "/NAME"}, nil
}

// certified is what clients say of a home that was told to listen at addr and listens
// at at: the name in its certificate, not an address.
func certified(addr, at string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return at
	}
	_, port, _ := net.SplitHostPort(at)
	return net.JoinHostPort(host, port)
}

// webDoor opens a door for HTTP at an address.
func webDoor(scheme, addr string, how hub.TCP) (door, error) {
	config, err := how.Config("http/1.1") // WebSockets need it
	if err != nil {
		return door{}, err
	}
	// With a certificate, or for those who show a token, any address will do.
	d, err := tcpDoor(scheme, addr, hub.TCP{Tokens: how.Tokens || config != nil})
	if err != nil {
		return door{}, err
	}
	d.url, d.web, d.tls = strings.TrimSuffix(d.url, "NAME")+"v1/channels/NAME", true, config
	return d, nil
}

// reread has SIGUSR1, where there is one, read the rights again, until stop, which
// waits for the end of it. Rights that cannot be read are told, and those there are
// stay. (SIGHUP says that the terminal is gone, which is an end.)
func (g guardFlags) reread(h *hub.Hub, s Streams) (stop func()) {
	if g.rights == "" || rereadSignal == nil {
		return func() {}
	}
	asked, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(asked, rereadSignal)
	go func() {
		defer close(done)
		for range asked {
			rights, err := hub.ReadRights(g.rights)
			if err != nil {
				fmt.Fprintf(s.Err, "handoff: the rights stay as they are: %s\n", oneLine(err))
				continue
			}
			h.SetRights(rights)
			fmt.Fprintf(s.Err, "handoff: the rights in %s hold from now on\n", g.rights)
		}
	}()
	return func() {
		signal.Stop(asked)
		close(asked)
		<-done
	}
}
