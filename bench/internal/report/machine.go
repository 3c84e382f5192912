package report

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/handoff-go/handoff/internal/park"
)

// The two forms of parking; see the package park.
const (
	Fast     = "fast"
	Portable = "portable"
)

// Here fills in what is known of this machine and this build before a run.
// args are the arguments of the command.
func Here(args []string) About {
	a := About{
		Date: time.Now().UTC().Truncate(time.Second), CPU: cpu(), Cores: runtime.GOMAXPROCS(0),
		Go: runtime.Version(), Target: runtime.GOOS + "/" + runtime.GOARCH,
		Commit: commit(), Command: command(args), Form: Portable, Load: load(),
	}
	if park.Fast {
		a.Form = Fast
	}
	return a
}

// Finish fills in what is known after a run.
func (a *About) Finish() {
	a.Took = time.Since(a.Date).Round(time.Second).String()
	a.Load += ", " + load()
}

func cpu() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown " + runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown " + runtime.GOARCH
}

// load is the number of threads that wanted to run in the last minute, on the
// average: more than this run's own is noise.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// measured is the part of the tree that is compiled into this program.
var measured = []string{":(top,glob)*.go", ":(top)internal", ":(top)driver", ":(top)codec", ":(top,exclude)*_test.go"}

// commit names the tree that was measured, and says if it was changed since.
func commit() string {
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

// command is what to type at the root of the repository.
func command(args []string) string {
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
