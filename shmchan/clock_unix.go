//go:build unix

package shmchan

import (
	"time"

	"golang.org/x/sys/unix"
)

// began is when this process began to count, and offset what the machine's clock said then.
// Both clocks are the same one: Go reads it without a system call.
var began, offset = anchor()

func anchor() (time.Time, int64) {
	var ts unix.Timespec
	now := time.Now()
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return now, 0
	}
	return now, ts.Nano()
}

// monotonic is the time that all processes of the machine share, in ns.
func monotonic() int64 { return offset + int64(time.Since(began)) }
