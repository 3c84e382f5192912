package demo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/handoff-go/handoff/hub"
	_ "github.com/handoff-go/handoff/netchan" // the scheme unix
)

// media are the media the demo can run over: each opens a home in this process.
var media = map[string]func() (*home, error){
	"unix": unixHome,
}

// Media returns their names.
func Media() []string { return []string{"unix"} }

// home is where the demo's channels live while it runs.
type home struct {
	base  string // what the URLs of its channels begin with
	close func() error
}

// channelURL is the URL of the channel called name at the home with that base.
func channelURL(base, name string) string {
	return base + "?" + url.Values{"chan": {name}}.Encode()
}

// openHome begins a home in this process.
func openHome(over string) (*home, error) {
	open := media[over]
	if open == nil {
		return nil, fmt.Errorf("the demo does not run over %q", over)
	}
	return open()
}

// What the folder of the socket is called: sweep goes by it.
const (
	socketDir  = "handoff-demo-"
	socketFile = "home.sock"
	// socketMost is how long the path of a socket may be on every system.
	socketMost = 100
)

// closeWithin is how long the home has to say goodbye before connections are cut.
const closeWithin = 5 * time.Second

func unixHome() (*home, error) {
	dir, err := socketFolder()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, socketFile)
	l, err := hub.ListenUnix(path)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	h := hub.New(hub.Options{Name: "handoff demo"})
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		err := h.Close(ctx)
		if bad := <-served; !errors.Is(bad, hub.ErrClosed) {
			err = errors.Join(bad, err)
		}
		return errors.Join(err, os.RemoveAll(dir))
	}
	base := url.URL{Scheme: "unix", Path: filepath.ToSlash(path), OmitHost: true}
	return &home{base: base.String(), close: stop}, nil
}

// socketFolder makes a folder only this user can enter, with a short path.
func socketFolder() (string, error) {
	dir, err := os.MkdirTemp("", socketDir)
	if err != nil || len(dir)+1+len(socketFile) <= socketMost {
		return dir, err
	}
	if err := os.Remove(dir); err != nil {
		return "", err
	}
	return os.MkdirTemp("/tmp", socketDir)
}

// Sweep removes what the home at base left on disk, for workers whose demo was
// killed and could not. Whoever comes first does it.
func Sweep(base string) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "unix" {
		return
	}
	path := filepath.FromSlash(u.Path)
	dir := filepath.Dir(path)
	if filepath.Base(path) == socketFile && strings.HasPrefix(filepath.Base(dir), socketDir) {
		os.Remove(path)
		os.Remove(path + ".lock")
		os.Remove(dir) // only if there is nothing else in it
	}
}
