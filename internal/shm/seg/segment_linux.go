package seg

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"regexp"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/shm/bell"
)

// Segment is memory that other processes have mapped, too.
type Segment struct {
	place *Place
	mem   []byte
	file  string // in the folder of the place, "" for a descriptor
	once  sync.Once
}

// Bytes returns the memory. It begins at a page, and is not to be touched after
// Close.
func (s *Segment) Bytes() []byte { return s.mem }

// Place returns where the segment is.
func (s *Segment) Place() *Place { return s.place }

// Close unmaps the memory. Nobody may be using it any more.
func (s *Segment) Close() (err error) {
	s.once.Do(func() { err = unix.Munmap(s.mem) })
	return err
}

// Remove takes the segment's name away, so that the next Open makes another. Who
// has it mapped keeps it. It may be called by anybody at any time, also late and
// more than once: the name of a successor is not touched. A descriptor has no name.
func (s *Segment) Remove() error {
	if s.file == "" {
		return nil
	}
	err := s.place.with(func(dir int) error {
		err := unix.Unlinkat(dir, s.file, 0)
		step("unlinked")
		unix.Unlinkat(dir, s.place.seg, unix.AT_REMOVEDIR) // fails if there is a successor in it
		if err == unix.ENOENT {
			err = nil
		}
		return because(err, s.file)
	})
	if s.place.where.Path != "" { // in the folder of the user whoever makes the next one does it
		s.place.sweep() // of a maker who was killed when this segment was there already
	}
	return err
}

// Named reports whether the segment is still what is found under its name. One
// that is not, is one nobody else will find.
func (s *Segment) Named() bool {
	return s.file == "" || s.place.with(func(dir int) error {
		var st unix.Stat_t
		return unix.Fstatat(dir, s.file, &st, unix.AT_SYMLINK_NOFOLLOW)
	}) == nil
}

// What happened to a segment between two looks at it.
var (
	errVanished = errors.New("it was removed meanwhile")
	errLost     = errors.New("somebody else made it first")
)

// Open maps the segment of the place. If there is none it makes one of size bytes,
// a multiple of the page size, which make fills; made is true then. If make is nil
// it has to be there: ErrNotFound.
//
// It does not wait for anybody. ctx bounds how often it loses races.
func (p *Place) Open(ctx context.Context, size int64, make Maker) (s *Segment, made bool, err error) {
	if p.seg == "" {
		s, err = p.inherit()
		return s, false, err
	}
	if make != nil && p.due("bells", time.Now()) {
		p.sweep()
	}
	err = p.with(func(dir int) error {
		for ctx.Err() == nil {
			s, err = p.find(dir)
			if err == nil || errors.Is(err, errVanished) {
				if s != nil {
					return nil
				}
				continue
			}
			if !errors.Is(err, fault.ErrNotFound) || make == nil {
				return err
			}
			s, err = p.create(dir, size, make)
			if made = err == nil; made {
				return nil
			}
			if !errors.Is(err, errLost) && !p.taken(dir) {
				return err
			}
		}
		return fault.Cancelled(ctx)
	})
	return s, made, err
}

// taken reports whether the name leads to a segment now: then it does not matter
// why another could not be made.
func (p *Place) taken(dir int) bool {
	names, err := inside(dir, p.seg)
	return err == nil && len(names) > 0
}

var isMem = regexp.MustCompile(`^[0-9a-f]{32}\.mem$`)

// find maps what has the segment's name. ErrNotFound if nothing has; an empty
// folder is nothing.
func (p *Place) find(dir int) (*Segment, error) {
	names, err := inside(dir, p.seg)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fault.Because(fault.ErrNotFound, "%s is empty", p.seg)
	}
	if len(names) > 1 || !isMem.MatchString(names[0]) {
		return nil, fault.Because(fault.ErrConflict, "%s is no segment: there is %s in it", p.where, names[0])
	}
	file := p.seg + "/" + names[0]
	step("found")
	fd, err := unix.Openat(dir, file, unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
	case unix.ENOENT, unix.EINTR:
		return nil, errVanished
	case unix.ELOOP:
		return nil, fault.Because(fault.ErrConflict, "%s is a symbolic link, which is not followed", file)
	default:
		return nil, because(err, file)
	}
	defer unix.Close(fd)
	if err := private(fd, file); err != nil {
		return nil, err
	}
	mem, err := mapFile(fd, file)
	if err != nil {
		return nil, err
	}
	return &Segment{place: p, mem: mem, file: file}, nil
}

// mapFile maps all of fd, once it is known that all of it is there.
func mapFile(fd int, name string) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, because(err, name)
	}
	page := int64(os.Getpagesize())
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, fault.Because(fault.ErrConflict, "%s is no regular file", name)
	case st.Size < page || st.Size%page != 0:
		return nil, fault.Because(fault.ErrConflict, "%s has %d bytes, which is no number of pages: it is no segment, or was truncated", name, st.Size)
	case st.Size > math.MaxInt:
		return nil, fault.Because(fault.ErrTooLarge, "%s has %d bytes, more than this process can address", name, st.Size)
	}
	if st.Blocks*512 < st.Size { // there are holes: somebody has copied it
		if err := reserve(fd, st.Size, name); err != nil {
			return nil, err
		}
	}
	mem, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return mem, because(err, name)
}

// reserve gives the file fd so much of its memory. Without that a full file system
// would be noticed by a SIGBUS.
func reserve(fd int, size int64, name string) error {
	if err := allowed(size, name); err != nil {
		return err
	}
	for {
		switch err := unix.Fallocate(fd, 0, 0, size); err {
		case nil:
			return nil
		case unix.EINTR:
		case unix.ENOSPC, unix.EDQUOT:
			return fault.Because(fault.ErrFull, "%s needs %d bytes, and its file system has not so many left", name, size)
		default:
			return because(err, name)
		}
	}
}

// allowed says whether this process may have so large a file. If it may not, the system
// would not only say no, but end the process.
func allowed(size int64, name string) error {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_FSIZE, &limit) == nil && limit.Cur < uint64(size) {
		return fault.Because(fault.ErrFull, "%s needs %d bytes, and RLIMIT_FSIZE allows %d", name, size, limit.Cur)
	}
	return nil
}

// create makes a segment and puts it in its place. errLost if somebody else was
// first, or took it for one of the dead.
func (p *Place) create(dir int, size int64, make Maker) (*Segment, error) {
	if page := int64(os.Getpagesize()); size < page || size%page != 0 || size > math.MaxInt {
		return nil, fault.Because(fault.ErrConflict, "a segment of %d bytes", size)
	}
	mem := random() + memEnd
	temp := p.prefix + random() + makingEnd
	fd, err := begin(dir, temp, mem)
	if err != nil {
		return nil, err
	}
	defer func() {
		bell.Unlock(fd) // else the mapping would keep the lock
		unix.Close(fd)
	}()
	s := &Segment{place: p, file: p.seg + "/" + mem}
	err = s.fill(fd, size, make)
	if err == nil {
		err = p.publish(dir, fd, temp, s.file)
	}
	if err != nil {
		if s.mem != nil {
			s.Close()
		}
		unix.Unlinkat(dir, temp+"/"+mem, 0)
		unix.Unlinkat(dir, temp, unix.AT_REMOVEDIR)
		return nil, err
	}
	return s, nil
}

func random() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// begin makes the folder and the file of a new segment, locked.
func begin(dir int, temp, mem string) (int, error) {
	if err := unix.Mkdirat(dir, temp, 0o700); err != nil {
		return -1, because(err, temp)
	}
	step("folder")
	fd, err := unix.Openat(dir, temp+"/"+mem, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		unix.Unlinkat(dir, temp, unix.AT_REMOVEDIR)
		if err == unix.ENOENT {
			return -1, errLost // swept away
		}
		return -1, because(err, temp)
	}
	step("file")
	switch err := bell.Lock(fd); err {
	case nil:
	case unix.EAGAIN, unix.EACCES: // it is being swept away
		unix.Close(fd)
		return -1, errLost
	default:
		unix.Close(fd)
		return -1, because(err, temp)
	}
	step("locked")
	return fd, nil
}

// fill reserves the memory of s, maps it and has it filled.
func (s *Segment) fill(fd int, size int64, make Maker) (err error) {
	if err = reserve(fd, size, s.place.where.String()); err != nil {
		return err
	}
	step("reserved")
	if s.mem, err = mapFile(fd, s.file); err != nil {
		return err
	}
	if err = make(s.mem); err == nil {
		step("filled")
	}
	return err
}

// publish gives the folder temp the segment's name, if nobody has it.
func (p *Place) publish(dir, fd int, temp, file string) error {
	switch err := unix.Renameat(dir, temp, dir, p.seg); err {
	case nil:
	case unix.ENOTEMPTY, unix.EEXIST, unix.ENOENT: // taken; or swept away
		return errLost
	case unix.ENOTDIR:
		return fault.Because(fault.ErrConflict, "%s is no segment", p.where)
	default:
		return because(err, p.seg)
	}
	step("published")
	// A sweeper may have removed the file before it was locked.
	var at, is unix.Stat_t
	if unix.Fstatat(dir, file, &at, unix.AT_SYMLINK_NOFOLLOW) != nil || unix.Fstat(fd, &is) != nil || at.Ino != is.Ino {
		return errLost
	}
	return nil
}
