//go:build linux

package bell

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Tests that need other processes run the test binary again, in the folder dirVar.
const dirVar = "HANDOFF_BELL_DIR"

func TestMain(m *testing.M) {
	path := os.Getenv(dirVar)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := ringers(path); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// ringers is the child: it hangs the bell "child" and answers each ring by one of
// "parent", until its input ends.
func ringers(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	b, err := Hang(fd, "child")
	if err != nil {
		return err
	}
	r, err := Reach(fd, "parent")
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		b.Close()
	}()
	fmt.Println("ready")
	for {
		if _, err := b.Wait(time.Time{}); errors.Is(err, os.ErrClosed) {
			return nil
		} else if err != nil {
			return err
		}
		if err := r.Ring(); err != nil {
			return err
		}
	}
}

type child struct {
	*exec.Cmd
	in io.Closer
}

func started(t *testing.T, path string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dirVar+"="+path)
	in, err := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGKILL)
		in.Close()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return &child{cmd, in}
}

// No ring is lost: who is rung answers, and the answer is heard.
func TestTwoProcessesRingEachOther(t *testing.T) {
	path, dir := folder(t)
	b := hung(t, dir, "parent")
	c := started(t, path)
	r := reached(t, dir, "child")
	for i := range 5000 {
		if err := r.Ring(); err != nil {
			t.Fatal(err)
		}
		rung, err := b.Wait(time.Now().Add(time.Minute))
		if !rung || err != nil {
			t.Fatalf("ring %d was not answered: %v", i, err)
		}
	}
	c.in.Close()
	<-r.Gone() // it has taken its bell down
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
}

// Who is killed is told gone at once, and then nobody has its lock; who is stopped is
// rung without waiting, is not told gone, and hears it later.
func TestKilledIsGoneAndStoppedIsNot(t *testing.T) {
	path, dir := folder(t)
	b := hung(t, dir, "parent")
	for range 20 {
		c := started(t, path)
		r := reached(t, dir, "child")
		gone := r.Gone()
		c.Process.Signal(syscall.SIGSTOP)
		var status unix.WaitStatus
		unix.Wait4(c.Process.Pid, &status, unix.WUNTRACED, nil)
		if !status.Stopped() {
			t.Fatal("it has not stopped")
		}
		if err := r.Ring(); err != nil {
			t.Fatal(err)
		}
		if rung, err := b.Wait(time.Now().Add(5 * time.Millisecond)); rung || err != nil || !Alive(dir, "child") {
			t.Fatalf("who is stopped has answered or is dead: %v, %v", rung, err)
		}
		select {
		case <-gone:
			t.Fatal("who is stopped is told gone")
		default:
		}
		c.Process.Signal(syscall.SIGCONT)
		if rung, err := b.Wait(time.Now().Add(time.Minute)); !rung || err != nil {
			t.Fatalf("a ring while it was stopped is lost: %v", err)
		}
		c.Process.Signal(syscall.SIGKILL)
		<-gone
		if r.Alive() || Alive(dir, "child") {
			t.Fatal("who was told gone has its lock")
		}
		if err := r.Ring(); !errors.Is(err, ErrGone) {
			t.Fatalf("a ring of the dead: %v", err)
		}
		r.Close()
		unix.Unlinkat(dir, "child", 0)
		c.Wait()
	}
}

// A thousand bells that are waited for, and as many that are watched, cost no
// threads.
func TestWaitsCostNoThreads(t *testing.T) {
	_, dir := folder(t)
	const many = 1000
	before := threads(t)
	var bells []*Bell
	var all sync.WaitGroup
	started := make(chan struct{}, many)
	heard := make(chan error, many)
	for i := range many {
		name := fmt.Sprint("b", i)
		b := hung(t, dir, name)
		reached(t, dir, name).Gone()
		bells = append(bells, b)
		all.Go(func() {
			started <- struct{}{}
			rung, err := b.Wait(time.Time{})
			if !rung {
				err = errors.Join(err, errors.New("not rung"))
			}
			heard <- err
		})
	}
	for range many {
		<-started
	}
	if now := threads(t); now > before+8 {
		t.Errorf("%d threads, and %d before %d waits began", now, before, many)
	}
	for i := range bells {
		if err := reached(t, dir, fmt.Sprint("b", i)).Ring(); err != nil {
			t.Fatal(err)
		}
	}
	for range many {
		if err := <-heard; err != nil {
			t.Fatal(err)
		}
	}
	if now := threads(t); now > before+8 {
		t.Errorf("%d threads, and %d before %d waits ended", now, before, many)
	}
	all.Wait()
}

func threads(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("it does not say how many threads there are: ", err)
	}
	_, rest, _ := strings.Cut(string(status), "Threads:")
	n := 0
	fmt.Sscan(rest, &n)
	return n
}
