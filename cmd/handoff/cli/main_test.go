package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/handoff-go/handoff/cmd/handoff/internal/demo"
)

// asBinary, in the environment, makes the test binary the command handoff.
const asBinary = "HANDOFF_TEST_AS_BINARY"

// TestMain lets the test binary be what the tests start: a worker of the demo,
// which the demo starts by the hidden command, or the whole command.
func TestMain(m *testing.M) {
	if os.Getenv(asBinary) == "" && (len(os.Args) < 2 || os.Args[1] != demo.WorkerCommand) {
		// The race detector has every process wait a second at its end.
		os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
		os.Exit(m.Run())
	}
	ctx, stop := Signals()
	code := Run(ctx, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}

// run is Run with streams to look at.
func run(ctx context.Context, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = Run(ctx, args, Streams{In: &bytes.Buffer{}, Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// binary is the command handoff as a process.
func binary(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), asBinary+"=1")
	return cmd
}

// tempDir makes an own folder the one for temporary files and returns a check
// that it is empty. It has a short path, for there will be a socket in it.
func tempDir(t *testing.T) (empty func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir) // where Windows looks
	return func() {
		t.Helper()
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
}

// onLine is a writer that calls do with every line.
type onLine struct {
	rest []byte
	do   func(line string)
}

func (w *onLine) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte{'\n'})
		if !ok {
			return len(b), nil
		}
		w.rest = rest
		w.do(string(line))
	}
}

// tree writes files, by name, into a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, text := range files {
		if i := bytes.LastIndexByte([]byte(name), '/'); i > 0 {
			if err := root.MkdirAll(name[:i], 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// goFiles are n files with 3 lines and 4 identifiers each (p, f, a, int).
func goFiles(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("d%d/f%d.go", i%7, i)] = "package p\n\nfunc f(a int) {}\n"
	}
	return files
}
