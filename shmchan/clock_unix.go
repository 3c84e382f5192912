//go:build unix

package shmchan

import "golang.org/x/sys/unix"

// monotonic is the time that all processes of the machine share, in ns.
func monotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
