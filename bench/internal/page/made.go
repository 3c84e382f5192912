package page

import (
	"os/exec"
	"runtime/debug"
	"strings"
)

// measured is the part of the tree that is compiled into this program and is
// what is measured.
var measured = []string{":(top,glob)*.go", ":(top)internal", ":(top)driver", ":(top)codec", ":(top)netchan", ":(top)hub", ":(top,exclude)*_test.go"}

// Commit names the tree that was measured, and says if it was changed since.
func Commit() string {
	head, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "unknown"
	}
	changed, err := git(append([]string{"diff", "--name-only", "HEAD", "--"}, measured...)...)
	if err != nil || changed != "" {
		head += " and changes not committed"
	}
	return head
}

func git(args ...string) (string, error) {
	out, err := exec.Command("git", args...).Output()
	return strings.TrimSpace(string(out)), err
}

// Command is what to type at the root of the repository.
func Command(args []string) string {
	words := []string{"go", "-C", "bench", "run"}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" && s.Value != "" {
				words = append(words, "-tags", s.Value)
			}
		}
	}
	return strings.Join(append(append(words, "."), args...), " ")
}
