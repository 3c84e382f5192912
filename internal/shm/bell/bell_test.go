//go:build linux

package bell

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// folder returns a folder of the test's own and its descriptor.
func folder(t testing.TB) (string, int) {
	t.Helper()
	path := t.TempDir()
	return path, descriptor(t, path)
}

func descriptor(t testing.TB, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func hung(t testing.TB, dir int, name string) *Bell {
	t.Helper()
	b, err := Hang(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func reached(t testing.TB, dir int, name string) *Ringer {
	t.Helper()
	r, err := Reach(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestARingIsHeardOnceAndKept(t *testing.T) {
	_, dir := folder(t)
	b := hung(t, dir, "b")
	r := reached(t, dir, "b")
	if rung, err := b.Wait(time.Now().Add(-time.Second)); rung || err != nil {
		t.Fatalf("a bell nobody rang: %v, %v", rung, err)
	}
	for range 3 {
		if err := r.Ring(); err != nil {
			t.Fatal(err)
		}
	}
	if rung, err := b.Wait(time.Time{}); !rung || err != nil {
		t.Fatalf("after three rings: %v, %v", rung, err)
	}
	if rung, err := b.Wait(time.Now().Add(time.Millisecond)); rung || err != nil {
		t.Fatalf("the rings were heard already: %v, %v", rung, err)
	}
}

// A bell that nobody listens to is rung without ever waiting.
func TestAFullBellIsRung(t *testing.T) {
	_, dir := folder(t)
	b := hung(t, dir, "b")
	r := reached(t, dir, "b")
	for range 1<<16 + 100 { // more than a FIFO takes
		if err := r.Ring(); err != nil {
			t.Fatal(err)
		}
	}
	if rung, err := b.Wait(time.Time{}); !rung || err != nil {
		t.Fatal(rung, err)
	}
}

func TestCloseEndsAWait(t *testing.T) {
	_, dir := folder(t)
	b := hung(t, dir, "b")
	r := reached(t, dir, "b")
	ended := make(chan error)
	go func() {
		if rung, err := b.Wait(time.Time{}); !rung || err != nil {
			ended <- fmt.Errorf("rung %v, %v", rung, err)
			return
		}
		ended <- nil
		_, err := b.Wait(time.Time{})
		ended <- err
	}()
	r.Ring()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Fatalf("a Wait on a bell that is taken down: %v", err)
	}
	<-r.Gone()
	if err := r.Ring(); !errors.Is(err, ErrGone) {
		t.Fatalf("a Ring of nobody: %v", err)
	}
	if r.Alive() || Alive(dir, "b") {
		t.Fatal("it is called alive")
	}
	if _, err := Reach(dir, "b"); !errors.Is(err, ErrGone) {
		t.Fatalf("a Reach of nobody: %v", err)
	}
}

func TestCloseOfARingerEndsItsWatch(t *testing.T) {
	_, dir := folder(t)
	hung(t, dir, "b")
	for range 100 {
		r := reached(t, dir, "b")
		gone := r.Gone()
		var all sync.WaitGroup
		all.Go(func() { r.Ring() })
		all.Go(func() { r.Close() })
		all.Go(func() { r.Gone() })
		all.Wait()
		select {
		case <-gone:
			t.Fatal("a member that lives is told gone")
		default:
		}
		if err := r.Ring(); !errors.Is(err, os.ErrClosed) {
			t.Fatalf("Ring after Close: %v", err)
		}
	}
}

func TestNoTwoBellsHaveOneName(t *testing.T) {
	path, dir := folder(t)
	b := hung(t, dir, "b")
	if _, err := Hang(dir, "b"); !errors.Is(err, fault.ErrConflict) {
		t.Fatalf("a second bell of one name: %v", err)
	}
	if names, _ := os.ReadDir(path); len(names) != 1 {
		t.Fatalf("left in the folder: %v", names)
	}
	if !b.Hung() {
		t.Fatal("the first is not there")
	}
	os.Remove(filepath.Join(path, "b"))
	if b.Hung() {
		t.Fatal("a bell whose name was removed says that it is there")
	}
}

// What is no bell is never taken for a dead member: only what the system says is
// a death.
func TestOnlyTheSystemCallsDead(t *testing.T) {
	path, dir := folder(t)
	os.WriteFile(filepath.Join(path, "file"), nil, 0o600)
	os.Symlink("nowhere", filepath.Join(path, "link"))
	for _, name := range []string{"file", "link"} {
		if !Alive(dir, name) {
			t.Errorf("a %s is a dead member", name)
		}
		if _, err := Reach(dir, name); err == nil || errors.Is(err, ErrGone) {
			t.Errorf("Reach of a %s: %v", name, err)
		}
	}
	if Alive(dir, "nothing") {
		t.Error("what has no bell is alive")
	}
	unix.Mkfifo(filepath.Join(path, "left"), 0o600)
	if Alive(dir, "left") {
		t.Error("a bell that nobody has open is alive")
	}
	stray, _ := os.OpenFile(filepath.Join(path, "left"), os.O_RDWR, 0) // somebody looks at it
	defer stray.Close()
	if Alive(dir, "left") {
		t.Error("a bell that is not locked is alive")
	}
}

// A bell in the making that is swept away is made again.
func TestABellSweptAwayIsMadeAgain(t *testing.T) {
	path, dir := folder(t)
	stop := make(chan struct{})
	var sweeper sync.WaitGroup
	swept := 0
	sweeper.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := fmt.Sprintf("b%d%s", i%8, Making)
			if !Alive(dir, name) && unix.Unlinkat(dir, name, 0) == nil {
				swept++
			}
		}
	})
	for i := range 3000 {
		name := fmt.Sprintf("b%d", i%8)
		b, err := Hang(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if !Alive(dir, name) || !b.Hung() {
			t.Fatal("a bell that was hung is not there")
		}
		os.Remove(filepath.Join(path, name))
		b.Close()
	}
	close(stop)
	sweeper.Wait()
	t.Logf("%d were swept away in the making", swept)
}
