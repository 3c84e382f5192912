// Package crossbeam runs crossbeam-channel, the channel of Rust that is most
// used, on the patterns of its own benchmarks: a small program of ours, built
// from the crates of the system's packages where cargo and they are.
package crossbeam

import (
	"bufio"
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/bench/shape"
)

// source is the program.
//
//go:embed program
var source embed.FS

// crates is where Debian's packages put the sources of crates.
const crates = "/usr/share/cargo/registry"

// Join adds crossbeam-channel as a rival to those of shapes that are its
// patterns, or why it cannot run. The program it starts, if there is anything for
// it to do, ends with stop.
func Join(ctx context.Context, shapes []*measure.Shape) (stop func() error) {
	var p *program
	var err error
	started := false
	for _, s := range shapes {
		pattern, ok := shape.PatternOf(s)
		if !ok {
			continue
		}
		if !started {
			p, err = start(ctx)
			started = true
		}
		rival := measure.Contender{Name: "crossbeam-channel"}
		if err != nil {
			rival.Why = oneLine(err)
		} else {
			rival.Body = p.body(pattern)
		}
		s.Rivals = append(s.Rivals, rival)
	}
	if p == nil {
		return func() error { return nil }
	}
	return p.stop
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// program answers requests, one at a time. Between two of them it waits for its
// input and takes nothing of the machine.
type program struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(ctx context.Context) (*program, error) {
	file, err := build(ctx)
	if err != nil {
		return nil, err
	}
	p := &program{cmd: exec.CommandContext(ctx, file)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

// stop ends the program and waits for it.
func (p *program) stop() error {
	p.in.Close()
	return p.cmd.Wait()
}

// body runs pattern. That the program ended in the middle ends the run.
func (p *program) body(pattern shape.Pattern) measure.Body {
	return func() func(int) measure.Sample {
		return func(n int) measure.Sample {
			s, err := p.ask(pattern, n)
			if err != nil {
				panic(fmt.Sprintf("crossbeam: %v: %v", pattern, err))
			}
			return s
		}
	}
}

func (p *program) ask(pattern shape.Pattern, n int) (measure.Sample, error) {
	slots := pattern.Slots
	if slots == shape.AllSlots {
		slots = n
	}
	if _, err := fmt.Fprintln(p.in, pattern.Name, slots, shape.PatternThreads, n); err != nil {
		return measure.Sample{}, err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return measure.Sample{}, err
	}
	var elapsed, cpu int64
	if _, err := fmt.Sscan(line, &elapsed, &cpu); err != nil {
		return measure.Sample{}, fmt.Errorf("answer %q: %w", line, err)
	}
	return measure.Sample{Elapsed: time.Duration(elapsed), CPU: time.Duration(cpu), Elsewhere: true}, nil
}

// build makes the program of its source and returns the file. It keeps what it
// built in the user's cache, so that the next run finds it. No network is used.
func build(ctx context.Context) (string, error) {
	if _, err := exec.LookPath("cargo"); err != nil {
		return "", fmt.Errorf("cargo is not installed")
	}
	if found, _ := filepath.Glob(crates + "/crossbeam-channel-*"); len(found) == 0 {
		return "", fmt.Errorf("the package librust-crossbeam-channel-dev is not installed")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "handoff-bench", "crossbeam")
	if err := unpack(dir); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "cargo", "build", "--release", "--offline", "--quiet",
		"--config", `source.crates-io.replace-with="packages"`,
		"--config", fmt.Sprintf("source.packages.directory=%q", crates),
		"--target-dir", filepath.Join(dir, "target"))
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cargo build: %w: %s", err, said)
	}
	return filepath.Join(dir, "target", "release", "patterns"), nil
}

// unpack writes the source to dir. A file that is there already stays as it is,
// or cargo would build anew.
func unpack(dir string) error {
	files, err := fs.Sub(source, "program")
	if err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if old, err := os.ReadFile(to); err == nil && string(old) == string(text) {
			return nil
		}
		return os.WriteFile(to, text, 0o644)
	})
}
