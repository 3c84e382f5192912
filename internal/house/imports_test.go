package house

import (
	"slices"
	"strings"
	"testing"
)

// layer says what the packages of one folder may import besides the standard
// library. The folder with the longest path that fits a package is its layer.
type layer struct {
	dir    string
	own    []string // folders of ours; "." is the root package, "*" any
	others []string // modules of others; "*" any
}

// The modules of others that the root module's packages may need, and what the
// second of them needs itself.
const (
	sys     = "golang.org/x/sys"
	cbor    = "github.com/fxamacker/cbor/v2"
	float16 = "github.com/x448/float16"
)

// websocket is what hub/web, a module of its own, needs.
const websocket = "github.com/coder/websocket"

// layers is the direction of dependencies: root to driver and internal, media to
// driver and internal, what serves and watches to root, the commands to all. A
// medium never imports another.
var layers = []layer{
	{dir: ".", own: []string{"driver", "codec", "internal"}},
	{dir: "driver", own: []string{"internal"}},
	{dir: "codec", own: []string{"internal"}},
	{dir: "codec/cbor", own: []string{"codec", "internal"}, others: []string{cbor}},
	{dir: "internal", own: []string{"driver", "codec", "internal"}, others: []string{sys}},
	{dir: "internal/bench", own: []string{".", "internal", "split"}}, // it is a user of the root package, as bench and the command are
	{dir: "drivertest", own: []string{".", "driver", "internal"}},

	{dir: "netchan", own: []string{"driver", "internal"}, others: []string{sys}},
	{dir: "shmchan", own: []string{"driver", "internal"}, others: []string{sys}},
	{dir: "filechan", own: []string{"driver", "internal"}, others: []string{sys}},
	// quicchan is netchan over another transport, and no medium of its own.
	{dir: "quicchan", own: []string{"driver", "internal", "netchan"}, others: []string{"*"}},
	{dir: "natschan", own: []string{"driver", "internal"}, others: []string{"*"}},
	{dir: "redischan", own: []string{"driver", "internal"}, others: []string{"*"}},
	{dir: "kafkachan", own: []string{"driver", "internal"}, others: []string{"*"}},
	{dir: "media", own: []string{"netchan", "shmchan", "filechan"}},

	{dir: "hub", own: []string{".", "driver", "codec", "internal", "hub"}, others: []string{sys}},
	{dir: "hub/web", own: []string{"driver", "codec", "internal", "hub"}, others: []string{websocket}},
	{dir: "worker", own: []string{".", "driver", "internal", "worker"}, others: []string{sys}},
	{dir: "mailbox", own: []string{".", "driver", "internal"}},
	{dir: "split", own: []string{".", "internal"}},
	{dir: "inspect", own: []string{".", "driver", "internal", "inspect"}},
	{dir: "inspect/otel", own: []string{".", "driver", "inspect"}, others: []string{"*"}},
	{dir: "dashboard", own: []string{".", "driver", "internal", "inspect"}},

	{dir: "vet", own: []string{"vet"}, others: []string{"golang.org/x/tools", "golang.org/x/mod"}},
	{dir: "cmd", own: []string{"*"}, others: []string{"*"}},
	{dir: "cli", own: []string{"*"}, others: []string{"*"}},
	{dir: "bench", own: []string{"*"}, others: []string{"*"}},
	{dir: "examples", own: []string{"*"}},
	{dir: "examples/web", own: []string{"*"}, others: []string{websocket}},
}

// testOnly are the modules of others that tests, and only tests, may import.
var testOnly = []string{
	"github.com/anishathalye/porcupine",
	"pgregory.net/rapid",
	"github.com/google/go-cmp",
}

func layerOf(dir string) *layer {
	var best *layer
	for i := range layers {
		l := &layers[i]
		if within(dir, l.dir) && (best == nil || len(l.dir) > len(best.dir) || best.dir == ".") {
			best = l
		}
	}
	return best
}

// within reports whether the package dir lies in the folder of a layer. The root
// layer is the root package alone.
func within(dir, of string) bool {
	return dir == of || of != "." && strings.HasPrefix(dir, of+"/")
}

// ownDir returns the folder of a package of ours.
func ownDir(imported string) (string, bool) {
	if imported == ours {
		return ".", true
	}
	return strings.CutPrefix(imported, ours+"/")
}

func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func of(modules []string, imported string) bool {
	return slices.ContainsFunc(modules, func(m string) bool {
		return m == "*" || imported == m || strings.HasPrefix(imported, m+"/")
	})
}

// refuse says why a file of l must not import a package, "" if it may.
func (l *layer) refuse(imported string, test bool) string {
	if standard(imported) {
		return ""
	}
	dir, own := ownDir(imported)
	if !own {
		if of(l.others, imported) || test && of(testOnly, imported) {
			return ""
		}
		return "this layer takes nothing from it; see the table in internal/house/imports_test.go"
	}
	if within(dir, "cmd") || within(dir, "cli") {
		if l.dir == "cmd" || l.dir == "cli" {
			return ""
		}
		return "the commands are above everything; move what is shared below them"
	}
	if test {
		return ""
	}
	for _, may := range l.own {
		if may == "*" || within(dir, may) {
			return ""
		}
	}
	return "dependencies run root -> driver, internal; media -> driver, internal; hub, worker, inspect -> root; cli -> all"
}

func TestDependenciesRunOneWay(t *testing.T) {
	for _, s := range load(t).sources {
		l := layerOf(s.dir())
		if l == nil {
			t.Errorf("%s: no layer for this folder; add one to the table in internal/house/imports_test.go", s.path)
			continue
		}
		for _, imported := range s.imports() {
			if why := l.refuse(imported, s.test()); why != "" {
				t.Errorf("%s imports %s: %s", s.path, imported, why)
			}
		}
	}
}

// The root package and all it imports need the standard library only.
func TestRootNeedsTheStandardLibraryOnly(t *testing.T) {
	imports := map[string][]*source{}
	for _, s := range load(t).sources {
		if !s.test() {
			imports[s.dir()] = append(imports[s.dir()], s)
		}
	}
	seen := map[string]bool{".": true}
	for todo := []string{"."}; len(todo) > 0; todo = todo[1:] {
		for _, s := range imports[todo[0]] {
			for _, imported := range s.imports() {
				dir, own := ownDir(imported)
				switch {
				case standard(imported) || seen[dir]:
				case !own:
					t.Errorf("%s imports %s, and the root package imports %s: put it behind a medium", s.path, imported, s.dir())
				default:
					seen[dir] = true
					todo = append(todo, dir)
				}
			}
		}
	}
	if len(seen) < 5 {
		t.Fatalf("the walk found only %v", seen)
	}
}

// The table itself is tried with imports that it must refuse.
func TestTheTableRefuses(t *testing.T) {
	for _, c := range []struct {
		dir, imported string
		test, want    bool
	}{
		{".", ours + "/netchan", false, false},
		{".", ours + "/driver", false, true},
		{".", testOnly[0], false, false},
		{".", testOnly[0], true, true},
		{"netchan", ours + "/shmchan", false, false},
		{"netchan", ours, false, false},
		{"netchan", ours, true, true},
		{"netchan", ours + "/internal/wire", false, true},
		{"internal/engine", ours, false, false},
		{"internal/bench/shape", ours, false, true},
		{"drivertest", testOnly[0], false, false},
		{"hub", ours, false, true},
		{"codec", cbor, false, false},
		{"codec/cbor", cbor, false, true},
		{"netchan", cbor, false, false},
		{"hub", ours + "/cmd/handoff/cli", true, false},
		{"inspect/otel", "go.opentelemetry.io/otel", false, true},
		{"inspect", "go.opentelemetry.io/otel", false, false},
		{"cmd/handoff/cli", ours + "/hub", false, true},
	} {
		if got := layerOf(c.dir).refuse(c.imported, c.test) == ""; got != c.want {
			t.Errorf("%s importing %s (test: %v): allowed %v, want %v", c.dir, c.imported, c.test, got, c.want)
		}
	}
}
