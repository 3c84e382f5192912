package cli

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// prSetChildSubreaper makes this process the parent of orphans among its
// descendants.
const prSetChildSubreaper = 36

// A demo that is killed takes its workers with it, and they its files.
func TestDemoKilled(t *testing.T) {
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); e != 0 {
		t.Fatal(e)
	}
	defer syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 0, 0)
	for _, over := range testMedia() {
		t.Run(over, testDemoKilled)
	}
}

func testDemoKilled(t *testing.T) {
	_, over, _ := strings.Cut(t.Name(), "/")
	dir := tree(t, goFiles(400))
	empty := tempDir(t)
	cmd := binary(t, "demo", dir, "--over", over)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, out, "replaces worker")
	cmd.Process.Kill()
	cmd.Wait()
	for { // until there is no child: the workers have become ours
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	empty()
}
