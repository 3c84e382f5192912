package main

import (
	"io"
	"strings"
	"testing"
)

func TestRunPrintsTheTable(t *testing.T) {
	var out strings.Builder
	args := []string{"-rounds", "2", "-sample", "200us", "-only", "ping-pong|default"}
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ping-pong cap 0", "2 cases and default", "nothing allocated"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{{"-only", "nothing is called so"}, {"-only", "("}, {"-only", "plain", "-write"}, {"-unknown"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("run(%q) succeeded", args)
		}
	}
}
