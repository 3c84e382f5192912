//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/demo"
)

// noChildren fails if this process still has a child, running or not waited for.
func noChildren(t *testing.T) {
	t.Helper()
	pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	if !errors.Is(err, syscall.ECHILD) {
		t.Errorf("a worker is left: %d, %v", pid, err)
	}
}

// A worker that somebody else kills is replaced like the one the demo kills.
func TestDemoWorkerDies(t *testing.T) {
	dir := tree(t, goFiles(400))
	empty := tempDir(t)
	kills := 0
	var text bytes.Buffer
	out := &onLine{do: func(line string) {
		fmt.Fprintln(&text, line)
		var id, pid int
		fmt.Sscanf(line, "worker %d (pid %d)", &id, &pid)
		if strings.Contains(line, " replaces worker ") && kills < 2 {
			kills++
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	}}
	var errs bytes.Buffer
	// With one worker nobody else can finish the work before the new one is killed.
	code := Run(t.Context(), []string{"demo", dir, "--workers", "1"}, Streams{In: &bytes.Buffer{}, Out: out, Err: &errs})
	if code != codeDone || errs.Len() > 0 || kills != 2 || strings.Count(text.String(), "killed by someone else") != 4 {
		t.Errorf("code %d, err %q, %d kills\n%s", code, errs.String(), kills, text.String())
	}
	empty()
	noChildren(t)
}

// The home ends with its process, and so do the workers.
func TestDemoSignalled(t *testing.T) {
	dir := tree(t, goFiles(400))
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		empty := tempDir(t)
		cmd := binary(t, "demo", dir)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, out, "is killed")
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, out)
		cmd.Wait()
		// It may have been done before the signal came.
		if code := cmd.ProcessState.ExitCode(); code != codeInterrupted && code != codeDone || errs.Len() > 0 {
			t.Errorf("%v: code %d, err %q", sig, code, errs.String())
		}
		empty()
	}
}

// await reads until a line that contains want.
func await(t *testing.T, r io.Reader, want string) {
	t.Helper()
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if strings.Contains(line, want) {
			return
		}
		if err != nil {
			t.Fatalf("no %q: %v", want, err)
		}
	}
}

func TestServeSignalled(t *testing.T) {
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := binary(t, "serve", "--unix", filepath.Join(dir, "s.sock"))
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, out, "serving unix:")
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != codeInterrupted || errs.Len() > 0 || len(rest) > 0 {
			t.Errorf("%v: code %d, out %q, err %q", sig, code, rest, errs.String())
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%v: left behind: %v", sig, left)
		}
	}
}

// A home that is killed leaves one line to everybody, and nobody waits for ever.
func TestHomeKilled(t *testing.T) {
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s.sock")
	home := binary(t, "serve", "--unix", path)
	out, err := home.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := home.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, out, "serving unix:")
	url := func(name string) string { return "unix:" + path + "?chan=" + name }
	commands := [][]string{
		{"recv", url("a")}, {"recv", "--exec", "true", url("a")}, {"send", url("b"), "x"}, {"send", "--timeout", "1h", url("c"), "x"},
		{"select", url("d"), url("e")},
	}
	errs := make(chan string, len(commands))
	for _, args := range commands {
		go func() {
			code, _, e := run(t.Context(), args...)
			if code != codeError {
				t.Errorf("%v: code %d", args, code)
			}
			errs <- e
		}()
	}
	ch, err := handoff.Open[string](t.Context(), url("a"))
	if err != nil {
		t.Fatal(err)
	}
	for ch.Stats().ReceiversWaiting < 2 {
	}
	home.Process.Kill()
	home.Wait()
	for range commands {
		e := <-errs
		// One that had not asked yet finds nobody.
		if !strings.Contains(e, "unreachable") && !strings.Contains(e, "in doubt") {
			t.Errorf("%q", e)
		}
		checkOneLine(t, e)
	}
	ch.Detach()
}

// A worker whose demo never was says so and goes.
func TestWorkerAlone(t *testing.T) {
	empty := tempDir(t)
	code, out, errs := run(t.Context(), demo.WorkerCommand, "--home", "unix:/nowhere/handoff-demo-0/home.sock", "--id", "1")
	if code != codeError || out != "" || errs == "" {
		t.Errorf("code %d, out %q, err %q", code, out, errs)
	}
	checkOneLine(t, errs)
	empty()
}
