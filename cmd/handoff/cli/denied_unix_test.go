//go:build unix

package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user of no name, who owns nothing.
const nobody = 65534

// denied reports whether this user can be denied anything. For root, who cannot,
// it runs the test again as another user, in a process of its own, and reports
// false: that was the test.
func denied(t *testing.T) bool {
	t.Helper()
	if os.Getuid() != 0 {
		return true
	}
	// That user enters neither the folder of the test binary nor those of root's
	// tests.
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, room := filepath.Join(dir, "test"), filepath.Join(dir, "room")
	for _, err := range []error{
		os.Chmod(dir, 0o755), link(exe, program), os.Mkdir(room, 0o700), os.Chown(room, nobody, nobody),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Dir, cmd.Env = room, append(os.Environ(), "TMPDIR="+room, "HOME="+room)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("this root may not be anybody else: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as another user: %v\n%s", err, out)
	}
	return false
}

// link has the file be at another path too, or a copy of it.
func link(file, path string) error {
	if os.Link(file, path) == nil {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o755)
}
