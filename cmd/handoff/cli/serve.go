package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/hub/web"
	"github.com/spf13/cobra"
)

// closeWithin is how long clients have to hear that the hub ends.
const closeWithin = 5 * time.Second

func newServe(s Streams) *cobra.Command {
	var at serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Be the home of named channels",
		Long: `Be the home of named channels, until interrupted.

Programs open the channel NAME, here or there: it is one channel whatever way they
come. It is made when it is first opened, as its opener says, and lives, with the
values in its slots, as long as this process.

  --unix PATH       a socket of this user's only: unix:PATH?chan=NAME
  --pipe PATH       a named pipe (FIFO) of this user's only: pipe:PATH?chan=NAME
  --tcp HOST:PORT   an address of this machine, for all its users:
                    tcp://HOST:PORT/NAME. Port 0 takes one that is free.
  --tls HOST:PORT   an address that other machines reach, for clients that show a
                    certificate (--client-ca) or a token (--tokens), encrypted:
                    tls://HOST:PORT/NAME
  --quic HOST:PORT  the same over QUIC, with a stream for each channel:
                    quic://HOST:PORT/NAME
  --http HOST:PORT  as --tcp, for curl, browsers and other languages:
                    http://HOST:PORT/v1/channels/NAME. --origin URL lets the pages
                    of another site use it too.
  --https HOST:PORT as --tls, for them: https://HOST:PORT/v1/channels/NAME

Each may be given several times. For each, one line is printed when clients can
connect. What is left in slots at the end is told.

With --tokens every client of --tcp must show one, and then it may listen beyond
this machine, unencrypted. With --rights each client may do what the file allows,
and nothing else; SIGUSR1 has it read again. docs/security.md has the form of both
files. Nothing but --listen-to-anybody-without-identity lets strangers in: then
whoever reaches an address of --tcp may use every channel, unencrypted.`,
		Example: `  handoff serve --unix /tmp/shop.sock
  handoff serve --unix /tmp/shop.sock --tcp localhost:4710
  handoff serve --http localhost:8080
  handoff serve --tls :4711 --cert server.crt --key server.key --client-ca ca.crt --rights rights

  ch, err := handoff.Open[string](ctx, "unix:/tmp/shop.sock?chan=orders&slots=4")`,
		Args: cobra.NoArgs,
		RunE: runs(func(ctx context.Context, _ []string) error {
			if len(at.unix)+len(at.tcp)+len(at.pipe)+len(at.tls)+len(at.quic)+len(at.http)+len(at.https) == 0 {
				return usage("--unix, --pipe, --tcp, --tls, --quic, --http or --https is missing: say where to serve")
			}
			if err := at.checkOrigins(); err != nil {
				return err
			}
			return serve(ctx, at, s)
		}),
	}
	f := cmd.Flags()
	f.StringArrayVar(&at.unix, "unix", nil, "serve on a Unix socket at `PATH`")
	f.StringArrayVar(&at.tcp, "tcp", nil, "serve at `HOST:PORT`, a loopback address")
	f.StringArrayVar(&at.tls, "tls", nil, "serve at `HOST:PORT`, encrypted, for known clients")
	f.StringArrayVar(&at.quic, "quic", nil, "serve at `HOST:PORT` over QUIC, for known clients")
	f.StringArrayVar(&at.pipe, "pipe", nil, "serve on a named pipe at `PATH`")
	f.StringArrayVar(&at.http, "http", nil, "serve HTTP at `HOST:PORT`, a loopback address")
	f.StringArrayVar(&at.https, "https", nil, "serve HTTP at `HOST:PORT`, encrypted, for known clients")
	f.StringArrayVar(&at.names, "name", nil, "another `HOST` that stands in URLs for --http and --https")
	f.StringArrayVar(&at.origins, "origin", nil, "let pages of `URL`, as https://shop.example, use HTTP")
	at.guard.add(f)
	return cmd
}

type serveFlags struct {
	unix, tcp, tls, quic, pipe, http, https, names, origins []string
	guard                                                   guardFlags
}

// checkOrigins refuses what no browser would call the origin of a page.
func (at serveFlags) checkOrigins() error {
	if len(at.origins) > 0 && len(at.http)+len(at.https) == 0 {
		return usage("--origin is for --http and --https, which are missing")
	}
	for _, o := range at.origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || o != u.Scheme+"://"+u.Host || o != strings.ToLower(o) {
			return usage("--origin %s: want scheme and host in lower case and nothing else, as https://shop.example", o)
		}
	}
	return nil
}

// hosts are the names by which browsers may ask: those of the addresses.
func (at serveFlags) hosts() (names []string) {
	for _, addr := range slices.Concat(at.names, at.http, at.https) {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			addr = host
		}
		names = append(names, strings.ToLower(addr))
	}
	return names
}

// door is where clients come in.
type door struct {
	net.Listener
	url string      // as clients say it, with NAME for the channel
	web bool        // they speak HTTP
	tls *tls.Config // of HTTP over it; nil where there is none, or the listener has it
}

// doors opens all that the flags name, or none, those over TCP as tcp and secure
// say.
func (at serveFlags) doors(tcp, secure hub.TCP) (doors []door, err error) {
	defer func() {
		if err != nil {
			for _, d := range doors {
				d.Close()
			}
		}
	}()
	open := func(addresses []string, listen func(string) (door, error)) {
		for _, a := range addresses {
			if err != nil {
				return
			}
			var d door
			if d, err = listen(a); err == nil {
				doors = append(doors, d)
			}
		}
	}
	open(at.unix, func(path string) (door, error) { return fileDoor("unix", path, hub.ListenUnix) })
	open(at.pipe, func(path string) (door, error) { return fileDoor("pipe", path, hub.ListenPipe) })
	open(at.tcp, func(addr string) (door, error) { return tcpDoor("tcp", addr, tcp) })
	open(at.tls, func(addr string) (door, error) { return tcpDoor("tls", addr, secure) })
	open(at.quic, func(addr string) (door, error) { return quicDoor(addr, secure) })
	open(at.http, func(addr string) (door, error) { return webDoor("http", addr, tcp) })
	open(at.https, func(addr string) (door, error) { return webDoor("https", addr, secure) })
	return doors, err
}

func fileDoor(scheme, path string, listen func(string) (net.Listener, error)) (door, error) {
	if path == "" {
		return door{}, usage("--%s needs a path", scheme)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return door{}, err
	}
	if _, err := os.Stat(filepath.Dir(abs)); err != nil {
		return door{}, fmt.Errorf("no folder for %s: %w", path, err)
	}
	l, err := listen(abs)
	if err != nil {
		return door{}, err
	}
	at := url.URL{Scheme: scheme, Path: filepath.ToSlash(abs), OmitHost: true}
	return door{Listener: l, url: at.String() + "?chan=NAME"}, nil
}

func serve(ctx context.Context, at serveFlags, s Streams) error {
	opts, tcp, secure, err := at.guard.load(len(at.tls)+len(at.quic)+len(at.https) > 0)
	if err != nil {
		return err
	}
	doors, err := at.doors(tcp, secure)
	if err != nil {
		return err
	}
	h := newHouse(at, opts)
	defer at.guard.reread(h.Hub, s)()
	served := make(chan error, len(doors))
	for _, d := range doors {
		go func() { served <- h.serve(d) }()
	}
	for _, d := range doors {
		if _, err := fmt.Fprintf(s.Out, "serving %s\n", d.url); err != nil {
			return errors.Join(err, end(h, served, len(doors)))
		}
	}
	select {
	case <-ctx.Done():
		return interrupt(ctx, s, end(h, served, len(doors)))
	case err := <-served:
		return errors.Join(err, end(h, served, len(doors)-1))
	}
}

// house is a home with its doors of both kinds.
type house struct {
	*hub.Hub
	web *web.Server
}

func newHouse(at serveFlags, opts hub.Options) house {
	opts.Name = "handoff serve"
	h := hub.New(opts)
	return house{h, web.New(h, web.Options{
		Origins: at.origins, Hosts: at.hosts(), Identified: opts.Tokens != nil,
	})}
}

func (h house) serve(d door) error {
	switch {
	case d.tls != nil:
		return h.web.ServeTLS(d, d.tls)
	case d.web:
		return h.web.Serve(d)
	}
	return h.Serve(d)
}

// end closes h and waits until it serves no more, at so many doors.
func end(h house, served <-chan error, doors int) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := errors.Join(h.web.Close(ctx), h.Close(ctx))
	for range doors {
		if bad := <-served; !errors.Is(bad, hub.ErrClosed) && !errors.Is(bad, net.ErrClosed) {
			err = errors.Join(err, bad)
		}
	}
	return err
}

// interrupt tells what was left in slots, which ends with its home, and returns
// the reason of the end.
func interrupt(ctx context.Context, s Streams, left error) error {
	if left != nil {
		fmt.Fprintf(s.Err, "handoff: %s\n", oneLine(left))
	}
	return context.Cause(ctx)
}
