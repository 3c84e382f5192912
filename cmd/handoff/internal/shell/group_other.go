//go:build !unix

package shell

import (
	"os"
	"os/exec"
)

// There are no groups and no signals here: to ask is to kill.
const (
	ask = iota
	kill
)

func ownGroup(*exec.Cmd) {}

func (p *Process) signal(int) error { return p.cmd.Process.Kill() }

func endingOf(s *os.ProcessState) Ending { return Ending{Code: s.ExitCode()} }
