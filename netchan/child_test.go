package netchan_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/apart"
	"github.com/handoff-go/handoff/internal/testproc"
)

// childEnv names what the test binary does instead of testing.
const childEnv = testproc.Role

// roles are what a child can be. It is given the path of the socket, says
// "ready" on its output when it is in place, and lives until its input ends.
var roles = map[string]func(path string){
	"home": func(path string) {
		l, err := hub.ListenUnix(path)
		must(err)
		h := hub.New(plenty)
		go h.Serve(l)
	},
	"fifo": func(path string) {
		l, err := hub.ListenPipe(path)
		must(err)
		go hub.New(plenty).Serve(l)
	},
	// parent home serves two clients over pipes it inherited.
	"parent home": func(string) {
		h := hub.New(plenty)
		for _, fd := range []uintptr{3, 5} {
			conn, err := hub.PipeConn(os.NewFile(fd, "in"), os.NewFile(fd+1, "out"))
			must(err)
			go h.ServeConn(conn)
		}
	},
	"holder": func(path string) {
		e := mustOpen(path)
		p := e.take(1)
		<-p.done
		must(p.Err)
	},
	// parent leaves its connection to a child of its own.
	"parent": func(path string) {
		e := mustOpen(path)
		p := e.take(1)
		<-p.done
		must(p.Err)
		heir := exec.Command(os.Args[0])
		heir.Env = append(os.Environ(), childEnv+"=heir")
		heir.Stdin = os.Stdin
		heir.ExtraFiles = connections()
		must(heir.Start())
	},
	"heir": func(string) {},
	// receiver is the child of a crew.
	"receiver": func(at string) {
		_, err := tryOpen(at, "keep", both) // and with it the link
		must(err)
		apart.Receive(func(name string) string { return urlOf(at, name) })
	},
}

func TestMain(m *testing.M) { testproc.Main(m, roles) }

// say writes a line in one piece, so that a killed process leaves whole lines.
func say(format string, args ...any) { os.Stdout.WriteString(fmt.Sprintf(format, args...) + "\n") }

func must(err error) { testproc.Must(err) }

func mustOpen(path string) end {
	e, err := tryOpen(path, "jobs", both)
	must(err)
	return e
}

// connections are the sockets and pipes of this process, but for the standard
// ones.
func connections() (files []*os.File) {
	entries, err := os.ReadDir("/proc/self/fd")
	must(err)
	for _, entry := range entries {
		var fd uintptr
		fmt.Sscan(entry.Name(), &fd)
		info, err := os.Stat("/proc/self/fd/" + entry.Name())
		if err == nil && fd > 2 && info.Mode()&(os.ModeSocket|os.ModeNamedPipe) != 0 {
			files = append(files, os.NewFile(fd, entry.Name()))
		}
	}
	return files
}

// spawn starts a child, which inherits files from 3 on. Whoever calls ends it.
func spawn(t testing.TB, role, path string, files ...*os.File) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader) {
	t.Helper()
	return testproc.Spawn(t, role, path, testproc.Options{Files: files})
}

// child is spawn of one that ends with the test, once it is ready.
func child(t testing.TB, role, path string, files ...*os.File) *exec.Cmd {
	t.Helper()
	return testproc.Child(t, role, path, testproc.Options{Files: files})
}

// kill ends a child as nobody can prevent, and waits until the system has it no
// more.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	testproc.Kill(t, cmd)
}
