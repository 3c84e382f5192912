package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/screen"
)

// failAs, in the environment, makes a worker that says the text and fails.
const failAs = "HANDOFF_TEST_WORKER_FAILS"

// TestMain lets the test binary be the worker that fails. The demo as a whole is
// tested in package cli.
func TestMain(m *testing.M) {
	if text := os.Getenv(failAs); text != "" && len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		fmt.Fprintln(os.Stderr, text)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A demo that cannot go on says why, once, and leaves nothing behind.
func TestRunFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp("", "demo")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temp)
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	t.Setenv(failAs, "first line\nhandoff: no luck today")
	for _, c := range []struct {
		config Config
		says   string
	}{
		{Config{Exe: self, Over: "unix"}, "no luck today"},
		{Config{Exe: filepath.Join(dir, "nothing"), Over: "unix"}, "worker 1 does not start"},
		{Config{Exe: self, Over: "avian"}, `not run over "avian"`},
	} {
		c.config.Dir, c.config.Workers, c.config.KillAt = dir, 3, KillTake
		r, err := Run(t.Context(), c.config, screen.New(nil, nil))
		if r != nil || err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v, %v, want %q", r, err, c.says)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
}

// In the middle fifth, for every number of files, and not always the same.
func TestFatalJob(t *testing.T) {
	for n := 1; n <= 300; n++ {
		seen := map[int]bool{}
		for seed := range uint64(50) {
			no := fatalJob(seed, n)
			if no < 0 || no >= n || n >= 5 && (10*no < 4*n-10 || 10*no > 6*n+10) {
				t.Fatalf("job %d of %d", no, n)
			}
			if no != fatalJob(seed, n) {
				t.Fatalf("seed %d chooses twice", seed)
			}
			seen[no] = true
		}
		if n >= 20 && len(seen) < 2 {
			t.Errorf("of %d jobs always %v", n, seen)
		}
	}
}

// Slow is not hanging; hanging is found.
func TestHangingIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &demo{results: handoff.Make[result](1), tally: newTally(1)}
		buf := make([]result, 4)
		go func() {
			time.Sleep(stillFor*stillMost - time.Second)
			d.results.Send(t.Context(), result{Worker: 3})
		}()
		if n, err := d.recvResults(t.Context(), buf); n != 1 || err != nil || buf[0].Worker != 3 {
			t.Errorf("%d, %v", n, err)
		}
		began := time.Now()
		n, err := d.recvResults(t.Context(), buf)
		if took := time.Since(began); n != 0 || !errors.Is(err, handoff.ErrTimeout) || took != stillFor*stillMost {
			t.Errorf("%d, %v after %v", n, err, took)
		}
	})
}

// brokenFS cannot read one folder.
type brokenFS struct {
	fs.FS
	broken string
}

func (f brokenFS) Open(name string) (fs.File, error) {
	if name == f.broken {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.FS.Open(name)
}

func TestList(t *testing.T) {
	files := fstest.MapFS{
		"b.go": {}, "a/a.go": {}, "a/a.txt": {}, "c/c.go": {}, ".go": {}, "dir.go/x": {},
		"link.go": {Mode: fs.ModeSymlink}, "pipe.go": {Mode: fs.ModeNamedPipe},
	}
	l, err := listFS(t.Context(), files)
	if want := []string{".go", "a/a.go", "b.go", "c/c.go"}; err != nil || !slices.Equal(l.paths, want) || l.skipped != nil {
		t.Errorf("%v, skipped %v, %v; want %v", l.paths, l.skipped, err, want)
	}
	l, err = listFS(t.Context(), brokenFS{files, "a"})
	if err != nil || !slices.Equal(l.skipped, []string{"a"}) || !slices.Equal(l.paths, []string{".go", "b.go", "c/c.go"}) {
		t.Errorf("%v, skipped %v, %v", l.paths, l.skipped, err)
	}
	if _, err = listFS(t.Context(), brokenFS{files, "."}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("an unreadable folder: %v", err)
	}
}

func TestCount(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		want counts
	}{
		"ok.go":     {"package p\n\nfunc f(a int) {}\n", counts{Bytes: 28, Lines: 3, Identifiers: 4}},
		"open.go":   {"package p\nvar x int", counts{Bytes: 19, Lines: 2, Identifiers: 3}},
		"empty.go":  {"", counts{Unparsed: 1}},
		"broken.go": {"package p\n{", counts{Bytes: 11, Lines: 2, Unparsed: 1}},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := count(dir, name); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := count(dir, "nope.go"); got != (counts{Unread: 1}) {
		t.Errorf("a file that is not there: %+v", got)
	}
}
