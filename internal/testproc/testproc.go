// Package testproc runs parts of a test in processes of their own: the test binary once more, in
// another role. It is for tests only.
package testproc

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The environment of a child: what it is, and what it is given.
const (
	Role = "HANDOFF_TESTPROC_ROLE"
	Arg  = "HANDOFF_TESTPROC_ARG"
)

// IsChild reports whether this process is a child.
func IsChild() bool { return os.Getenv(Role) != "" }

// Main is what TestMain calls. In a child it plays the role, says "ready", and lives until its input ends.
func Main(m *testing.M, roles map[string]func(arg string)) {
	role := os.Getenv(Role)
	if role == "" {
		os.Exit(m.Run())
	}
	play := roles[role]
	if play == nil {
		fmt.Printf("there is no role %q\n", role)
		os.Exit(1)
	}
	play(os.Getenv(Arg))
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// Must ends a child with err, if that is one. Its output says why.
func Must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// Options are what a child has besides its role.
type Options struct {
	Env   []string
	Files []*os.File // inherited from descriptor 3 on
}

// Spawn starts a child. Whoever calls ends it.
func Spawn(t testing.TB, role, arg string, o Options) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), o.Env...), Role+"="+role, Arg+"="+arg)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = o.Files
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err = cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, out
}

// Child is Spawn of one that ends with the test, once it is ready.
func Child(t testing.TB, role, arg string, o Options) *exec.Cmd {
	t.Helper()
	cmd, _ := Talker(t, role, arg, o)
	return cmd
}

// Talker is Child, and what it says.
func Talker(t testing.TB, role, arg string, o Options) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd, in, out := Spawn(t, role, arg, o)
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		t.Fatalf("child %s: %q, %v", role, line, err)
	}
	return cmd, said
}

// Kill ends a child as nobody can prevent, and waits until the system has it no more.
func Kill(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Wait()
}
