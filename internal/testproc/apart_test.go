package testproc

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestApart runs elsewhere, and what fails there fails here: see TestApartFails.
func TestApart(t *testing.T) {
	if Apart(t) {
		return
	}
	if os.Getenv(apart) == "" && !profiles() {
		t.Error("it runs where it was called")
	}
	t.Run("good", func(*testing.T) {})
	t.Run("bad", func(t *testing.T) {
		if os.Getenv("HANDOFF_APART_FAILS") != "" {
			t.Error("as it should")
		}
	})
}

func TestApartFails(t *testing.T) {
	for _, test := range []struct {
		run  string
		want bool
	}{{"^TestApart$", true}, {"^TestApart$/bad", true}, {"^TestApart$/good", false}} {
		cmd := exec.Command(os.Args[0], "-test.run="+test.run)
		cmd.Env = append(os.Environ(), "HANDOFF_APART_FAILS=1")
		out, err := cmd.CombinedOutput()
		if failed := err != nil; failed != test.want || failed != strings.Contains(string(out), "as it should") {
			t.Errorf("%s: %v\n%s", test.run, err, out)
		}
	}
}
