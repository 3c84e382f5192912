// Package report says what was measured: where and how, in tables for people to
// read, and whether the goals were met.
package report

import (
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/park"
)

// About says where and how a run was made. Figures of different machines are
// never compared.
type About struct {
	Date    time.Time `json:"date"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Go      string    `json:"go"`
	Target  string    `json:"target"` // operating system and architecture
	Commit  string    `json:"commit,omitempty"`
	Command string    `json:"command"`
	Form    string    `json:"form"` // of parking, fast or portable
	Rounds  int       `json:"rounds"`
	Sample  string    `json:"sample"` // how long one sample takes, about
	Took    string    `json:"took"`
	Load    string    `json:"load"` // of the machine, before and after
}

// Record is one run.
type Record struct {
	About  About           `json:"about"`
	Claims []measure.Claim `json:"claims,omitempty"`
	Rows   []measure.Row   `json:"rows"`
	Notes  []string        `json:"notes,omitempty"` // what is to be known of the rivals
}

// The two forms of parking; see the package park.
const (
	Fast     = "fast"
	Portable = "portable"
)

// Here fills in what is known of this machine and this build before a run.
func Here(p measure.Plan) About {
	a := About{
		Date: time.Now().UTC().Truncate(time.Second), CPU: cpu(), Cores: runtime.GOMAXPROCS(0),
		Go: runtime.Version(), Target: runtime.GOOS + "/" + runtime.GOARCH,
		Form: Portable, Load: load(), Rounds: p.Rounds, Sample: p.Target.String(),
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
