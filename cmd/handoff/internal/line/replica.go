package line

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/cmd/handoff/internal/shell"
)

// replica is one of those that do the work of a stage.
type replica struct {
	*line
	stage     Stage
	i, number int
	in, out   *belt // nil: our own input, our own output

	// What it failed for, if it did, and the lines it was given then. One
	// goroutine at a time uses them.
	failure *Failure
	given   spool
	count   int
}

// command is the command of the replica, with its streams still to be set.
func (w *replica) command() shell.Command {
	return shell.Command{
		Text: w.stage.Text, Err: w.Err, Together: w.Together,
		Env: []string{"HANDOFF_STAGE=" + strconv.Itoa(w.i+1), "HANDOFF_REPLICA=" + strconv.Itoa(w.number)},
	}
}

// give notes that a line was given to the command.
func (w *replica) give(v []byte) {
	w.count++
	if w.List {
		w.given.write(w.Form.Append(nil, v))
	}
}

// finish reports the failure, if there is one, with the lines.
func (w *replica) finish() {
	f := w.failure
	if f == nil {
		w.given.close()
		return
	}
	f.Stage, f.Replica, f.Text, f.Given = w.i+1, w.number, w.stage.Text, w.count
	f.Lines = &w.given
	if err := w.given.rewind(); err != nil {
		f.Why = fmt.Errorf("its lines are lost to --failed: %w", err)
	}
	w.fail(*f)
}

// filter runs the command once, and moves lines to it and from it.
func (w *replica) filter() {
	c := w.command()
	f := &flow{replica: w}
	if err := f.connect(&c); err != nil {
		f.disconnect()
		w.failure = &Failure{Ending: shell.Ending{Err: err}}
		return
	}
	p, err := shell.Start(w.ctx, c)
	f.handOver()
	if err != nil {
		f.disconnect()
		w.failure = &Failure{Ending: shell.Ending{Err: err}}
		return
	}
	ending, why := f.run(p)
	// Whoever writes to nobody is ended by SIGPIPE, and has done nothing wrong.
	unread := ending.Broken && (w.out == nil || w.out.gone.Err() != nil)
	if why != nil || !ending.OK() && !unread {
		w.failure = &Failure{Ending: ending, Why: why}
	}
}

// flow is the pipes of one running filter.
type flow struct {
	*replica
	stdin, stdout *os.File   // our ends, nil where the command has our own
	childs        []*os.File // the command's ends
}

// connect gives c its streams.
func (f *flow) connect(c *shell.Command) error {
	if f.in == nil {
		c.In = f.In
	} else {
		theirs, ours, err := os.Pipe()
		if err != nil {
			return err
		}
		narrow(ours, f.stage.Replicas)
		c.In, f.stdin, f.childs = theirs, ours, append(f.childs, theirs)
	}
	if f.out == nil {
		c.Out = f.Out
		return nil
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	c.Out, f.stdout, f.childs = theirs, ours, append(f.childs, theirs)
	return nil
}

// handOver closes the ends that the command has now.
func (f *flow) handOver() {
	for _, c := range f.childs {
		c.Close()
	}
	f.childs = nil
}

// disconnect closes all ends.
func (f *flow) disconnect() {
	f.handOver()
	for _, ours := range []*os.File{f.stdin, f.stdout} {
		if ours != nil {
			ours.Close()
		}
	}
}

// run moves lines until the command has ended and all it wrote is read.
func (f *flow) run(p *shell.Process) (ending shell.Ending, why error) {
	defer f.disconnect()
	feeding, stop := context.WithCancel(f.ctx)
	defer stop()
	var moving sync.WaitGroup
	if f.stdin != nil {
		moving.Go(func() { f.feed(feeding) })
	}
	if f.stdout != nil {
		moving.Go(func() {
			if why = f.drain(); why != nil {
				stop() // its output is of no use, so it is given nothing more
				p.Kill()
			}
		})
	}
	ending = p.Wait()
	stop()
	if f.stdin != nil {
		f.stdin.Close() // a write that waits for somebody else who has the pipe
	}
	moving.Wait()
	return ending, why
}

// feed gives lines to the command until there are no more, or it has ended. A
// line is confirmed when the pipe has it; one that the pipe did not take goes
// back, for another replica.
func (f *flow) feed(ctx context.Context) {
	defer f.stdin.Close()
	var b []byte
	for {
		d, err := f.in.ch.Take(ctx)
		if err != nil {
			return
		}
		b = f.Form.Append(b[:0], d.Value)
		n, err := f.stdin.Write(b)
		if n == 0 && err != nil {
			d.Return()
			return
		}
		f.give(d.Value)
		d.Done()
		if err != nil {
			return
		}
	}
}

// drain takes lines from the command and passes them on. When nobody wants them
// any more the pipe is closed, and the command hears of it as in a shell.
func (f *flow) drain() error {
	defer f.stdout.Close()
	defer context.AfterFunc(f.out.gone, func() { f.stdout.Close() })()
	r := frame.NewReader(f.stdout, f.Form, f.MaxLine)
	for {
		v, err := r.Next()
		if err == nil {
			err = f.out.send(v)
		}
		switch {
		case err == io.EOF || f.out.gone.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("its output, %w", err)
		}
	}
}
