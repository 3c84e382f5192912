//go:build !(linux || freebsd || netbsd || openbsd || dragonfly)

package pipe

import (
	"context"
	"errors"
	"net"
	"runtime"

	"github.com/handoff-go/handoff/internal/fault"
)

// ErrServed is what Listen says of a FIFO that somebody reads.
var ErrServed = errors.New("somebody reads it")

// noFIFOs says why. On Darwin there are FIFOs, but a reader that waits is not
// told when the last writer has gone, so a dead peer would look alive.
func noFIFOs() error {
	return fault.Because(fault.ErrUnsupported, "FIFOs on %s; inherited pipes and unix: sockets are other ways", runtime.GOOS)
}

// Dial is refused here.
func Dial(context.Context, string) (*Conn, error) { return nil, noFIFOs() }

// Listen is refused here.
func Listen(string) (net.Listener, error) { return nil, noFIFOs() }
