//go:build !unix

package shmchan

// monotonic is never asked here: package seg refuses before.
func monotonic() int64 { return 0 }
