//go:build linux && handoff_shmpoints

package torture

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/handoff-go/handoff/internal/shm"
)

func init() {
	for p := range shm.Points {
		if p != shm.PointBuried && p != shm.PointInterred { // nobody rejects here: see TestBurierDiesAtPoints in shmchan
			points = append(points, p.String())
		}
	}
	armPoint = killAtPoint
}

// killAtPoint has this process kill itself where the environment says.
func killAtPoint() {
	name, times, ok := strings.Cut(os.Getenv(envPoint), ":")
	if !ok {
		return
	}
	var left atomic.Int64
	var n int64
	fmt.Sscan(times, &n)
	left.Store(n)
	shm.AtPoint = func(p shm.Point) {
		if p.String() == name && left.Add(-1) == 0 {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // never comes back
		}
	}
}
