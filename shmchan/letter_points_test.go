//go:build linux && handoff_shmpoints

package shmchan

import (
	"fmt"
	"testing"

	"github.com/handoff-go/handoff/internal/shm"
)

// TestBurierDiesAtPoints: a process kills itself between the steps of a burial, and the value is in the
// dead letter once.
func TestBurierDiesAtPoints(t *testing.T) {
	const times = 20
	for _, at := range []shm.Point{shm.PointBuried, shm.PointInterred} {
		for i := range times {
			burierDies(t, fmt.Sprint(at, i), fmt.Sprintf("%s=%s:%d", killEnv, at, 1+7*i%90), 0)
		}
		t.Logf("%d processes killed themselves at %s", times, at)
	}
}
