// Package line is an assembly line: commands joined by channels, with several
// replicas of one where that helps.
//
// A stage is a filter, which runs as long as there are lines, or a crew, which is
// run anew for every few lines and confirms them when it has ended well. A filter
// gives no receipt for a line: when one fails, what it was given is listed.
//
// When the last replica of a stage has ended, the channel behind it is closed, and
// what is before it hears that nobody reads any more, as in a shell's pipeline.
package line

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/cmd/handoff/internal/shell"
)

// Stage is one command of a line.
type Stage struct {
	Text     string
	Replicas int
	// Batch makes a crew of the stage: every run of the command is given so many
	// lines. 0 is a filter.
	Batch int
	// Exec has the one line of a run stand in $1 too.
	Exec bool
}

// Config is a line.
type Config struct {
	Stages   []Stage
	Form     frame.Form // Lines or Null
	Slots    int        // of the channels between stages
	MaxLine  int        // bytes
	Attempts int        // how often a crew is given a line
	List     bool       // keep the lines of what fails
	Together bool       // see shell.Command

	In       io.Reader
	Out, Err io.Writer
	// Passed, if it is not nil, is called when a line has left a stage, 0 being
	// what is before the first one.
	Passed func(stage int)
}

// Failure is a replica that failed.
type Failure struct {
	Stage, Replica int // from 1
	Text           string
	Ending         shell.Ending
	Why            error // what else was wrong, nil if the ending says it all
	Given          int   // lines it was given, of a crew those that are given up
	Runs           int   // runs of a crew that failed for the last time
	Lines          io.Reader
}

// line is a Config under way.
type line struct {
	Config
	ctx   context.Context
	belts []*belt // before stage i; nil where a stage has our own input or output
	rest  sync.WaitGroup
	wrote error // why our output ended; set before rest is done

	mu     sync.Mutex // guards failed
	failed []Failure
}

// Run runs the line until its last stage has ended, and every other one. When
// ctx ends all commands are ended, and Run returns its cause. report is called
// for every replica that failed; its Lines are gone when it returns.
func Run(ctx context.Context, c Config, report func(Failure)) error {
	if _, ok := c.Err.(*os.File); !ok {
		c.Err = &shared{out: c.Err}
	}
	l := &line{Config: c, ctx: ctx, belts: make([]*belt, len(c.Stages)+1)}
	l.lay()
	var stages sync.WaitGroup
	for i := range c.Stages {
		stages.Go(func() { l.run(i) })
	}
	stages.Wait()
	l.rest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortFunc(l.failed, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Replica, b.Replica))
	})
	for _, f := range l.failed {
		if ctx.Err() == nil {
			report(f)
		}
		if s, ok := f.Lines.(*spool); ok {
			s.close()
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return l.wrote
}

// lay makes the channels, and begins what reads our input and writes our output
// where no command does that itself.
func (l *line) lay() {
	last := len(l.Stages)
	for i := range l.belts {
		switch {
		case i == 0 && l.alone(0) && isFile(l.In), i == last && l.alone(last-1) && isFile(l.Out):
			continue
		}
		l.belts[i] = l.newBelt(i)
	}
	if b := l.belts[0]; b != nil {
		// Not waited for: it may be reading from a terminal when nobody wants its
		// lines any more. It ends with the input, or with the process.
		go l.read(b)
	}
	if b := l.belts[last]; b != nil {
		l.rest.Go(func() { l.wrote = l.write(b) })
	}
}

// alone reports whether stage i is one filter.
func (l *line) alone(i int) bool { return l.Stages[i].Replicas == 1 && l.Stages[i].Batch == 0 }

func isFile(stream any) bool {
	_, ok := stream.(*os.File)
	return ok
}

// run runs all replicas of stage i.
func (l *line) run(i int) {
	var replicas sync.WaitGroup
	for r := range l.Stages[i].Replicas {
		w := &replica{line: l, stage: l.Stages[i], i: i, number: r + 1, in: l.belts[i], out: l.belts[i+1]}
		replicas.Go(func() {
			if w.stage.Batch > 0 {
				w.crew()
			} else {
				w.filter()
			}
			w.finish()
		})
	}
	replicas.Wait()
	if in := l.belts[i]; in != nil {
		in.abandon()
	}
	if out := l.belts[i+1]; out != nil {
		out.end()
	}
}

// read puts our input on b.
func (l *line) read(b *belt) {
	defer b.end()
	r := frame.NewReader(l.In, l.Form, l.MaxLine)
	for {
		v, err := r.Next()
		if err == nil {
			err = b.send(v)
		}
		if err == nil {
			continue
		}
		if err != io.EOF && b.gone.Err() == nil {
			l.fail(Failure{Why: err})
		}
		return
	}
}

// write writes what comes from b, until that ends. An error is that nobody reads
// it, or worse.
func (l *line) write(b *belt) error {
	defer b.abandon()
	vs := make([][]byte, writeMost)
	var text []byte
	for {
		n, err := b.ch.RecvInto(l.ctx, vs)
		if err != nil {
			return nil // closed, or the line is interrupted
		}
		text = text[:0]
		for _, v := range vs[:n] {
			text = l.Form.Append(text, v)
		}
		if _, err := l.Out.Write(text); err != nil {
			return err
		}
	}
}

// writeMost is how many lines are written at once.
const writeMost = 64

// fail notes a failure.
func (l *line) fail(f Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, f)
}

// belt is the channel between two stages, with what neither end can say through
// it.
type belt struct {
	ch    handoff.Chan[[]byte]
	gone  context.Context // ends when nobody takes from it any more
	leave context.CancelFunc
	over  chan struct{} // closed when nobody puts anything on it any more
	pass  func()
}

// newBelt makes the channel before stage i. A crew holds what it was given, and
// needs slots for it: the sender of a value that has none waits for the end of
// its run.
func (l *line) newBelt(i int) *belt {
	slots := l.Slots
	if i < len(l.Stages) {
		slots = max(slots, l.Stages[i].Batch*(l.Stages[i].Replicas+1))
	}
	b := &belt{ch: handoff.Make[[]byte](slots), over: make(chan struct{}), pass: func() {}}
	b.gone, b.leave = context.WithCancel(l.ctx)
	if l.Passed != nil {
		b.pass = func() { l.Passed(i) }
	}
	return b
}

// send puts v on b. It fails when nobody will take it.
func (b *belt) send(v []byte) error {
	err := b.ch.Send(b.gone, v)
	if err == nil {
		b.pass()
	}
	return err
}

// end says that nothing will come any more.
func (b *belt) end() {
	b.ch.Close()
	close(b.over)
}

// abandon says that nobody will take anything any more.
func (b *belt) abandon() { b.leave() }

// shared is a writer for several commands at once.
type shared struct {
	mu  sync.Mutex // guards out
	out io.Writer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}

// lines are values as they lie in a stream.
func (l *line) lines(ds []delivery) []byte {
	var b bytes.Buffer
	for _, d := range ds {
		b.Write(l.Form.Append(nil, d.Value))
	}
	return b.Bytes()
}

// delivery is a line held.
type delivery = handoff.Delivery[[]byte]
