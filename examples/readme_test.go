package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the map of the programs into README.md")

const (
	mapBegin = "<!-- the map: go test ./examples -run Readme -update -->\n"
	mapEnd   = "<!-- end -->"
)

// The README maps each program of the article to ours, in the words of our
// comments.
func TestReadmeMapsThePrograms(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	from, to := strings.Index(readme, mapBegin), strings.Index(readme, mapEnd)
	if from < 0 || to < from {
		t.Fatal("README.md has no place for the map")
	}
	from += len(mapBegin)
	if want := articleMap(); readme[from:to] != want {
		if !*update {
			t.Fatal("README.md does not say what the programs say; run: go test ./examples -run Readme -update")
		}
		if err := os.WriteFile("README.md", []byte(readme[:from]+want+readme[to:]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func articleMap() string {
	var b strings.Builder
	section := ""
	for _, p := range programs {
		in, what, _ := strings.Cut(p.article, ": ")
		if in != section {
			fmt.Fprintf(&b, "\n### %s\n\n", in)
			section = in
		}
		fmt.Fprintf(&b, "- %s: [%s](%s) %s. *%s*\n", what, p.name(), p.file(), p.shows(), p.printed())
	}
	return b.String() + "\n"
}

// file is where the program stands.
func (p program) file() string {
	entries, err := sources.ReadDir(p.theme)
	if err != nil {
		return p.theme
	}
	for _, e := range entries {
		name := path.Join(p.theme, e.Name())
		text, err := sources.ReadFile(name)
		if err == nil && strings.Contains(string(text), "\nfunc "+p.fn+"(") {
			return name
		}
	}
	return p.theme
}

// Every program of the themes is in the table, and says what it shows and how
// the printed one fares.
func TestEveryProgramIsListed(t *testing.T) {
	listed := map[string]bool{}
	for _, p := range programs {
		if listed[p.name()] {
			t.Errorf("two programs are called %s", p.name())
		}
		listed[p.name()] = true
		if p.shows() == "" || p.printed() == "" {
			t.Errorf("%s.%s does not say what it shows and how the article's fares", p.theme, p.fn)
		}
	}
	for _, theme := range themes(t) {
		for _, name := range exported(t, theme) {
			if !slices.ContainsFunc(programs, func(p program) bool { return p.theme == theme && p.fn == name }) {
				t.Errorf("%s.%s is not in the table of programs.go", theme, name)
			}
		}
	}
}

func themes(t *testing.T) (names []string) {
	entries, err := sources.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// exported lists the exported functions of a theme.
func exported(t *testing.T, theme string) (names []string) {
	packages, err := parser.ParseDir(token.NewFileSet(), theme, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range packages[theme].Files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.IsExported() {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

func TestTheCommand(t *testing.T) {
	call := func(names ...string) (string, string, int) {
		var out, complaints strings.Builder
		code := run(names, &out, &complaints)
		return out.String(), complaints.String(), code
	}
	if out, _, code := call(); code != 0 || strings.Count(out, "\n") != len(programs) {
		t.Errorf("the list: code %d\n%s", code, out)
	}
	if out, _, code := call("pingpong"); code != 0 || !strings.HasPrefix(out, "A 0\nB 0\n") {
		t.Errorf("pingpong: code %d\n%s", code, out)
	}
	if out, _, code := call("oneslot", "done"); code != 0 || !strings.Contains(out, "\n\n# done\nworking 0\n") {
		t.Errorf("two: code %d\n%s", code, out)
	}
	if out, said, code := call("done", "nosuch"); code != 2 || out != "" || !strings.Contains(said, "nosuch") {
		t.Errorf("an unknown name: code %d, said %q, printed %q", code, said, out)
	}
}
