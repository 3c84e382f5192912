package netchan

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/handoff-go/handoff/internal/pipe"
)

// parsePipe reads pipe:?in=FD&out=FD&chan=NAME and pipe:/path?chan=NAME. A
// relative path is one to this process's directory when the channel is opened.
func parsePipe(u *url.URL) (place, string, error) {
	path, err := filePath(u)
	if err != nil {
		return place{}, "", err
	}
	values, err := parameters(u, "chan", "in", "out")
	if err != nil {
		return place{}, "", err
	}
	inherited := values["in"] != "" || values["out"] != ""
	switch {
	case u.Host != "" || u.User != nil || u.Fragment != "" || strings.ContainsRune(path, 0):
		return place{}, "", malformed("want pipe:?in=FD&out=FD&chan=NAME or pipe:/path?chan=NAME")
	case inherited && path != "":
		return place{}, "", malformed("either the path of a FIFO or the descriptors in and out, not both")
	case !inherited && path == "":
		return place{}, "", malformed("the path of a FIFO is missing, or the descriptors in and out")
	}
	if inherited {
		to, err := inheritedPlace(values["in"], values["out"])
		return to, values["chan"], err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return place{}, "", malformed("%v", err)
	}
	dial := func(ctx context.Context) (net.Conn, error) { return connOf(pipe.Dial(ctx, abs)) }
	return place{key: "pipe:" + abs, name: abs, dial: dial}, values["chan"], nil
}

// inheritedPlace is the home at the other ends of two descriptors.
func inheritedPlace(in, out string) (place, error) {
	var fds [2]int
	for i, end := range []struct{ what, said string }{{"in", in}, {"out", out}} {
		fd, err := strconv.ParseUint(end.said, 10, 31)
		switch {
		case end.said == "":
			return place{}, malformed("%s=FD, a descriptor of this process, is missing", end.what)
		case err != nil:
			return place{}, malformed("%s=%q is not the number of a descriptor", end.what, end.said)
		}
		fds[i] = int(fd)
	}
	name := fmt.Sprintf("the pipes in=%d and out=%d", fds[0], fds[1])
	dial := func(context.Context) (net.Conn, error) { return connOf(pipe.Inherit(fds[0], fds[1])) }
	return place{key: fmt.Sprintf("pipe:%d,%d", fds[0], fds[1]), name: name, dial: dial}, nil
}

// connOf keeps a nil *pipe.Conn from becoming a net.Conn.
func connOf(c *pipe.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
