//go:build unix

package netchan_test

import (
	"os"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

var lastInherited atomic.Int64

// inherited gives f a descriptor that no File knows of and no test had before, as
// one that came from a parent.
func inherited(t testing.TB, f *os.File) int {
	t.Helper()
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 100+int(lastInherited.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	lastInherited.Store(int64(fd - 100))
	return fd
}
