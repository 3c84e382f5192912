//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// seq are n lines, from 1.
func seq(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

func TestPipe(t *testing.T) {
	wants(t, codeDone, seq(100), "", seq(100), "pipe", "cat", "4: cat", "sort -n")
	wants(t, codeDone, "3\n", "", "a\nb\nc", "pipe", "wc -l | tr -d ' '")
	wants(t, codeDone, "a\x00b\x00", "", "a\x00b", "pipe", "-0", "cat", "1: cat")
	wants(t, codeDone, "y\n", "", "", "pipe", "while :; do echo y; done", "3: cat", "head -n 1")
	wants(t, codeDone, "", "", "", "pipe", "cat", "2: cat")
	noChildren(t)
}

func TestPipeFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "failed.txt")
	// A filter lists what it was given.
	code, out, errs := runIn(t.Context(), strings.NewReader(seq(3)), "pipe", "--failed", file, "cat", "1: cat; exit 3", "cat >/dev/null; exit 4")
	want := "handoff: stage 2 (cat; exit 3), replica 1: exit 3; it was given lines 1 to 3 of " + file + "\n" +
		"handoff: stage 3 (cat >/dev/null; exit 4), replica 1: exit 4; it was given lines 4 to 6 of " + file + "\n"
	if code != codeError || out != "" || errs != want {
		t.Errorf("code %d, out %q, err %q", code, out, errs)
	}
	checkFile(t, file, seq(3)+seq(3))
	// A crew lists what no run could do.
	code, out, errs = runIn(t.Context(), strings.NewReader(seq(9)), "pipe", "--exec", "--attempts", "2", "--failed", file, `3: [ "$1" != 5 ] && cat`, "sort")
	if code != codeError || out != strings.Replace(seq(9), "5\n", "", 1) || !strings.HasSuffix(errs, "1 run failed for good, the last by exit 1; it was given line 1 of "+file+"\n") {
		t.Errorf("code %d, out %q, err %q", code, out, errs)
	}
	checkFile(t, file, "5\n")
	checkOneLine(t, errs)
	// And the list may be empty, or not asked for.
	wants(t, codeDone, "1\n", "", "1", "pipe", "--failed", file, "cat")
	checkFile(t, file, "")
	wants(t, codeError, "1\n", "handoff: stage 1 (cat; kill -9 $$), replica 1: killed by signal 9 (killed); it was given 1 line, which --failed FILE would list", "1", "pipe", "cat; kill -9 $$")
	wants(t, codeError, "", "replica 1: exit 127; it was given ", "1", "pipe", "no-such-command 2>/dev/null", "cat")
	noChildren(t)
}

func checkFile(t *testing.T, name, want string) {
	t.Helper()
	if text, err := os.ReadFile(name); err != nil || string(text) != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
}

func TestPipeUsage(t *testing.T) {
	for says, args := range map[string][]string{
		"requires at least 1 arg":        {},
		"stage 2: there is no command":   {"cat", "4: "},
		"stage 1: there is no command":   {""},
		"0 replicas are not between":     {"0: cat"},
		"99999999999999999999 replicas":  {"99999999999999999999: cat"},
		"257 replicas are not between":   {"257: cat"},
		"follows the load is not there":  {"2-16: cat"},
		"--slots -1 is not between":      {"--slots", "-1", "cat"},
		"--batch -1 is not between":      {"--batch", "-1", "1: cat"},
		"--attempts 0: it needs one":     {"--attempts", "0", "cat"},
		"--max-line 0 is not between":    {"--max-line", "0", "cat"},
		"--exec gives one line to a run": {"--exec", "--batch", "2", "1: cat"},
		"--null does not go with it":     {"--exec", "--null", "1: cat"},
		"there is none":                  {"--batch", "2", "cat"},
	} {
		wants(t, codeUsage, "", says, "", append([]string{"pipe"}, args...)...)
	}
	wants(t, codeError, "", "no such file or directory", "", "pipe", "--failed", filepath.Join(t.TempDir(), "no", "file"), "cat")
	wants(t, codeError, "1\n", "the input, line 2: it is too long: more than 3 bytes", "1\n1234\n", "pipe", "--max-line", "3", "2: cat")
}

// Whoever takes the command's output may leave, as from any pipeline.
func TestPipeOutputNotRead(t *testing.T) {
	for _, last := range []string{"cat", "2: cat"} {
		cmd := binary(t, "pipe", "while :; do echo y; done", last)
		code, errs := leaveAfter(t, cmd, 2)
		if code != codeDone || errs != "" {
			t.Errorf("%s: code %d, err %q", last, code, errs)
		}
	}
	cmd := binary(t, "pipe", "--batch", "1", "while :; do echo y; done", "2: cat")
	code, errs := leaveAfter(t, cmd, 2)
	if code != codeError || !strings.Contains(errs, "broken pipe") {
		t.Errorf("a line that was confirmed is lost: code %d, err %q", code, errs)
	}
}

// leaveAfter reads so many bytes of what cmd writes, and no more.
func leaveAfter(t *testing.T, cmd *exec.Cmd, bytesRead int) (code int, said string) {
	t.Helper()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, bytesRead)); err != nil {
		t.Error(err)
	}
	out.Close()
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), errs.String()
}

// Signalled, it ends all it has started, their children too, and waits for them.
func TestPipeSignalled(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, crew := range []bool{false, true} {
			// Each prints its own number and its child's, and does not end.
			args := []string{"pipe", "echo $$; cat & echo $!; while :; do :; done", "2: cat; while :; do :; done"}
			if crew {
				args = []string{"pipe", "--batch", "1", "1: echo $$ >&2; cat & echo $! >&2; while :; do :; done"}
			}
			cmd := binary(t, args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			// What is said goes to one place, whichever it is.
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stdout, cmd.Stderr = w, w
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			io.WriteString(in, "1\n")
			var pids []int
			for len(pids) < 2 {
				var line string
				fmt.Fscanln(r, &line)
				if pid, err := strconv.Atoi(line); err == nil {
					pids = append(pids, pid)
				} else {
					t.Fatal(line, err)
				}
			}
			cmd.Process.Signal(sig)
			rest, _ := io.ReadAll(r) // to its end: nobody has the pipe any more
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != codeInterrupted || len(rest) > 0 {
				t.Errorf("%v: code %d, said %q", sig, code, rest)
			}
			for _, pid := range pids {
				if err := syscall.Kill(pid, 0); err != syscall.ESRCH && !zombie(pid) {
					t.Errorf("%v: process %d is left: %v", sig, pid, err)
				}
			}
			in.Close()
		}
	}
}

// zombie reports whether a process has ended and its parent, who is not us, has
// not heard of it yet.
func zombie(pid int) bool {
	state, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return len(state) == 0 || strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

// What recv holds when its reader leaves is not lost.
func TestRecvReaderLeaves(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=100")
	wants(t, codeDone, "", "", seq(50), "send", "--close", c)
	got := ""
	for range 3 {
		cmd := binary(t, "recv", "-n", "10", c)
		out, err := cmd.Output()
		if err != nil {
			t.Error(err)
		}
		got += string(out)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd := binary(t, "recv", c)
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &errs
	cmd.Run()
	w.Close()
	if code := cmd.ProcessState.ExitCode(); code != codeError || !strings.Contains(errs.String(), "broken pipe; it") {
		t.Errorf("code %d, err %q", code, errs.String())
	}
	_, rest, _ := run(t.Context(), "recv", c)
	if got += rest; got != seq(50) {
		t.Errorf("%q", got)
	}
	s.end(t)
}
