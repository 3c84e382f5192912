// Package shell runs commands as a shell's line would: by sh -c, with whatever
// they start ended with them.
package shell

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"
)

// Grace is how long a command that is asked to end may take.
const Grace = 3 * time.Second

// Command is a command to run.
type Command struct {
	Text string
	Args []string // $1 and so on
	Env  []string // in addition to this process's own
	// In, Out and Err are its streams; nil is the empty one. A file is given as it
	// is, of everything else a copy is made on the way.
	In       io.Reader
	Out, Err io.Writer
	// Together has the command stay in this process's group, so that a terminal
	// sends Ctrl-C to both, and the command may read from the terminal. Otherwise
	// it has a group of its own, which is ended as a whole.
	Together bool
}

// Process is a running command.
type Process struct {
	cmd      *exec.Cmd
	together bool
	asked    atomic.Bool // to end, by us
}

// Start starts c. When ctx ends it is asked to end, and killed if it has not
// within Grace.
func Start(ctx context.Context, c Command) (*Process, error) {
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", c.Text, "handoff"}, c.Args...)...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.In, c.Out, c.Err
	p := &Process{cmd: cmd, together: c.Together}
	if !c.Together {
		ownGroup(cmd)
	}
	cmd.Cancel = func() error {
		p.asked.Store(true)
		return p.signal(ask)
	}
	cmd.WaitDelay = Grace
	return p, cmd.Start()
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the command at once.
func (p *Process) Kill() { p.signal(kill) }

// Wait returns when the command has ended. It is called once.
func (p *Process) Wait() Ending {
	err := p.cmd.Wait()
	if p.asked.Load() {
		p.signal(kill) // what it started and left behind
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return endingOf(exit.ProcessState)
	}
	return Ending{Err: err}
}

// Run starts c and waits for its end.
func Run(ctx context.Context, c Command) Ending {
	p, err := Start(ctx, c)
	if err != nil {
		return Ending{Err: err}
	}
	return p.Wait()
}

// Ending is how a command ended: well, if all is zero.
type Ending struct {
	Code   int    // exit code
	Signal string // that killed it
	Broken bool   // it was killed, or says that one of its own was, because nobody read what it wrote
	Err    error  // it did not run
}

// OK reports whether the command did what it should.
func (e Ending) OK() bool { return e == Ending{} }

func (e Ending) String() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Signal != "":
		return "killed by " + e.Signal
	}
	return "exit " + strconv.Itoa(e.Code)
}
