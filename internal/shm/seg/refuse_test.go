//go:build linux

package seg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// In place of a segment there may be anything. Each is refused with one error that
// says what it is, whether it was to be made or had to be there, and is left alone.
func TestWhatIsNoSegmentIsRefused(t *testing.T) {
	good := random() + memEnd
	page := int64(os.Getpagesize())
	file := func(name string, size int64, mode os.FileMode) func(string) error {
		return func(path string) error {
			os.Mkdir(path, 0o700)
			path = filepath.Join(path, name)
			if err := os.WriteFile(path, nil, mode); err != nil {
				return err
			}
			return errors.Join(os.Truncate(path, size), os.Chmod(path, mode))
		}
	}
	for _, c := range []struct {
		what string
		make func(path string) error
		want error
		says string
	}{
		{"a file", func(p string) error { return os.WriteFile(p, []byte("x"), 0o600) }, fault.ErrConflict, "no folder"},
		{"a link to a segment", func(p string) error {
			return errors.Join(file(good, size, 0o600)(p+".real"), os.Symlink(p+".real", p))
		}, fault.ErrConflict, "symbolic link"},
		{"a link to nothing", func(p string) error { return os.Symlink("nothing", p) }, fault.ErrConflict, "symbolic link"},
		{"a socket", func(p string) error { return unix.Mknod(p, unix.S_IFSOCK|0o600, 0) }, fault.ErrConflict, "no folder"},
		{"a folder of others", func(p string) error {
			return errors.Join(os.Mkdir(p, 0o700), os.Chmod(p, 0o770))
		}, fault.ErrDenied, "other users"},
		{"a folder with something else", file("notes.txt", size, 0o600), fault.ErrConflict, "notes.txt"},
		{"two segments", func(p string) error {
			return errors.Join(file(good, size, 0o600)(p), file(random()+memEnd, size, 0o600)(p))
		}, fault.ErrConflict, "no segment"},
		{"an empty file", file(good, 0, 0o600), fault.ErrConflict, "truncated"},
		{"less than a page", file(good, page-1, 0o600), fault.ErrConflict, "truncated"},
		{"half a page too little", file(good, size-page/2, 0o600), fault.ErrConflict, "truncated"},
		{"one that others may read", file(good, size, 0o644), fault.ErrDenied, "other users"},
		{"a link inside", func(p string) error {
			return errors.Join(file(good, size, 0o600)(p+".real"), os.Mkdir(p, 0o700), os.Symlink(p+".real/"+good, p+"/"+good))
		}, fault.ErrConflict, "symbolic link"},
		{"a FIFO inside", func(p string) error {
			return errors.Join(os.Mkdir(p, 0o700), unix.Mkfifo(filepath.Join(p, good), 0o600))
		}, fault.ErrConflict, "no regular file"},
		{"a folder inside", func(p string) error { return os.MkdirAll(filepath.Join(p, good), 0o700) }, fault.ErrConflict, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := somewhere(t)
			if err := c.make(w.Path); err != nil {
				t.Fatal(err)
			}
			for _, make := range []Maker{with(1), nil} {
				refused(t, w, make, c.want, c.says)
			}
			if _, err := os.Lstat(w.Path); err != nil {
				t.Fatalf("it was not left alone: %v", err)
			}
			if names, _ := filepath.Glob(w.Path + ".*" + makingEnd); len(names) != 0 {
				t.Fatalf("left over: %v", names)
			}
		})
	}
}

func refused(t *testing.T, w Where, make Maker, want error, says string) {
	t.Helper()
	p, s, _, err := Open(context.Background(), w, size, make)
	if err == nil {
		s.Close()
		p.Close()
	}
	if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		t.Errorf("made %v: %v, want %v that says %q", make != nil, err, want, says)
	}
}

func TestWhatBelongsToOthersIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	const other = 12345
	w := somewhere(t)
	p := at(t, w)
	s, _ := opened(t, p, with(1))
	os.Chown(filepath.Join(filepath.Dir(w.Path), s.file), other, 0)
	refused(t, w, with(2), fault.ErrDenied, "user 12345")
	os.Chown(w.Path, other, 0)
	refused(t, w, with(2), fault.ErrDenied, "user 12345")

	f, err := Memory(size, with(1))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Chown(other, 0)
	refused(t, Where{FD: int(f.Fd())}, nil, fault.ErrDenied, "user 12345")
}

func TestAPlaceForAllIsRefused(t *testing.T) {
	dir := t.TempDir()
	os.Chmod(dir, 0o777)
	refused(t, Where{Path: filepath.Join(dir, "s")}, with(1), fault.ErrDenied, "everybody")
	os.Chmod(dir, 0o777|os.ModeSticky)
	p := at(t, Where{Path: filepath.Join(dir, "s")})
	opened(t, p, with(1))
	refused(t, Where{Path: filepath.Join(dir, "not", "there", "s")}, with(1), fault.ErrNotFound, "not")
}

func TestDescriptorsThatCannotBeSharedAreRefused(t *testing.T) {
	dir := t.TempDir()
	page := os.Getpagesize()
	memfd := func(size int, seal int) *os.File {
		fd, err := unix.MemfdCreate("x", unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		unix.Ftruncate(fd, int64(size))
		unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seal)
		return os.NewFile(uintptr(fd), "x")
	}
	file, _ := os.Create(filepath.Join(dir, "file"))
	file.Truncate(size)
	readOnly, _ := os.Open(file.Name())
	r, w, _ := os.Pipe()
	for _, c := range []struct {
		what string
		f    *os.File
		want error
		says string
	}{
		{"no seals", memfd(page, 0), fault.ErrDenied, "not sealed"},
		{"may grow", memfd(page, unix.F_SEAL_SHRINK), fault.ErrDenied, "not sealed"},
		{"empty", memfd(0, seals), fault.ErrConflict, "0 bytes"},
		{"read only", readOnly, fault.ErrDenied, "both read and written"},
		{"a pipe", w, fault.ErrConflict, "no memory"},
	} {
		t.Run(c.what, func(t *testing.T) {
			refused(t, Where{FD: int(c.f.Fd())}, nil, c.want, c.says)
			c.f.Close()
		})
	}
	r.Close()
	number := int(file.Fd())
	s, _ := opened(t, at(t, Where{FD: number}), nil) // a file that was opened for us
	if len(s.Bytes()) != size {
		t.Fatal(len(s.Bytes()))
	}
	file.Close()
	refused(t, Where{FD: 1 << 20}, nil, fault.ErrNotFound, "not an open descriptor")
}

// What is larger than its file system is an error when it is made, and not a SIGBUS
// when it is used; and so is a sparse copy that somebody has put in its place.
func TestAFullFileSystemIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	ctx := context.Background()
	p := at(t, Where{Path: filepath.Join(dir, "s")})
	_, _, err := p.Open(ctx, 2<<20, with(1))
	if !errors.Is(err, fault.ErrFull) {
		t.Fatalf("2 MiB in 1 MiB: %v", err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 0 {
		t.Fatalf("left over: %v", names)
	}
	s, _, err := p.Open(ctx, 900<<10&^4095, with(1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Bytes() {
		s.Bytes()[i] = 1
	}
	file := filepath.Join(dir, s.file)
	s.Close()
	// A copy with holes, larger than what is left.
	os.Remove(file)
	os.WriteFile(file, nil, 0o600)
	os.Truncate(file, 4<<20)
	refused(t, p.where, nil, fault.ErrFull, "needs")
}
