//go:build unix

package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestRecvExec(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=8")
	wants(t, codeDone, "", "", "a b\nc", "send", c)
	wants(t, codeDone, "a b=a b 1\n", "", "", "recv", "-n", "1", "--take", "--exec", `printf "%s=" "$(cat)"; echo "$HANDOFF_VALUE $HANDOFF_ATTEMPT"`, c)
	// One that fails goes back.
	code, out, errs := run(t.Context(), "recv", "-n", "1", "--retry-after", "0s", "--exec", "cat; exit 7", c)
	if code != codeError || out != "c" || errs != "handoff: value 1, attempt 1: exit 7, the value goes back\nhandoff: 1 of 1 commands failed\n" {
		t.Errorf("code %d, out %q, err %q", code, out, errs)
	}
	wants(t, codeDone, "c2", "", "", "recv", "-n", "1", "--exec", "cat; printf $HANDOFF_ATTEMPT", c)
	// Or is rejected, and does not.
	wants(t, codeDone, "", "", "d", "send", c)
	code, _, errs = run(t.Context(), "recv", "-n", "1", "--reject", "--exec", "kill -9 $$", c)
	if code != codeError || !strings.Contains(errs, "attempt 1: killed by signal 9 (killed), the value is rejected\n") {
		t.Errorf("code %d, err %q", code, errs)
	}
	wants(t, codeTimeout, "", "nothing to receive", "", "recv", "--try", c)
	s.end(t)
}

// Interrupted, the command is ended, and its value goes back.
func TestRecvExecInterrupted(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=8")
	wants(t, codeDone, "", "", "a", "send", c)
	ctx, cancel := context.WithCancel(t.Context())
	out := &onLine{do: func(line string) { cancel() }}
	var errs bytes.Buffer
	code := Run(ctx, []string{"recv", "--exec", "cat; echo; while :; do :; done", c}, Streams{In: &bytes.Buffer{}, Out: out, Err: &errs})
	if code != codeInterrupted || errs.Len() > 0 {
		t.Errorf("code %d, err %q", code, errs.String())
	}
	noChildren(t)
	wants(t, codeDone, "a", "", "", "recv", "-n", "1", "--raw", c)
	s.end(t)
}
