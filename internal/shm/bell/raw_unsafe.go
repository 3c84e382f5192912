//go:build linux

package bell

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Both ends of a bell are O_NONBLOCK, so to read and write them never waits. The runtime need not
// be told of that, as it would be by unix.Read and unix.Write: it would wake its monitor whenever
// the process was idle before, which is a fifth of a round trip between two processes that sleep.
//
// The pointers are to Go's memory, and converted in the call itself, which keeps it alive.

func read(fd uintptr, b []byte) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return e
}

func write(fd uintptr, b []byte) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return e
}
