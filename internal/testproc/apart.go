package testproc

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// apart is set in the environment of a process that Apart has started.
const apart = "HANDOFF_TESTPROC_APART"

// Apart runs the test that calls it in a process of its own, beside others that do so,
// and reports whether it has: then nothing is left to do here. A test that mostly waits
// costs no time beside another; one that measures its process, its memory, goroutines or
// processors, has it for itself all the same. It is called first. Where the binary writes
// a profile, the test runs here and now.
func Apart(t *testing.T) bool {
	if os.Getenv(apart) != "" || profiles() {
		return false
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], arguments(t.Name())...)
	cmd.Env = append(os.Environ(), apart+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		os.Stdout.Write(inner(t.Name(), out))
	}
	switch {
	case err != nil:
		t.Errorf("in a process of its own: %v", err)
	case !bytes.Contains(out, []byte("PASS\n")):
		t.Errorf("in a process of its own nothing was run:\n%s", out)
	}
	return true
}

// profiles reports whether go test wants something written of what runs in this process.
func profiles() bool {
	for _, name := range []string{"test.coverprofile", "test.cpuprofile", "test.memprofile", "test.blockprofile", "test.mutexprofile", "test.trace"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return true
		}
	}
	return false
}

// passed are the flags of go test that mean the same in a process for one test.
var passed = []string{"test.v", "test.short", "test.timeout", "test.skip", "test.failfast", "test.fullpath"}

// arguments are those of a process that runs the test called name, or what -run chooses
// of it, under the flags of this one.
func arguments(name string) []string {
	var run []string
	for part := range strings.SplitSeq(name, "/") {
		run = append(run, "^"+regexp.QuoteMeta(part)+"$")
	}
	var args []string
	flag.Visit(func(f *flag.Flag) {
		switch {
		case f.Name == "test.run":
			if parts := strings.Split(f.Value.String(), "/"); len(parts) > len(run) {
				run = append(run, parts[len(run):]...)
			}
		case !strings.HasPrefix(f.Name, "test.") || slices.Contains(passed, f.Name):
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	return append(args, "-test.run="+strings.Join(run, "/"))
}

// ends finds what a process says of the beginning or end of a test.
var ends = regexp.MustCompile(`^\s*(=== RUN  |--- PASS:|--- FAIL:) (\S+)`)

// inner is what of out is not said here as well: all but the beginning and the end of
// the process, of the test called name and of those it is part of.
func inner(name string, out []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(out) {
		s := strings.TrimSpace(strings.TrimPrefix(string(line), "\x16"))
		of := ends.FindStringSubmatch(s)
		if s == "PASS" || s == "FAIL" || of != nil && strings.HasPrefix(name+"/", of[2]+"/") {
			continue
		}
		kept = append(kept, line...)
	}
	return kept
}
