package seg

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/shm/bell"
)

// shared is where memory is a file system.
const shared = "/dev/shm"

// Place is the folder in which a segment and the bells of its members are. It is
// safe for concurrent use.
type Place struct {
	where  Where
	dir    *folder
	closed atomic.Bool
	prefix string // what the names of bells begin with
	seg    string // the segment's own name in the folder, "" for a descriptor
}

// At finds the place of w, and makes the user's own folder if it is not there.
// Segments that are named, and those of descriptors, share one place.
func At(w Where) (p *Place, err error) {
	p = &Place{where: w}
	dir := filepath.Dir(w.Path)
	switch {
	case w.Path != "":
		p.seg = filepath.Base(w.Path)
		p.prefix = p.seg + "."
	case w.Name != "":
		p.seg = escape(w.Name) + ".seg"
		fallthrough
	default:
		if dir, err = own(); err != nil {
			return nil, err
		}
	}
	if p.dir, err = enter(dir); err != nil {
		return nil, err
	}
	return p, nil
}

// own returns the user's own folder, and makes it.
//
// What it is called must not depend on the environment where that can be helped:
// two processes that disagree would have two channels of one name.
func own() (string, error) {
	dir := filepath.Join(shared, fmt.Sprintf("handoff-%d", os.Geteuid()))
	if info, err := os.Stat(shared); err != nil || !info.IsDir() {
		run := os.Getenv("XDG_RUNTIME_DIR")
		if run == "" {
			return "", fault.Because(fault.ErrUnsupported, "there is no %s, and XDG_RUNTIME_DIR is not set", shared)
		}
		dir = filepath.Join(run, "handoff")
	}
	err := unix.Mkdir(dir, 0o700)
	if err != nil && err != unix.EEXIST {
		return "", because(err, dir)
	}
	fd, err := openDir(unix.AT_FDCWD, dir)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	return dir, private(fd, dir)
}

// fit says why the folder fd is not one to share memory in.
func fit(fd int, path string) error {
	var st unix.Stat_t
	var sys unix.Statfs_t
	if err := errors.Join(unix.Fstat(fd, &st), unix.Fstatfs(fd, &sys)); err != nil {
		return because(err, path)
	}
	if st.Mode&0o002 != 0 && st.Mode&unix.S_ISVTX == 0 {
		return fault.Because(fault.ErrDenied, "everybody may rename and remove what is in %s", path)
	}
	switch uint32(sys.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.V9FS_MAGIC,
		unix.CEPH_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.CODA_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC:
		return fault.Because(fault.ErrUnsupported, "%s is on a network file system, whose memory is not shared", path)
	}
	return nil
}

// openDir opens a folder and follows no link to it.
func openDir(dir int, name string) (int, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != unix.ENOTDIR && err != unix.ELOOP {
		return fd, because(err, name)
	}
	var st unix.Stat_t
	what := "no folder"
	if unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		what = "a symbolic link, which is not followed"
	}
	return -1, fault.Because(fault.ErrConflict, "%s is no segment: it is %s", name, what)
}

// private says why fd is not this user's alone.
func private(fd int, name string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return because(err, name)
	}
	if int(st.Uid) != os.Geteuid() {
		return fault.Because(fault.ErrDenied, "%s belongs to user %d, and this is user %d", name, st.Uid, os.Geteuid())
	}
	if st.Mode&0o077 != 0 {
		return fault.Because(fault.ErrDenied, "%s may be used by other users (mode %#o)", name, st.Mode&0o777)
	}
	return nil
}

// because turns an error of the system into one of ours; nil stays nil.
func because(err error, name string) error {
	sentinel := fault.ErrUnsupported
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOENT):
		sentinel = fault.ErrNotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		sentinel = fault.ErrDenied
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT), errors.Is(err, unix.EFBIG), errors.Is(err, unix.ENOMEM),
		errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		sentinel = fault.ErrFull
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENAMETOOLONG), errors.Is(err, unix.EEXIST),
		errors.Is(err, unix.EISDIR):
		sentinel = fault.ErrConflict
	}
	return fault.Because(sentinel, "%s: %v", name, err)
}

// with calls f with the descriptor of the folder, which stays open meanwhile.
func (p *Place) with(f func(dir int) error) error {
	if p.closed.Load() {
		return os.ErrClosed
	}
	raw, err := p.dir.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := raw.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}

// Close lets the folder go. What was got from the place is not closed with it; but
// nobody can be asked about any more, and everybody is called alive.
func (p *Place) Close() error {
	if p.closed.Swap(true) {
		return os.ErrClosed
	}
	return p.dir.letGo()
}

// Key tells places apart: it is the same for everybody who sees the same folder,
// as long as the machine runs. Who shares a descriptor must find the same one, or
// he does not see the bells of the others; so it belongs into the memory.
func (p *Place) Key() ([2]uint64, error) { return p.dir.key, nil }

func (p *Place) bell(id ID) string { return p.prefix + hex.EncodeToString(id[:]) + bellEnd }

// Life is the membership of one member of this process: while it is held, and not
// longer than the process lives, the member is Alive. Its bell is rung by others.
type Life struct {
	*bell.Bell
	place *Place
	name  string
}

// Join makes id alive, with a bell. One member may be in any number of segments of
// one place.
func (p *Place) Join(id ID) (*Life, error) {
	l := &Life{place: p, name: p.bell(id)}
	err := p.with(func(dir int) (err error) {
		l.Bell, err = bell.Hang(dir, l.name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Leave ends the membership. Whatever memory names the member must have been
// cleared of it before.
func (l *Life) Leave() error {
	l.place.with(func(dir int) error { return unix.Unlinkat(dir, l.name, 0) })
	return l.Bell.Close()
}

// Alive reports whether the member id lives. When that cannot be known it says yes.
func (p *Place) Alive(id ID) bool {
	alive := true
	p.with(func(dir int) error {
		alive = bell.Alive(dir, p.bell(id))
		return nil
	})
	return alive
}

// Reach returns what rings the bell of id. bell.ErrGone if it does not live.
func (p *Place) Reach(id ID) (r *bell.Ringer, err error) {
	err = p.with(func(dir int) (err error) {
		r, err = bell.Reach(dir, p.bell(id))
		return err
	})
	return r, err
}

// Forget removes the bell that the dead member id has left. Of a living one it
// removes nothing.
func (p *Place) Forget(id ID) {
	p.with(func(dir int) error {
		if name := p.bell(id); !bell.Alive(dir, name) {
			unix.Unlinkat(dir, name, 0)
		}
		return nil
	})
}

// List returns the names of the segments in the folder of this user, in no order.
func List() ([]string, error) {
	dir, err := own()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, because(err, dir)
	}
	var names []string
	for _, e := range entries {
		file, ok := strings.CutSuffix(e.Name(), ".seg")
		name, is := unescape(file)
		if !ok || !is || !e.IsDir() {
			continue
		}
		// Who was killed between removing a segment and its folder has left the folder.
		if in, err := inside(unix.AT_FDCWD, filepath.Join(dir, e.Name())); err == nil && len(in) > 0 {
			names = append(names, name)
		}
	}
	return names, nil
}
