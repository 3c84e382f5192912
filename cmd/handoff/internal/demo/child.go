package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// WorkerCommand is the hidden command of this binary that is one worker.
const WorkerCommand = "demo-worker"

// child is a worker that is a process of its own.
type child struct {
	cmd   *exec.Cmd
	leash io.Closer // its standard input: when this ends, so does the worker
	said  *tail
}

// children launches workers by running exe, which is this binary.
func children(exe string, h *home, dir string) launcher {
	return func(ctx context.Context, id int) (process, error) {
		cmd := exec.CommandContext(ctx, exe, WorkerCommand, "--dir", dir, "--id", strconv.Itoa(id), "--files", h.folder)
		c := &child{cmd: cmd, said: &tail{}}
		cmd.Stderr = c.said
		// The worker is dead by then; a descendant it cannot have must not
		// keep us here.
		cmd.WaitDelay = time.Second
		var err error
		if c.leash, err = cmd.StdinPipe(); err != nil {
			return nil, err
		}
		return c, c.start(h)
	}
}

// start starts the worker with its way to the home.
func (c *child) start(h *home) error {
	base, joined := h.base, func(bool) error { return nil }
	if h.lend != nil {
		var err error
		if base, joined, err = h.lend(c.cmd); err != nil {
			return err
		}
	}
	c.cmd.Args = append(c.cmd.Args, "--home", base)
	err := c.cmd.Start()
	if bad := joined(err == nil); err == nil && bad != nil {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		err = bad
	}
	return err
}

func (c *child) pid() int    { return c.cmd.Process.Pid }
func (c *child) kill() error { return c.cmd.Process.Kill() }

func (c *child) wait() ending {
	err := c.cmd.Wait()
	if err == nil {
		return ending{}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok {
		return ending{err: err}
	} else if exit.ExitCode() == -1 {
		return ending{killed: true}
	}
	if last := c.said.lastLine(); last != "" {
		return ending{err: errors.New(last)}
	}
	return ending{err: err}
}

// tail keeps the end of what is written to it. One goroutine at a time uses it:
// that of the command, then whoever waited for the command.
type tail struct{ text []byte }

const tailMost = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if over := len(t.text) - tailMost; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) lastLine() string {
	text := bytes.TrimSpace(t.text)
	return strings.TrimPrefix(string(text[bytes.LastIndexByte(text, '\n')+1:]), "handoff: ")
}

// Leash returns a context that ends when in does. A worker has the far end of a
// pipe there which its demo never writes to: it breaks when the demo is gone,
// however it went. The goroutine that reads ends with in, which is with the
// process.
func Leash(ctx context.Context, in io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		io.Copy(io.Discard, in)
		cancel(errOrphaned)
	}()
	return ctx, func() { cancel(nil) }
}

var errOrphaned = errors.New("the demo this worker belongs to is gone")
