package shmchan

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff"
)

// TestFullFileSystem: where there is no room for a segment, Open says so; whoever has one has all of
// its memory, though nothing is left.
func TestFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	var all []handoff.Chan[[]byte]
	defer func() {
		for _, ch := range all {
			ch.Detach()
		}
	}()
	for {
		ch, err := handoff.Open[[]byte](ctx, fmt.Sprint("shm:", filepath.Join(dir, "c"), len(all), "?slots=64&pool=1048576&maxvalue=16384"))
		if errors.Is(err, handoff.ErrFull) {
			break
		}
		if err != nil || len(all) > 8 {
			t.Fatal(len(all), err)
		}
		all = append(all, ch)
	}
	if len(all) == 0 {
		t.Fatal("no segment fits at all")
	}
	eat(t, dir)
	value := make([]byte, 16384)
	for i, ch := range all {
		for n := range 64 { // the whole pool
			if ok, err := ch.TrySend(value); !ok || err != nil {
				t.Fatalf("channel %d, value %d: %v, %v", i, n, ok, err)
			}
		}
		for range 64 {
			if v, ok, err := ch.TryRecv(); !ok || err != nil || len(v) != len(value) {
				t.Fatal(ok, err)
			}
		}
	}
}

// eat fills what is left of the file system at dir.
func eat(t *testing.T, dir string) {
	t.Helper()
	fd, err := unix.Open(filepath.Join(dir, "eaten"), unix.O_CREAT|unix.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for page := int64(0); ; page++ {
		switch err := unix.Fallocate(fd, 0, page<<12, 1<<12); err {
		case nil:
		case unix.ENOSPC:
			return
		default:
			t.Fatal(err)
		}
	}
}
