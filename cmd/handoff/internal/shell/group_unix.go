//go:build unix

package shell

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// What a process is sent to have it end.
const (
	ask  = syscall.SIGTERM
	kill = syscall.SIGKILL
)

// brokenPipe is the exit code by which a shell says that what it ran was killed
// by SIGPIPE.
const brokenPipe = 128 + int(syscall.SIGPIPE)

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func (p *Process) signal(sig syscall.Signal) error {
	if p.together {
		return p.cmd.Process.Signal(sig)
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, sig); err == syscall.ESRCH {
		return os.ErrProcessDone
	} else if err != nil {
		return err
	}
	return nil
}

func endingOf(s *os.ProcessState) Ending {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return Ending{Signal: "signal " + strconv.Itoa(int(w.Signal())) + " (" + w.Signal().String() + ")", Broken: w.Signal() == syscall.SIGPIPE}
	}
	return Ending{Code: s.ExitCode(), Broken: s.ExitCode() == brokenPipe}
}
