//go:build unix

package cli

import (
	"os"
	"syscall"
)

// rereadSignal asks for the rights to be read again.
var rereadSignal os.Signal = syscall.SIGUSR1
