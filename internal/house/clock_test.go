package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Leases, heartbeats, resumes and timeouts go by the monotonic clock, which nobody sets.
// A time.Time has it as long as it is what time.Now said, or that with a duration added:
// Sub, Since, Until, Before, After and deadlines then use it. It is lost where a time
// becomes a number, a text or a field of one, or comes from there. Each place where that
// is so is here, with the reason why no decision hangs on it.
var wallClock = map[string]string{
	"cmd/handoff/cli/info.go: tagged field": "shown to people",
	"hub/web/info.go: UTC":                  "shown to people, beside what it is the time of",
	"hub/web/info.go: tagged field":         "the same, written and never read",
	"hub/web/stream.go: UTC":                "shown to people",
	"internal/shm/layout.go: UnixNano":      "when a segment was made, shown to people",
	"internal/shm/layout.go: Unix":          "when a process joined, shown to people",
	"internal/shm/member.go: Unix":          "the same",
	"internal/shm/peek.go: time.Unix":       "the same, read to be shown",
	"internal/park/bubble.go: Round(0)":     "tells a time of a synctest bubble, which has no monotonic clock, from others",
}

// notShipped are folders of what serves tests and measurements only.
var notShipped = []string{"drivertest", "bench", "internal/bench", "internal/testproc", "examples"}

func TestDecisionsGoByTheMonotonicClock(t *testing.T) {
	used := map[string]bool{}
	for _, s := range load(t).sources {
		if s.test() || slices.ContainsFunc(notShipped, func(dir string) bool { return strings.HasPrefix(s.path, dir+"/") }) {
			continue
		}
		for _, use := range wallClockIn(s.ast) {
			key := s.path + ": " + use.what
			if used[key] = true; wallClock[key] == "" {
				t.Errorf("%v: %s has no monotonic clock: it jumps when somebody sets the system's. Keep the time.Time, or give a reason in internal/house",
					load(t).fset.Position(use.pos), use.what)
			}
		}
	}
	for key := range wallClock {
		if !used[key] {
			t.Errorf("%q is not so any more", key)
		}
	}
}

// found is a use of the wall clock.
type found struct {
	what string
	pos  token.Pos
}

// The functions and methods that make a time without the monotonic clock, or something
// else of one. Those of durations and files have other names, or other arguments.
var (
	wallFunctions = []string{"Unix", "UnixMilli", "UnixMicro", "Date", "Parse", "ParseInLocation"}
	wallMethods   = []string{"Unix", "UnixNano", "UnixMilli", "UnixMicro", "UTC", "Local", "ModTime"}
	wallOthers    = []string{"CLOCK_REALTIME", "CLOCK_REALTIME_COARSE", "Gettimeofday"}
	deadlines     = []string{"SetDeadline", "SetReadDeadline", "SetWriteDeadline"}
)

func wallClockIn(f *ast.File) (all []found) {
	over := map[ast.Node]bool{} // time.Unix(1, 0) as a deadline: it is over by any clock
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if x, ok := n.Type.(*ast.SelectorExpr); ok && n.Tag != nil && isPackage(x.X, "time") && x.Sel.Name == "Time" {
				all = append(all, found{"tagged field", n.Pos()})
			}
		case *ast.SelectorExpr:
			if slices.Contains(wallOthers, n.Sel.Name) {
				all = append(all, found{n.Sel.Name, n.Pos()})
			}
		case *ast.CallExpr:
			call, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			name := call.Sel.Name
			switch {
			case slices.Contains(deadlines, name) && len(n.Args) == 1 && isLongAgo(n.Args[0]):
				over[n.Args[0]] = true
			case over[n]:
			case isPackage(call.X, "time"):
				if slices.Contains(wallFunctions, name) {
					all = append(all, found{"time." + name, n.Pos()})
				}
			case slices.Contains(wallMethods, name):
				all = append(all, found{name, n.Pos()})
			case name == "Round" && len(n.Args) == 1 && isNumber(n.Args[0], "0"):
				all = append(all, found{"Round(0)", n.Pos()})
			}
		}
		return true
	})
	return all
}

func isPackage(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}

func isNumber(x ast.Expr, value string) bool {
	lit, ok := x.(*ast.BasicLit)
	return ok && lit.Value == value
}

// isLongAgo reports whether x is time.Unix(1, 0).
func isLongAgo(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	return ok && isPackage(fun.X, "time") && fun.Sel.Name == "Unix" && isNumber(call.Args[0], "1") && isNumber(call.Args[1], "0")
}

// A law that finds nothing says nothing.
func TestWallClocksAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"t.UnixNano()": "UnixNano", "time.Unix(1, 0)": "time.Unix", "t.Round(0)": "Round(0)", "time.Parse(a, b)": "time.Parse", "t.UTC().Sub(u)": "UTC",
		"unix.ClockGettime(unix.CLOCK_REALTIME, &ts)": "CLOCK_REALTIME", "c.SetDeadline(time.Unix(2, 0))": "time.Unix",
		"struct{ At time.Time `json:\"at\"` }{}": "tagged field", "now.Sub(info.ModTime())": "ModTime",
		"c.SetReadDeadline(time.Unix(1, 0))": "", "time.Since(t)": "", "d.Round(time.Second)": "", "time.Now().Add(d).Before(u)": "",
		"unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)": "",
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nvar x = "+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := wallClockIn(f)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0].what != want) {
			t.Errorf("%s: found %v, want %q", text, got, want)
		}
	}
}
