package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/handoff-go/handoff/internal/devcert"
	"github.com/spf13/cobra"
)

// The files of an authority and of a home, without .crt and .key.
const (
	caFile     = "ca"
	serverFile = "server"
)

// day is what validity is said in.
const day = 24 * time.Hour

func newCert(s Streams) *cobra.Command {
	p := certPlan{hosts: []string{"localhost", "127.0.0.1", "::1"}, days: 90}
	cmd := &cobra.Command{
		Use:   "cert DIR [CLIENT...]",
		Short: "Make an authority and certificates for development",
		Long: `Make certificates for development in the folder DIR: those of an authority
(ca), of a home (server), and of each CLIENT, whose identity is then cert:CLIENT.
They are for TLS 1.3, with P-256 keys, in files that only their owner can read.

An authority that is in the folder already vouches for the new ones; nothing that
is there is written over, so more clients can be made later. Whoever can read
ca.key can be anybody: for more than development have your own authority.`,
		Example: `  handoff cert /tmp/certs alice bob
  handoff cert --host build.example --days 7 /tmp/certs ci`,
		Args: cobra.MinimumNArgs(1),
		RunE: runs(func(_ context.Context, args []string) error {
			p.dir, p.clients = args[0], args[1:]
			if len(p.clients) == 0 {
				p.clients = []string{"client"}
			}
			if err := p.check(); err != nil {
				return err
			}
			made, err := p.make()
			for _, file := range made {
				fmt.Fprintln(s.Out, "made", file)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(s.Out, p.use())
			return err
		}),
	}
	f := cmd.Flags()
	f.StringArrayVar(&p.hosts, "host", p.hosts, "a `NAME` or address of the home")
	f.IntVar(&p.days, "days", p.days, "how many days the certificates are valid, at most 3650")
	return cmd
}

// certPlan is what is to be made.
type certPlan struct {
	dir     string
	hosts   []string
	clients []string
	days    int
}

func (p certPlan) check() error {
	if p.days < 1 || p.days > 3650 {
		return usage("--days %d: from 1 to 3650", p.days)
	}
	for _, host := range p.hosts {
		if net.ParseIP(host) == nil && !isLabel(host, ".") {
			return usage("--host %q is neither a name nor an address", host)
		}
	}
	for _, name := range p.clients {
		if !isLabel(name, "._@") || name == caFile || name == serverFile {
			return usage("a client called %q: want letters, digits, '-', '_', '.' and '@', and not %s or %s", name, caFile, serverFile)
		}
	}
	return nil
}

// isLabel reports whether s has letters, digits, hyphens and what is in also, and
// begins with one of the first two.
func isLabel(s, also string) bool {
	plain := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' }
	if s == "" || len(s) > 200 || !plain(rune(s[0])) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) && r != '-' && !strings.ContainsRune(also, r) })
}

// make makes what is missing and returns the files it made.
func (p certPlan) make() (made []string, err error) {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	valid := time.Duration(p.days) * day
	ca, err := p.authority(valid)
	if err != nil {
		return nil, err
	}
	put := func(name string, pair devcert.Pair, err error) error {
		if err != nil {
			return err
		}
		files, err := p.put(name, pair)
		made = append(made, files...)
		return err
	}
	if !p.has(caFile) {
		if err := put(caFile, ca.Pair, nil); err != nil {
			return made, err
		}
	}
	if !p.has(serverFile) {
		pair, err := ca.Server(p.hosts, valid)
		if err := put(serverFile, pair, err); err != nil {
			return made, err
		}
	}
	for _, name := range p.clients {
		if p.has(name) {
			return made, fmt.Errorf("%s is there already", p.at(name+".crt"))
		}
		pair, err := ca.Client(name, valid)
		if err := put(name, pair, err); err != nil {
			return made, err
		}
	}
	return made, nil
}

// authority is the one in the folder, or a new one.
func (p certPlan) authority(valid time.Duration) (*devcert.Authority, error) {
	if !p.has(caFile) {
		return devcert.NewAuthority("handoff development", valid)
	}
	var pair devcert.Pair
	var err error
	if pair.Cert, err = os.ReadFile(p.at(caFile + ".crt")); err == nil {
		pair.Key, err = os.ReadFile(p.at(caFile + ".key"))
	}
	if err != nil {
		return nil, err
	}
	ca, err := devcert.Load(pair)
	if err != nil {
		return nil, fmt.Errorf("the authority in %s: %w", p.dir, err)
	}
	if time.Now().After(ca.Ends()) {
		return nil, fmt.Errorf("the authority in %s ended on %s: take another folder", p.dir, ca.Ends().Format(time.DateOnly))
	}
	return ca, nil
}

func (p certPlan) at(file string) string { return filepath.Join(p.dir, file) }

// has reports whether a certificate or a key of that name is there.
func (p certPlan) has(name string) bool {
	for _, end := range []string{".crt", ".key"} {
		if _, err := os.Lstat(p.at(name + end)); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// put writes a pair, the key first, for its owner only and over nothing.
func (p certPlan) put(name string, pair devcert.Pair) (made []string, err error) {
	for _, one := range []struct {
		file string
		text []byte
	}{{p.at(name + ".key"), pair.Key}, {p.at(name + ".crt"), pair.Cert}} {
		f, err := os.OpenFile(one.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return made, err
		}
		_, err = f.Write(one.text)
		if err = errors.Join(err, f.Close()); err != nil {
			return made, err
		}
		made = append(made, one.file)
	}
	return made, nil
}

// use is how the certificates are used.
func (p certPlan) use() string {
	ca, client := quoted(p.at(caFile+".crt")), p.clients[0]
	return fmt.Sprintf(`
The home:
  handoff serve --tls localhost:4711 --cert %s --key %s --client-ca %s
%s, who is cert:%s to it:
  HANDOFF_CA=%s HANDOFF_CERT=%s HANDOFF_KEY=%s handoff send 'tls://localhost:4711/orders?slots=4' apples
`, quoted(p.at(serverFile+".crt")), quoted(p.at(serverFile+".key")), ca, client, client, ca, quoted(p.at(client+".crt")), quoted(p.at(client+".key")))
}

// quoted is a path as a shell reads it.
func quoted(path string) string {
	if isLabel(strings.TrimLeft(path, "/."), "/._") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
