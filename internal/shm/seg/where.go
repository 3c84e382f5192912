package seg

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/handoff-go/handoff/internal/fault"
)

// Where says where a segment is: one of the three.
type Where struct {
	Name string // in the folder of the user
	Path string // absolute; the folder that is the segment
	FD   int    // an open descriptor of this process, if Name and Path are ""
}

// maxName bounds a name as it stands in the folder, so that what is put before and
// behind it still makes a file name (255 bytes).
const maxName = 200

// Parse reads shm:NAME, shm:/path and shm:fd=N.
func Parse(u *url.URL) (Where, error) {
	switch {
	case u.Host != "" || u.User != nil:
		return Where{}, fault.Malformed("shared memory is on no host: write shm:NAME, shm:/path or shm:fd=N")
	case u.Opaque != "":
		return parseName(u.Opaque)
	case u.Path == "" || u.Path == "/":
		return Where{}, fault.Malformed("no segment is named: write shm:NAME, shm:/path or shm:fd=N")
	case strings.ContainsRune(u.Path, 0):
		return Where{}, fault.Malformed("a path with a NUL")
	}
	path := filepath.Clean(u.Path)
	if base := filepath.Base(path); len(base) > maxName {
		return Where{}, fault.Malformed("the segment's name has %d bytes, and %d are allowed", len(base), maxName)
	}
	return Where{Path: path}, nil
}

func parseName(opaque string) (Where, error) {
	if number, ok := strings.CutPrefix(opaque, "fd="); ok {
		fd, err := strconv.Atoi(number)
		if err != nil || fd < 0 || strconv.Itoa(fd) != number {
			return Where{}, fault.Malformed("fd=%s is not the number of a descriptor", number)
		}
		return Where{FD: fd}, nil
	}
	name, err := url.PathUnescape(opaque)
	if err != nil {
		return Where{}, fault.Malformed("the segment's name: %v", err)
	}
	if n := len(escape(name)); n > maxName {
		return Where{}, fault.Malformed("the segment's name needs %d bytes, and %d are allowed", n, maxName)
	}
	return Where{Name: name}, nil
}

// unsupportedOn says why there is no shared memory on the system goos. What is missing differs: locks that the
// system drops with their owner and that can be looked at, a FIFO that tells its writer of its
// reader's end, memory that can be reserved. None of it was tried.
func unsupportedOn(goos string) error {
	others := "unix: and pipe: are other ways"
	if goos == "windows" {
		others = "unix: and tcp: are other ways"
	}
	return fault.Because(fault.ErrUnsupported, "shared memory on %s: shm: is for Linux so far; %s", goos, others)
}

func (w Where) String() string {
	switch {
	case w.Name != "":
		return w.Name
	case w.Path != "":
		return w.Path
	}
	return "fd=" + strconv.Itoa(w.FD)
}

// escape returns name as a file is called: letters, digits, '_' and '-' stand for
// themselves, as does a '.' that is not the first; every other byte is %XX.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescape is the inverse of escape; false for what escape does not return.
func unescape(file string) (string, bool) {
	name, err := url.PathUnescape(file)
	return name, err == nil && name != "" && escape(name) == file
}
