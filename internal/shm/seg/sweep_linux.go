package seg

import (
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/shm/bell"
)

const (
	bellEnd   = ".bell"
	makingEnd = ".new"
	memEnd    = ".mem"
)

// ours is what follows the prefix in the names that a sweep may remove.
var ours = regexp.MustCompile(`^[0-9a-f]{32}(\.bell|\.bell\.new|\.new)$`)

// sweepEvery bounds how often one process sweeps one folder: a program that makes
// a thousand channels does not look at a thousand bells for each.
const sweepEvery = 10 * time.Second

var swept struct {
	sync.Mutex // guards last
	last       map[string]time.Time
}

// due reports whether the place is to be swept now, of what is meant.
func (p *Place) due(what string, now time.Time) bool {
	key := what + " " + p.dir.Name() + "/" + p.prefix
	swept.Lock()
	defer swept.Unlock()
	for k, at := range swept.last {
		if now.Sub(at) >= sweepEvery {
			delete(swept.last, k)
		}
	}
	if _, recent := swept.last[key]; recent {
		return false
	}
	if swept.last == nil {
		swept.last = map[string]time.Time{}
	}
	swept.last[key] = now
	return true
}

// othersMost bounds how many segments Others returns.
const othersMost = 32

// Others returns the names of some other segments in the folder of the user, any of them, for whoever
// looks whether there are dead ones: few, and not often, so that it costs an Open little. In a folder
// that is not the user's own nobody looks.
func (p *Place) Others() []Where {
	if p.where.Name == "" || !p.due("others", time.Now()) {
		return nil
	}
	names, err := List()
	if err != nil {
		return nil
	}
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var others []Where
	for _, name := range names[:min(len(names), othersMost)] {
		if name != p.where.Name {
			others = append(others, Where{Name: name})
		}
	}
	return others
}

// sweep removes what the dead have left: their bells, and what they were making.
//
// Everything is removed by its path. What somebody makes is locked before it gets
// the name by which it is used, and that is another name; so a sweeper that is slow
// removes nothing that is in use, and a maker whose work was swept away notices.
func (p *Place) sweep() {
	entries, err := os.ReadDir(p.dir.Name())
	if err != nil {
		return
	}
	p.with(func(dir int) error {
		for _, e := range entries {
			rest, ok := strings.CutPrefix(e.Name(), p.prefix)
			if !ok || !ours.MatchString(rest) {
				continue
			}
			if !strings.HasSuffix(rest, bellEnd) && !strings.HasSuffix(rest, bellEnd+bell.Making) {
				sweepMaking(dir, e.Name())
			} else if !bell.Alive(dir, e.Name()) {
				unix.Unlinkat(dir, e.Name(), 0)
			}
		}
		return nil
	})
}

// sweepMaking removes a segment that was never finished, if its maker is dead.
func sweepMaking(dir int, name string) {
	files, err := inside(dir, name)
	if err != nil {
		return
	}
	for _, f := range files {
		if !sweepFile(dir, name+"/"+f) {
			return
		}
	}
	unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
}

// sweepFile removes a file that nobody has the lock of. It takes the lock itself:
// the system finds the folder of a path before it removes the file, and somebody
// could rename the folder in between. Who has the lock before it is renamed keeps
// it until it is, and then this path leads nowhere.
func sweepFile(dir int, path string) bool {
	fd, err := unix.Openat(dir, path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return bell.Lock(fd) == nil && unix.Unlinkat(dir, path, 0) == nil
}

// inside returns the names in a folder, three at most: a segment has one.
func inside(dir int, name string) ([]string, error) {
	fd, err := openDir(dir, name)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	if err := private(fd, name); err != nil {
		return nil, err
	}
	names, _ := f.Readdirnames(3) // the error is the end
	return names, nil
}
