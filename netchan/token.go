package netchan

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// tokenFile is the file with the token for a home: what the URL says, or, where
// nobody listens in, the environment.
func tokenFile(scheme, said string) (string, error) {
	if scheme == "tcp" {
		return pathOf(said, "")
	}
	return pathOf(said, "HANDOFF_TOKEN_FILE")
}

// readToken returns the token in a file, which is for its owner only. It is read
// for each connection and kept nowhere. No error has any of it in it.
func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", unreadable(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", unreadable(err)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return "", fault.Because(fault.ErrDenied, "others may read the token in %s (its mode is %04o): chmod 600", path, info.Mode().Perm())
	}
	b := make([]byte, wire.MaxToken+2)
	n, err := f.Read(b)
	if _, bad := errors.AsType[*fs.PathError](err); bad {
		return "", unreadable(err)
	}
	token := strings.TrimRight(string(b[:n]), "\r\n")
	if token == "" || len(token) > wire.MaxToken || strings.ContainsAny(token, " \t\r\n") {
		return "", fault.Malformed("%s is not one line with a token of 1 to %d bytes without blanks", path, wire.MaxToken)
	}
	return token, nil
}
