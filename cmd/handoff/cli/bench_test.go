package cli

import (
	"context"
	"strings"
	"testing"
)

func TestBench(t *testing.T) {
	code, out, errs := run(t.Context(), "bench", "--rounds", "2", "--only", "ping-pong cap 0|default")
	if code != codeDone || errs != "" {
		t.Fatalf("code %d, err %q", code, errs)
	}
	for _, want := range []string{"2 rounds of", "ping-pong cap 0", "2 cases and default", "ours", "go ", "±", "at most", "not in this run", "Below 1 ours is faster"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	if !strings.Contains(out, "met") && !strings.Contains(out, "MISSED") {
		t.Errorf("no goal is judged:\n%s", out)
	}
	if strings.Contains(out, "64 cases, blocking") {
		t.Errorf("shapes were measured that nobody asked for:\n%s", out)
	}
}

func TestBenchIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, out, errs := run(ctx, "bench"); code != codeInterrupted || out != "" || errs != "" {
		t.Errorf("code %d, out %q, err %q, want %d and silence", code, out, errs, codeInterrupted)
	}
}
