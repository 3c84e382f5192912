package netchan

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/handoff-go/handoff/internal/fault"
)

// parseUnix reads unix:/path.sock?chan=NAME. A relative path is one to this
// process's directory when the channel is opened.
func parseUnix(u *url.URL) (place, string, error) {
	path, err := filePath(u)
	if err != nil {
		return place{}, "", err
	}
	switch {
	case u.Host != "" || u.User != nil || u.Fragment != "":
		return place{}, "", malformed("want unix:/path.sock?chan=NAME")
	case path == "":
		return place{}, "", malformed("the path of the socket is missing")
	case strings.HasPrefix(path, "@") || strings.ContainsRune(path, 0):
		return place{}, "", malformed("a socket without a file has no file mode to guard it, and is not taken")
	}
	values, err := parameters(u, "chan")
	if err != nil {
		return place{}, "", err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return place{}, "", malformed("%v", err)
	}
	dial := func(ctx context.Context) (net.Conn, error) { return dialUnix(ctx, abs) }
	return place{key: "unix:" + abs, name: abs, dial: dial}, values["chan"], nil
}

// filePath returns the path in u, which may be a relative one.
func filePath(u *url.URL) (string, error) {
	if u.Opaque == "" {
		return u.Path, nil
	}
	path, err := url.PathUnescape(u.Opaque)
	if err != nil {
		return "", malformed("%v", err)
	}
	return path, nil
}

func dialUnix(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fault.Cancelled(ctx)
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.Because(fault.ErrDenied, "the socket %s is not for this user", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Because(fault.ErrUnreachable, "there is no socket %s", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fault.Because(fault.ErrUnreachable, "nobody serves the socket %s", path)
	}
	return nil, fault.Because(fault.ErrUnreachable, "%v", err)
}
