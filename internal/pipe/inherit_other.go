//go:build !unix

package pipe

import (
	"io"
	"os"
	"runtime"

	"github.com/handoff-go/handoff/internal/fault"
)

// Inherit is refused: descriptors by number are not inherited here.
func Inherit(in, out int) (*Conn, error) {
	return nil, fault.Because(fault.ErrUnsupported, "inherited descriptors on %s", runtime.GOOS)
}

// Own returns f.
func Own(f *os.File) (*os.File, error) { return f, nil }

// readNow reads nothing: what has arrived and was not read is lost.
func readNow(uintptr, []byte) (int, error) { return 0, io.EOF }
