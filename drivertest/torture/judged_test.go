//go:build unix

package torture

import (
	"fmt"
	"strings"
	"testing"
)

// faults collects what a judge finds.
type faults struct {
	testing.TB
	found []string
}

func (f *faults) Errorf(format string, args ...any) {
	f.found = append(f.found, fmt.Sprintf(format, args...))
}

// TestJudge: a judge that finds nothing in a false history is worth nothing.
func TestJudge(t *testing.T) {
	for _, c := range []struct{ said, want string }{
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; r: settle s.1; r: done s.1", ""},
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; r: return s.1; q: got s.1 0 2; q: settle s.1; q: done s.1", ""},
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; r: settle s.1", ""}, // killed before its word
		{"s: try s.1; r: received s.1 0", ""},                          // the sender was killed before its word
		{"s: try s.1; s: kept s.1", ""},
		{"s: try s.1; s: sent s.1", "were lost"},
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; r: return s.1", "were lost"},
		{"s: try s.1; s: sent s.1; r: received s.1 0; q: received s.1 0", "received 2 times"},
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; r: done s.1; q: received s.1 0", "confirmed 1 times and received 1 times"},
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; r: done s.1; q: got s.1 0 2; q: done s.1", "confirmed 2 times"},
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; r: done s.1; q: got s.1 0 2", "confirmed at attempt 1 of"},
		{"s: try s.1; s: sent s.1; r: got s.1 0 1; q: got s.1 0 1; q: done s.1", "one attempt twice"},
		{"s: try s.1; s: kept s.1; r: received s.1 0", "its sender kept it"},
		{"r: received s.1 0", "nobody sent it"},
		{"s: try s.1; s: try s.2; s: sent s.1; s: sent s.2; r: got s.2 0 1; r: got s.1 0 1; r: done s.1; r: done s.2", "after s.2"},
		{"r: got torn 0 1", "not what was sent"},
	} {
		f := &faults{TB: t}
		j := newJudge(f)
		j.exact = true
		who := map[string]*process{}
		for _, line := range strings.Split(c.said, "; ") {
			name, said, _ := strings.Cut(line, ": ")
			if who[name] == nil {
				who[name] = &process{name: name, held: map[string]int{}, last: map[lane]int{}}
			}
			j.note(who[name], said)
		}
		j.verdict(0)
		all := strings.Join(f.found, "; ")
		if (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
			t.Errorf("%s: found %q, want %q", c.said, all, c.want)
		}
	}
}
