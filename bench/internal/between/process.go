// Package between measures what crosses from process to process: our channels over
// sockets, the bare socket beside them, and what else people use. Every party of a
// row is a process of its own: this program again in another role, a server of
// the system's, or a small program in the rival's own language.
package between

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// Fleet are the processes of a run. They start when they are first needed, wait
// for their input between two samples, and end with Stop.
type Fleet struct {
	ctx context.Context
	dir string // for sockets and for what is built

	mu  sync.Mutex // guards all
	all []*process
}

// NewFleet returns a fleet without processes, which keeps its files in a new
// folder until Stop. Processes that still run when ctx ends are killed.
func NewFleet(ctx context.Context) (*Fleet, error) {
	dir, err := os.MkdirTemp("", "handoff-bench-")
	return &Fleet{ctx: ctx, dir: dir}, err
}

// Stop ends all processes, waits for them and removes the fleet's files.
func (f *Fleet) Stop() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for i := len(f.all) - 1; i >= 0; i-- { // clients before their servers
		errs = append(errs, f.all[i].stop())
	}
	f.all = nil
	return errors.Join(append(errs, os.RemoveAll(f.dir))...)
}

// socket returns a fresh path for a Unix socket.
func (f *Fleet) socket() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return filepath.Join(f.dir, fmt.Sprintf("s%d", len(f.all)))
}

// start starts this program in a role and returns when it is ready.
func (f *Fleet) start(role string, args ...string) *process {
	file, err := os.Executable()
	must(err)
	return f.launch(role, exec.CommandContext(f.ctx, file, args...))
}

// launch starts a program that keeps to the rules of process.
func (f *Fleet) launch(role string, cmd *exec.Cmd) *process {
	p := &process{role: role, cmd: cmd}
	cmd.Env = append(cmd.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	var err error
	p.in, err = cmd.StdinPipe()
	must(err)
	out, err := cmd.StdoutPipe()
	must(err)
	p.out = bufio.NewReader(out)
	must(cmd.Start())
	f.mu.Lock()
	f.all = append(f.all, p)
	f.mu.Unlock()
	p.pids = []int{cmd.Process.Pid}
	said := p.line()
	check(len(said) > 0 && said[0] == "ready", "%s said %q and not that it is ready", role, said)
	if said = said[1:]; len(said) > 0 {
		p.at = said[0]
		for _, word := range said[1:] {
			pid, err := strconv.Atoi(word)
			must(err)
			p.pids = append(p.pids, pid)
		}
	}
	return p
}

// process is one that answers requests, a line each, one at a time. When it is in
// place it says "ready", its address if it has one, and the numbers of further
// processes that work for it. It lives until its input ends.
type process struct {
	role string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	at   string
	pids []int
}

// stopTime is how long a process may take to end once its input has.
const stopTime = 10 * time.Second

func (p *process) stop() error {
	p.in.Close()
	late := time.AfterFunc(stopTime, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", p.role, err)
	}
	return nil
}

// askTime is how long an answer may take: what was sent has not arrived and never
// will if it takes longer.
const askTime = 2 * time.Minute

// line is the next line of the process, in words. That there is none ends the run.
func (p *process) line() []string {
	late := time.AfterFunc(askTime, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	line, err := p.out.ReadString('\n')
	check(err == nil, "%s ended or did not answer in %v: %v", p.role, askTime, err)
	return strings.Fields(line)
}

// ask has the process do n operations and returns the times it took: of all, 0 if
// it does not know, and of each if it has timed them one by one.
func (p *process) ask(n int) []time.Duration {
	return p.request(strconv.Itoa(n))
}

// request is ask of anything.
func (p *process) request(what string) []time.Duration {
	_, err := fmt.Fprintln(p.in, what)
	check(err == nil, "%s is gone: %v", p.role, err)
	var times []time.Duration
	for _, word := range p.line() {
		ns, err := strconv.ParseInt(word, 10, 64)
		check(err == nil, "%s answered %q", p.role, word)
		times = append(times, time.Duration(ns))
	}
	return times
}

// crew are the processes of one contender.
type crew struct {
	asked  []*process // at the same time; a sample ends with the last of them
	others []*process // homes and servers between them
}

// first is how many operations are done before any is measured: the first of all
// wait for connections to be made, which must not decide how many a sample has.
const first = 200

// body is a contender whose crew start makes, once: what a fleet has started
// serves all rounds.
func (f *Fleet) body(start func(f *Fleet) crew) measure.Body {
	once := sync.OnceValue(func() crew {
		c := start(f)
		c.sample(first)
		return c
	})
	return func() func(int) measure.Sample { return once().sample }
}

// sample asks for n operations. The CPU time is that of all processes of the crew.
func (c crew) sample(n int) measure.Sample {
	s := measure.Sample{Elsewhere: true}
	before := c.cpu()
	answers := make([][]time.Duration, len(c.asked))
	var done sync.WaitGroup
	failed := make(chan any, len(c.asked))
	begin := time.Now()
	for i, p := range c.asked {
		done.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					failed <- r
				}
			}()
			answers[i] = p.ask(n)
		})
	}
	done.Wait()
	s.Elapsed = time.Since(begin)
	select {
	case r := <-failed: // on the goroutine that runs the shapes, as every other end of a run
		panic(r)
	default:
	}
	s.CPU = c.cpu() - before
	for _, times := range answers {
		if times[0] > 0 {
			s.Elapsed = times[0]
		}
		if len(times) > 1 {
			s.Each = times[1:]
		}
	}
	return s
}

// all are the processes.
func (c crew) all() []*process { return slices.Concat(c.asked, c.others) }

// cpu is what the processes took so far.
func (c crew) cpu() (sum time.Duration) {
	for _, p := range c.all() {
		for _, pid := range p.pids {
			sum += cpuOf(pid)
		}
	}
	return sum
}

// cpuOf is what the threads of a process took so far; 0 where the system does not
// tell. A thread that has ended is left out.
func cpuOf(pid int) (sum time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range files {
		var ns int64
		if text, err := os.ReadFile(file); err == nil {
			fmt.Sscan(string(text), &ns)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// must ends the run: an operation that fails is not one to be timed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// check ends the run too: a figure of work that was not done is worth nothing.
func check(done bool, format string, args ...any) {
	if !done {
		panic(fmt.Sprintf(format, args...))
	}
}
