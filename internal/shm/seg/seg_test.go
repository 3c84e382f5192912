//go:build linux

package seg

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

const size = 1 << 16

// somewhere is a place of the test's own.
func somewhere(t testing.TB) Where {
	t.Helper()
	return Where{Path: filepath.Join(t.TempDir(), "s")}
}

func at(t testing.TB, w Where) *Place {
	t.Helper()
	p, err := At(w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// with returns a Maker that writes n at both ends of the memory.
func with(n uint64) Maker {
	return func(mem []byte) error {
		binary.NativeEndian.PutUint64(mem, n)
		binary.NativeEndian.PutUint64(mem[len(mem)-8:], n)
		return nil
	}
}

func number(t testing.TB, s *Segment) uint64 {
	t.Helper()
	mem := s.Bytes()
	n := binary.NativeEndian.Uint64(mem)
	if m := binary.NativeEndian.Uint64(mem[len(mem)-8:]); m != n {
		t.Fatalf("a half-made segment was found: %d at one end and %d at the other", n, m)
	}
	return n
}

func opened(t testing.TB, p *Place, make Maker) (*Segment, bool) {
	t.Helper()
	s, made, err := p.Open(context.Background(), size, make)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, made
}

func id(n byte) ID { return ID{0: n, 15: n} }

func TestTheSecondOpensWhatTheFirstMade(t *testing.T) {
	p := at(t, somewhere(t))
	if _, _, err := p.Open(context.Background(), 0, nil); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("nothing is there: %v", err)
	}
	a, made := opened(t, p, with(1))
	b, again := opened(t, p, with(2))
	if !made || again || number(t, a) != 1 || number(t, b) != 1 {
		t.Fatalf("made %v, %v", made, again)
	}
	a.Bytes()[100] = 77
	if b.Bytes()[100] != 77 || len(b.Bytes()) != size {
		t.Fatal("they do not share memory")
	}
}

// Removing a segment late, or twice, does nothing to its successor.
func TestRemoveTouchesNoSuccessor(t *testing.T) {
	p := at(t, somewhere(t))
	a, _ := opened(t, p, with(1))
	if err := a.Remove(); err != nil || a.Named() {
		t.Fatal(err, a.Named())
	}
	b, made := opened(t, p, with(2))
	if !made || !b.Named() {
		t.Fatal("no successor was made")
	}
	for range 2 {
		if err := a.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	c, made := opened(t, p, nil)
	if made || number(t, c) != 2 || number(t, a) != 1 {
		t.Fatal("the successor was removed")
	}
	b.Remove()
	if _, err := os.Stat(p.where.Path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("left over: %v", err)
	}
}

func TestNamesAreInTheFolderOfTheUser(t *testing.T) {
	name := "a test/ü." + random()
	p := at(t, Where{Name: name})
	s, _ := opened(t, p, with(1))
	defer s.Remove()
	info, err := os.Stat(p.dir.Name())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatal(info, err)
	}
	info, err = os.Stat(filepath.Join(p.dir.Name(), s.file))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	listed := func() bool {
		names, err := List()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
	if !listed() {
		t.Fatal("it is not listed")
	}
	s.Remove()
	if listed() {
		t.Fatal("it is listed, and was removed")
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		url  string
		want Where
		bad  string // what the error says
	}{
		{"shm:jobs", Where{Name: "jobs"}, ""},
		{"shm:jobs?slots=3", Where{Name: "jobs"}, ""},
		{"shm:a%2Fb", Where{Name: "a/b"}, ""},
		{"shm:..", Where{Name: ".."}, ""}, // escaped, as any other
		{"shm:/tmp/x/../y", Where{Path: "/tmp/y"}, ""},
		{"shm:///tmp/y", Where{Path: "/tmp/y"}, ""},
		{"shm:fd=3", Where{FD: 3}, ""},
		{"shm:", Where{}, "no segment is named"},
		{"shm:/", Where{}, "no segment is named"},
		{"shm://host/x", Where{}, "no host"},
		{"shm:fd=-1", Where{}, "fd="},
		{"shm:fd=03", Where{}, "fd="},
		{"shm:fd=x", Where{}, "fd="},
		{"shm:" + strings.Repeat("x", maxName+1), Where{}, "bytes"},
		{"shm:" + strings.Repeat("%20", maxName/3+1), Where{}, "bytes"},
		{"shm:/tmp/" + strings.Repeat("x", maxName+1), Where{}, "bytes"},
		{"shm:/tmp/x%00y", Where{}, "NUL"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(u)
		if c.bad == "" && (err != nil || got != c.want) {
			t.Errorf("%s: %+v, %v", c.url, got, err)
		}
		if c.bad != "" && (!errors.Is(err, fault.ErrConflict) || !strings.Contains(err.Error(), c.bad)) {
			t.Errorf("%s: %+v, %v, want one that says %q", c.url, got, err, c.bad)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, name := range []string{"jobs", ".", "..", "a/b", "ü", "%41", "\x00", "A.b_c-d"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		file := escape(name)
		if strings.ContainsAny(file, "/\x00") || strings.HasPrefix(file, ".") {
			t.Fatalf("%q is called %q", name, file)
		}
		if back, ok := unescape(file); name != "" && (!ok || back != name) {
			t.Fatalf("%q is called %q, which is %q (%v)", name, file, back, ok)
		}
	})
}

func TestMembersLiveFromJoinToLeave(t *testing.T) {
	p := at(t, somewhere(t))
	if p.Alive(id(1)) {
		t.Fatal("who never joined is alive")
	}
	l, err := p.Join(id(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Join(id(1)); !errors.Is(err, fault.ErrConflict) {
		t.Fatalf("a second member of one name: %v", err)
	}
	p.Forget(id(1)) // does nothing to the living
	if !p.Alive(id(1)) || !l.Hung() {
		t.Fatal("a member is not alive")
	}
	r, err := p.Reach(id(1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := l.Leave(); err != nil {
		t.Fatal(err)
	}
	<-r.Gone()
	if p.Alive(id(1)) || r.Alive() {
		t.Fatal("who has left is alive")
	}
	if names, _ := os.ReadDir(p.dir.Name()); len(names) != 0 {
		t.Fatalf("left over: %v", names)
	}
}

func TestADescriptorIsShared(t *testing.T) {
	f, err := Memory(size, with(5))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(0); !errors.Is(err, unix.EPERM) {
		t.Fatalf("it can be cut off: %v", err)
	}
	p := at(t, Where{FD: int(f.Fd())})
	a, made := opened(t, p, with(6))
	b, _ := opened(t, p, nil)
	if made || number(t, a) != 5 {
		t.Fatal("it was made again")
	}
	a.Bytes()[9] = 1
	if b.Bytes()[9] != 1 || a.Remove() != nil || !a.Named() {
		t.Fatal("it is not shared")
	}
	named, err := at(t, Where{Name: "x"}).Key()
	if mine, err2 := p.Key(); err != nil || err2 != nil || named != mine {
		t.Fatal("descriptors and names have different places", named, mine, err, err2)
	}
}

// A sweep takes what is just being made for something left, until it is locked.
// Whoever makes it notices, and what is in use is never removed.
func TestASweepRemovesNothingInUse(t *testing.T) {
	w := somewhere(t)
	p, sweeper := at(t, w), at(t, w)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					sweeper.sweep()
				}
			}
		})
	}
	again := 0
	for i := range uint64(500) {
		s, made, err := p.Open(context.Background(), size, func(mem []byte) error {
			again++
			return with(i)(mem)
		})
		if err != nil || !made || !s.Named() {
			t.Fatal(err, made)
		}
		same, _, err := p.Open(context.Background(), size, nil)
		if err != nil || number(t, same) != i {
			t.Fatal("in use, and not found", err)
		}
		same.Close()
		var who ID
		rand.Read(who[:])
		l, err := p.Join(who)
		if err != nil || !p.Alive(who) || !l.Hung() {
			t.Fatal("a member was swept away", err)
		}
		l.Leave()
		s.Remove()
		s.Close()
	}
	close(stop)
	all.Wait()
	t.Logf("500 segments were made in %d attempts", again)
	if names, _ := os.ReadDir(p.dir.Name()); len(names) != 0 {
		t.Errorf("left over: %v", names)
	}
}

// All places in one folder have one descriptor of it, until the last is closed.
func TestPlacesShareTheirFolder(t *testing.T) {
	w := somewhere(t)
	descriptors := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(names)
	}
	before := descriptors()
	var all []*Place
	for range 100 {
		p, err := At(w)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if n := descriptors() - before; n > 10 {
		t.Errorf("100 places have %d descriptors", n)
	}
	for _, p := range all[1:] {
		p.Close()
	}
	if err := all[1].Close(); !errors.Is(err, os.ErrClosed) || !all[1].Alive(id(1)) {
		t.Errorf("a place that is closed: %v", err)
	}
	if all[0].Alive(id(1)) {
		t.Error("a place was closed with the others")
	}
	all[0].Close()
	if n := descriptors() - before; n > 0 {
		t.Errorf("%d descriptors are left", n)
	}
}
