//go:build !linux

package shmchan

// monotonic is not asked: there are no segments here.
func monotonic() int64 { return 0 }
