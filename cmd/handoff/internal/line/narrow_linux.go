package line

import (
	"os"
	"syscall"
)

// setPipeSize is Linux's F_SETPIPE_SZ.
const setPipeSize = 1031

// narrow makes the pipe to one of several replicas as small as pipes can be, so
// that lines wait on the channel, where any of them can have them, and not in the
// pipe of one. It is only a matter of how even the shares are.
func narrow(pipe *os.File, replicas int) {
	if replicas < 2 {
		return
	}
	if raw, err := pipe.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, uintptr(os.Getpagesize()))
		})
	}
}
