package hub

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/wire"
)

// TestAttackDescriptorFlood: descriptors that a client of a Unix socket hands over
// with its bytes do not stay open here.
func TestAttackDescriptorFlood(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := descriptors(t)
	fds := make([]int, 200)
	for i := range fds {
		fds[i] = int(file.Fd())
	}
	op := uint64(2)
	for range 20 {
		b := order(wire.TypeStats, op).Append(nil)
		if _, _, err := c.Conn.(*net.UnixConn).WriteMsgUnix(b, unix.UnixRights(fds...), nil); err != nil {
			t.Fatal(err)
		}
		hear[*wire.Figures](c) // so it was read
		op++
	}
	if after := descriptors(t); after > before+20 {
		t.Errorf("%d descriptors are open, %d were", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
