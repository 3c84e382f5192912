package screen

import (
	"bytes"
	"strings"
	"testing"
)

func TestBarNeverWraps(t *testing.T) {
	for width := range 200 {
		for done := range 12 {
			line := Bar(width, "across", done, 10, "12,345 files/s")
			if n := columns(line); n > max(width-1, 0) {
				t.Fatalf("%d columns on a terminal of %d: %q", n, width, line)
			}
		}
	}
}

func TestBarShare(t *testing.T) {
	for _, c := range []struct {
		done, total int
		want        string
	}{{0, 0, "0%"}, {0, 10, "0%"}, {5, 10, "50%"}, {10, 10, "100%"}, {11, 10, "100%"}} {
		if line := Bar(80, "x", c.done, c.total, ""); !strings.HasSuffix(line, " "+c.want) {
			t.Errorf("%d of %d: %q, want %s", c.done, c.total, line, c.want)
		}
	}
}

// Without a terminal there are lines and nothing else.
func TestNoTerminal(t *testing.T) {
	var out, status bytes.Buffer
	s := New(&out, &status)
	s.Progress("x", 1, 2, "")
	s.Say("%d lines", 3)
	s.Clear()
	if out.String() != "3 lines\n" || status.Len() != 0 {
		t.Errorf("out %q, status %q", out.String(), status.String())
	}
	New(nil, &status).Say("nothing")
}
