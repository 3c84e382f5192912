package seg

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// folder is an open folder, one for all places in it: a program may have ten
// thousand channels, and not so many descriptors.
type folder struct {
	*os.File
	key  [2]uint64 // device and inode
	refs int       // places, guarded by folders
}

var folders struct {
	sync.Mutex // guards open and the refs of each
	open       map[[2]uint64]*folder
}

// enter opens the folder at path, or shares it with who has.
func enter(path string) (*folder, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, because(err, path)
	}
	var st unix.Stat_t
	err = fit(fd, path)
	if err == nil {
		err = because(unix.Fstat(fd, &st), path)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	key := [2]uint64{uint64(st.Dev), st.Ino}
	folders.Lock()
	defer folders.Unlock()
	f := folders.open[key]
	if f != nil {
		unix.Close(fd)
	} else {
		f = &folder{File: os.NewFile(uintptr(fd), path), key: key}
		if folders.open == nil {
			folders.open = map[[2]uint64]*folder{}
		}
		folders.open[key] = f
	}
	f.refs++
	return f, nil
}

// letGo is the end of one use.
func (f *folder) letGo() error {
	folders.Lock()
	defer folders.Unlock()
	if f.refs--; f.refs > 0 {
		return nil
	}
	delete(folders.open, f.key)
	return f.File.Close()
}
