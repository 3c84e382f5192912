//go:build linux

package seg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff/internal/fault"
)

// Tests that need other processes run the test binary again, as what roleVar says.
const (
	roleVar = "HANDOFF_SEG_ROLE"
	pathVar = "HANDOFF_SEG_PATH"
	stepVar = "HANDOFF_SEG_STEP" // point:signal, to send to itself there, once
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVar)
	if role == "" {
		os.Exit(m.Run())
	}
	if point, sig, ok := strings.Cut(os.Getenv(stepVar), ":"); ok {
		number, _ := strconv.Atoi(sig)
		done := false
		step = func(at string) {
			if at == point && !done {
				done = true
				// To this thread, which has it before it goes on. A stop of the process is for any of its
				// threads, and the others go on until that one has run.
				runtime.LockOSThread()
				unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.Signal(number))
				runtime.UnlockOSThread()
			}
		}
	}
	roles[role](Where{Path: os.Getenv(pathVar)})
	os.Exit(0)
}

var roles = map[string]func(Where){
	"maker":   maker,
	"remover": remover,
	"member":  member,
	"comer":   comer,
	"limited": limited,
	"heir":    heir,
	"sleeper": func(Where) { untilEnd() },
}

func fail(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}

// child is a process of a test.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Reader
	in  io.Closer // a child that waits does so until this is closed
}

func start(t *testing.T, role string, w Where, env ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"="+role, pathVar+"="+w.Path)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	return begun(t, cmd)
}

func begun(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	out, err := cmd.StdoutPipe()
	in, err2 := cmd.StdinPipe()
	if err := errors.Join(err, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c := &child{t, cmd, bufio.NewReader(out), in}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGKILL)
		c.end()
	})
	return c
}

// said returns the next line of the child, "" when it has ended.
func (c *child) said() string {
	line, _ := c.out.ReadString('\n')
	return strings.TrimSuffix(line, "\n")
}

// end waits for the child.
func (c *child) end() error {
	c.in.Close()
	return c.cmd.Wait()
}

// stopped waits until the child has stopped itself.
func (c *child) stopped() {
	c.t.Helper()
	var status unix.WaitStatus
	if _, err := unix.Wait4(c.cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		c.t.Fatalf("the child has not stopped: %v, %v", status, err)
	}
}

// untilEnd waits until the test wants the child to end.
func untilEnd() { io.Copy(io.Discard, os.Stdin) }

// maker opens or makes the segment and says which.
func maker(w Where) {
	p, s, made, err := Open(context.Background(), w, size, with(1))
	if err != nil {
		fail("%v", err)
	}
	defer p.Close()
	fmt.Println("made", made, word(s.Bytes(), 0).Load())
}

// remover removes the segment.
func remover(w Where) {
	_, s, _, err := Open(context.Background(), w, size, nil)
	if err != nil {
		fail("%v", err)
	}
	if err := s.Remove(); err != nil {
		fail("%v", err)
	}
	fmt.Println("removed", s.Named())
}

var points = []string{"folder", "file", "locked", "reserved", "filled", "published"}

// Whoever makes a segment is killed at each step. The next one finds nothing or a
// whole one, and removes what was left.
func TestAMakerMayDieAnywhere(t *testing.T) {
	for _, point := range points {
		w := somewhere(t)
		c := start(t, "maker", w, stepVar+"="+point+":9")
		if said := c.said(); said != "" {
			t.Fatalf("killed when %s, it said %s", point, said)
		}
		c.end()
		p := at(t, w)
		s, made := opened(t, p, with(2))
		if published := point == "published"; made == published || number(t, s) != map[bool]uint64{true: 1, false: 2}[published] {
			t.Errorf("killed when %s: made %v, found %d", point, made, number(t, s))
		}
		if names, _ := os.ReadDir(p.dir.Name()); len(names) != 1 {
			t.Errorf("killed when %s, left over: %v", point, names)
		}
	}
}

// Whoever makes a segment is stopped at each step. Others do not wait for it, and
// when it goes on it finds theirs.
func TestAMakerMayStopAnywhere(t *testing.T) {
	for _, point := range points {
		w := somewhere(t)
		c := start(t, "maker", w, stepVar+"="+point+":19")
		c.stopped()
		p := at(t, w)
		s, made := opened(t, p, with(2))
		want := uint64(2)
		if point == "published" {
			want = 1
		}
		if made == (want == 1) || number(t, s) != want {
			t.Errorf("stopped when %s: made %v, found %d", point, made, number(t, s))
		}
		c.cmd.Process.Signal(syscall.SIGCONT)
		if said := c.said(); said != fmt.Sprintf("made %v %d", want == 1, want) {
			t.Errorf("stopped when %s, it went on to say %q", point, said)
		}
		c.end()
		if names, _ := os.ReadDir(p.dir.Name()); len(names) != 1 {
			t.Errorf("stopped when %s, left over: %v", point, names)
		}
	}
}

// Whoever removes a segment is killed, or is stopped and goes on when there is a
// successor.
func TestARemoverMayDieOrStopAnywhere(t *testing.T) {
	for _, point := range []string{"found", "unlinked"} {
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
			w := somewhere(t)
			p := at(t, w)
			opened(t, p, with(1))
			c := start(t, "remover", w, fmt.Sprintf("%s=%s:%d", stepVar, point, sig))
			if sig == syscall.SIGSTOP {
				c.stopped()
			} else {
				c.said()
			}
			s, made := opened(t, p, with(2))
			if !made { // it had not removed it yet
				s.Remove()
				if s, made = opened(t, p, with(2)); !made {
					t.Fatal("a removed segment is found")
				}
			}
			c.cmd.Process.Signal(syscall.SIGCONT)
			said := c.said()
			c.end()
			// It may have found the old one, which is gone, or the new one, and that
			// it is allowed to remove; but never one and removed the other.
			if sig == syscall.SIGSTOP && point == "unlinked" && (said != "removed false" || !s.Named()) {
				t.Errorf("stopped when %s: %q, and the successor is there: %v", point, said, s.Named())
			}
			if again, made := opened(t, p, with(3)); made == s.Named() || made && number(t, again) != 3 {
				t.Errorf("%v when %s: made again %v", sig, point, made)
			}
		}
	}
}

// limited may write files of 4 pages.
func limited(w Where) {
	limit := uint64(4 * os.Getpagesize())
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		fail("%v", err)
	}
	if _, _, _, err := Open(context.Background(), w, int64(limit)*2, with(1)); !errors.Is(err, fault.ErrFull) {
		fail("%v", err)
	}
	if _, _, _, err := Open(context.Background(), w, int64(limit), with(1)); err != nil {
		fail("%v", err)
	}
	fmt.Println("ok")
}

func TestALimitOfTheProcessIsAnError(t *testing.T) {
	c := start(t, "limited", somewhere(t))
	if said := c.said(); said != "ok" {
		t.Fatal(said)
	}
}

// heir opens descriptor 3.
func heir(Where) {
	_, s, _, err := Open(context.Background(), Where{FD: 3}, 0, nil)
	if err != nil {
		fail("%v", err)
	}
	word(s.Bytes(), 1).Store(99)
	fmt.Println("ok")
}

func TestAChildInheritsMemory(t *testing.T) {
	f, err := Memory(size, with(5))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, _ := opened(t, at(t, Where{FD: int(f.Fd())}), nil)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=heir")
	cmd.ExtraFiles = []*os.File{f}
	if said := begun(t, cmd).said(); said != "ok" || word(s.Bytes(), 1).Load() != 99 {
		t.Fatalf("%q, and it wrote %d", said, word(s.Bytes(), 1).Load())
	}
}

// member is alive until the test ends it.
func member(w Where) {
	p, err := At(w)
	if err != nil {
		fail("%v", err)
	}
	l, err := p.Join(id(1))
	if err != nil {
		fail("%v", err)
	}
	// What it starts outlives it, and does not inherit its life.
	sleeper := exec.Command(os.Args[0])
	sleeper.Env = append(os.Environ(), roleVar+"=sleeper")
	sleeper.Stdin = os.Stdin
	if err := sleeper.Start(); err != nil {
		fail("%v", err)
	}
	fmt.Println("joined")
	untilEnd()
	l.Leave()
}

func TestDeathIsSeenAndLeavesNothing(t *testing.T) {
	w := somewhere(t)
	p := at(t, w)
	c := start(t, "member", w)
	if said := c.said(); said != "joined" {
		t.Fatal(said)
	}
	r, err := p.Reach(id(1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	gone := r.Gone()
	c.cmd.Process.Signal(syscall.SIGSTOP)
	c.stopped()
	select {
	case <-gone:
		t.Fatal("a stopped member is told gone")
	case <-time.After(10 * time.Millisecond):
	}
	if !p.Alive(id(1)) || !r.Alive() {
		t.Fatal("a stopped member is dead")
	}
	c.cmd.Process.Signal(syscall.SIGKILL)
	<-gone
	// Not reaped yet: a zombie is dead, and whoever is told finds the lock free.
	if r.Alive() || p.Alive(id(1)) {
		t.Fatal("told gone, and still alive")
	}
	opened(t, p, with(1)) // sweeps
	if names, _ := os.ReadDir(p.dir.Name()); len(names) != 1 {
		t.Fatalf("left over: %v", names)
	}
}
