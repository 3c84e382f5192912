package house

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// goMod is what the rules need to know of a go.mod or go.work.
type goMod struct {
	*file
	module   string
	goLine   string
	requires []string
	replaces map[string]string // module to folder or version
	uses     []string
}

// parseMod reads the directives, whether they stand in a block or alone.
func parseMod(f *file) *goMod {
	m := &goMod{file: f, replaces: map[string]string{}}
	block := ""
	for line := range strings.Lines(string(f.text)) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == ")":
			block = ""
		case len(words) == 2 && words[1] == "(":
			block = words[0]
		case block != "":
			m.directive(block, words)
		default:
			m.directive(words[0], words[1:])
		}
	}
	return m
}

func (m *goMod) directive(name string, args []string) {
	switch name {
	case "module":
		m.module = args[0]
	case "go":
		m.goLine = args[0]
	case "require":
		m.requires = append(m.requires, args[0])
	case "replace":
		m.replaces[strings.Join(args[:slices.Index(args, "=>")], " ")] = args[len(args)-1]
	case "use":
		m.uses = append(m.uses, path.Clean(args[0]))
	}
}

func modules(t *testing.T) []*goMod {
	var all []*goMod
	for _, f := range load(t).files {
		if f.base() == "go.mod" && !strings.Contains(f.path, "testdata/") {
			all = append(all, parseMod(f))
		}
	}
	return all
}

func TestEveryModuleHasTheSameGoLine(t *testing.T) {
	all := modules(t)
	for _, m := range all {
		if m.goLine != all[0].goLine {
			t.Errorf("%s says go %s, %s says go %s: one line for all", m.path, m.goLine, all[0].path, all[0].goLine)
		}
		if want := path.Join(ours, m.dir()); m.module != want {
			t.Errorf("%s names its module %s, want %s", m.path, m.module, want)
		}
	}
}

// A module that needs a sibling, directly or not, replaces it without a version,
// so that the tree is always built against itself.
func TestSiblingsAreReplaced(t *testing.T) {
	for _, m := range modules(t) {
		for _, r := range m.requires {
			dir, own := ownDir(r)
			if !own {
				continue
			}
			got, ok := m.replaces[r]
			if !ok || path.Join(m.dir(), got) != dir {
				t.Errorf("%s requires %s and replaces it by %q: want an unversioned replace by its folder", m.path, r, got)
			}
		}
	}
}

// The root module requires what its media need and what its tests need, and
// nothing else.
func TestRootModuleRequires(t *testing.T) {
	for _, m := range modules(t) {
		if m.dir() != "." {
			continue
		}
		for _, r := range m.requires {
			if r != sys && r != cbor && r != float16 && !slices.Contains(testOnly, r) {
				t.Errorf("%s requires %s: a medium or tool that needs it belongs into a module of its own", m.path, r)
			}
		}
	}
}

// Every module is in the workspace; bench has one of its own, since it pulls in
// every rival.
func TestWorkspaceHasEveryModule(t *testing.T) {
	var uses []string
	for _, f := range load(t).files {
		if f.path == "go.work" {
			uses = parseMod(f).uses
		}
	}
	if uses == nil {
		t.Fatal("no go.work at the root of the tree")
	}
	for _, m := range modules(t) {
		if in, want := slices.Contains(uses, m.dir()), !within(m.dir(), "bench"); in != want {
			t.Errorf("%s in go.work: %v, want %v", m.path, in, want)
		}
	}
}
