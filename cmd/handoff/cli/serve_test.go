package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
)

// serving is handoff serve on a goroutine.
type serving struct {
	path   string
	cancel context.CancelFunc
	done   chan int
	errs   bytes.Buffer // not before done
}

// startServe returns when clients can connect.
func startServe(t *testing.T) *serving {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &serving{path: filepath.Join(dir, "a b?.sock"), done: make(chan int, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	ready := make(chan string, 1)
	out := &onLine{do: func(line string) { ready <- line }}
	go func() {
		s.done <- Run(ctx, []string{"serve", "--unix", s.path}, Streams{In: &bytes.Buffer{}, Out: out, Err: &s.errs})
	}()
	select {
	case line := <-ready:
		if !strings.HasPrefix(line, "serving unix:/") {
			t.Errorf("%q", line)
		}
	case code := <-s.done:
		t.Fatalf("code %d: %s", code, s.errs.String())
	}
	return s
}

// end interrupts and returns the exit code, and checks that the socket is gone.
func (s *serving) end(t *testing.T) int {
	t.Helper()
	s.cancel()
	code := <-s.done
	if left, err := os.ReadDir(filepath.Dir(s.path)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	return code
}

func (s *serving) open(t *testing.T, params string) handoff.Chan[string] {
	t.Helper()
	escaped := strings.NewReplacer("?", "%3F", " ", "%20").Replace(s.path)
	ch, err := handoff.Open[string](t.Context(), "unix:"+escaped+"?"+params)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func TestServe(t *testing.T) {
	s := startServe(t)
	ch := s.open(t, "chan=c&slots=2")
	for i := range 2 {
		if err := ch.Send(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		if v, err := ch.Recv(t.Context()); err != nil || v != fmt.Sprint(i) {
			t.Fatalf("%q %v", v, err)
		}
	}
	if err := ch.Detach(); err != nil {
		t.Error(err)
	}
	if code := s.end(t); code != codeInterrupted || s.errs.Len() > 0 {
		t.Errorf("code %d, err %q", code, s.errs.String())
	}
}

// Values that end with their home are told.
func TestServeTellsWhatIsLeft(t *testing.T) {
	s := startServe(t)
	ch := s.open(t, "chan=orders&slots=2")
	if err := ch.Send(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if err := ch.Detach(); err != nil {
		t.Error(err)
	}
	if code := s.end(t); code != codeInterrupted || !strings.Contains(s.errs.String(), `"orders"`) {
		t.Errorf("code %d, err %q", code, s.errs.String())
	}
	checkOneLine(t, s.errs.String())
}

func TestServeRefuses(t *testing.T) {
	s := startServe(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		s.path:                            "in use",
		file:                              "no socket",
		filepath.Join(dir, "no", "x"):     "no folder for ",
		dir + strings.Repeat("/long", 30): "no folder",
	} {
		code, out, errs := run(t.Context(), "serve", "--unix", path)
		if code != codeError || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%s: code %d, out %q, err %q, want %q", path, code, out, errs, says)
		}
		checkOneLine(t, errs)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("%q %v", text, err)
	}
	if code := s.end(t); code != codeInterrupted {
		t.Errorf("code %d, err %q", code, s.errs.String())
	}
}

// A channel is one however its clients come.
func TestServeManyDoors(t *testing.T) {
	dir := t.TempDir()
	args := []string{"serve", "--tcp", "localhost:0", "--tcp", "127.0.0.1:0", "--unix", filepath.Join(dir, "a"), "--unix", filepath.Join(dir, "b")}
	if runtime.GOOS == "linux" {
		args = append(args, "--pipe", filepath.Join(dir, "c"))
	}
	doors := (len(args) - 1) / 2
	ctx, cancel := context.WithCancel(t.Context())
	lines, done := make(chan string, doors), make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		done <- Run(ctx, args, Streams{In: &bytes.Buffer{}, Out: &onLine{do: func(line string) { lines <- line }}, Err: &errs})
	}()
	for i := range doors {
		var at string
		select {
		case line := <-lines:
			at = strings.Replace(strings.TrimPrefix(line, "serving "), "NAME", "c", 1)
		case code := <-done:
			t.Fatalf("code %d, %s", code, errs.String())
		}
		join := "&"
		if strings.HasPrefix(at, "tcp:") {
			join = "?"
		}
		wants(t, codeDone, "", "", "", "send", at+join+"slots=9", fmt.Sprint(i))
		wants(t, codeDone, fmt.Sprintln(i), "", "", "recv", "-n", "1", at)
	}
	cancel()
	if code := <-done; code != codeInterrupted || errs.Len() > 0 {
		t.Errorf("code %d, err %q", code, errs.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestServeRefusesAddresses(t *testing.T) {
	dir := t.TempDir()
	for addr, says := range map[string]string{
		"nonsense":     `"nonsense" is not host:port`,
		":4710":        "only a loopback address can be served",
		"0.0.0.0:4710": "only a loopback address can be served",
		"localhost:-1": "invalid port",
	} {
		// The doors before it are shut again.
		code, out, errs := run(t.Context(), "serve", "--unix", filepath.Join(dir, "s"), "--tcp", addr)
		if code != codeError || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%s: code %d, out %q, err %q, want %q", addr, code, out, errs, says)
		}
		checkOneLine(t, errs)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A reader that is gone ends serve, which could else not say that it is ready.
func TestServeNobodyReads(t *testing.T) {
	dir := t.TempDir()
	var errs bytes.Buffer
	code := Run(t.Context(), []string{"serve", "--unix", filepath.Join(dir, "s")},
		Streams{In: &bytes.Buffer{}, Out: brokenPipe{}, Err: &errs})
	if code != codeError || !strings.Contains(errs.String(), "broken") {
		t.Errorf("code %d, err %q", code, errs.String())
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, fmt.Errorf("the pipe is broken") }
