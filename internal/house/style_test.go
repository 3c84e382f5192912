package house

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is where a file has more than one job.
const maxLines = 600

func TestFilesAreShort(t *testing.T) {
	for _, s := range load(t).sources {
		if n := s.lines(); n > maxLines && !s.generated() {
			t.Errorf("%s has %d lines, more than %d: split it by job", s.path, n, maxLines)
		}
	}
}

// An audit of what is unsafe is a list of files.
func TestUnsafeIsFenced(t *testing.T) {
	for _, s := range load(t).sources {
		if strings.HasSuffix(s.path, "_unsafe.go") || strings.HasSuffix(s.path, "_unsafe_test.go") {
			continue
		}
		if slices.Contains(s.imports(), "unsafe") && !(s.test() && onlyMeasures(s.ast)) {
			t.Errorf("%s imports unsafe: only files called *_unsafe.go may, and each use says why the pointer is valid", s.path)
		}
		for _, g := range s.ast.Comments {
			for _, c := range g.List {
				if strings.HasPrefix(c.Text, "//go:linkname ") {
					t.Errorf("%s uses linkname: only files called *_unsafe.go may, with a portable twin", s.path)
				}
			}
		}
	}
}

// The engine declares its happens-before edges to the race detector by hand (see
// internal/hb). A function of it that the detector sees would bring in edges of
// its own, or races that are none.
func TestTheEngineIsHiddenFromTheRaceDetector(t *testing.T) {
	tr := load(t)
	seen := 0
	for _, s := range tr.sources {
		if s.test() || s.dir() != "internal/engine" && s.dir() != "internal/ticket" {
			continue
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			seen++
			if !hasPragma(f, "//go:norace") {
				t.Errorf("%v: %s has no //go:norace", tr.fset.Position(f.Pos()), f.Name.Name)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no functions found")
	}
}

func hasPragma(f *ast.FuncDecl, pragma string) bool {
	return f.Doc != nil && slices.ContainsFunc(f.Doc.List, func(c *ast.Comment) bool { return c.Text == pragma })
}

// onlyMeasures reports whether f asks unsafe for sizes and offsets and makes no
// pointer with it. Tests may.
func onlyMeasures(f *ast.File) bool {
	only := true
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if x, ok := call.Fun.(*ast.SelectorExpr); ok {
			if of, ok := x.X.(*ast.Ident); ok && of.Name == "unsafe" {
				only = only && slices.Contains([]string{"Sizeof", "Offsetof", "Alignof"}, x.Sel.Name)
			}
		}
		return true
	})
	return only
}

// wellKnown are methods whose contract is the interface's.
var wellKnown = map[string]bool{"Error": true, "String": true, "Unwrap": true, "Is": true, "Len": true, "Less": true, "Swap": true}

// Every exported name has a comment, also in internal packages: they are what
// the next author reads.
func TestExportedNamesAreDocumented(t *testing.T) {
	tr := load(t)
	packages := map[string]bool{} // folder to whether its package has a comment
	for _, s := range tr.sources {
		if s.test() || s.generated() {
			continue
		}
		packages[s.dir()] = packages[s.dir()] || s.ast.Doc != nil
		if s.ast.Name.Name == "main" {
			continue
		}
		for _, d := range s.ast.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%v: exported %s has no comment", tr.fset.Position(name.Pos()), name.Name)
			}
		}
	}
	for dir, documented := range packages {
		if !documented {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

// undocumented returns the exported names d declares without a comment.
func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && !(d.Recv != nil && (wellKnown[d.Name.Name] || hidden(d.Recv))) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Tok != token.IMPORT && d.Doc == nil {
			return undocumentedSpecs(d.Specs)
		}
	}
	return nil
}

func undocumentedSpecs(specs []ast.Spec) (names []*ast.Ident) {
	for _, spec := range specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Doc == nil && spec.Name.IsExported() {
				names = append(names, spec.Name)
			}
		case *ast.ValueSpec:
			for _, n := range spec.Names {
				if spec.Doc == nil && spec.Comment == nil && n.IsExported() {
					names = append(names, n)
				}
			}
		}
	}
	return names
}

// hidden reports whether a method's receiver is an unexported type, whose
// methods are documented where the interface they fill is.
func hidden(recv *ast.FieldList) bool {
	x := recv.List[0].Type
	for {
		switch y := x.(type) {
		case *ast.StarExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.IndexListExpr:
			x = y.X
		case *ast.Ident:
			return !y.IsExported()
		default:
			return false
		}
	}
}

// machinePath finds folders that exist on one machine only. It is put together
// here so that this file does not contain one.
var machinePath = regexp.MustCompile("(^|[^A-Za-z0-9_.*])/(" + strings.Join([]string{
	"ho" + "me", "Us" + "ers", "ro" + "ot", "wo" + "rk", "fa" + "rm"}, "|") + ")/")

// registries are hosts that serve modules and packages. A build asks whatever
// the machine is set up to ask.
var registries = []string{"proxy." + "golang.org", "sum." + "golang.org", "goproxy" + ".", "gosum" + ".", "artifac" + "tory"}

func TestNoMachineAndNoRegistryIsNamed(t *testing.T) {
	hosts := append([]string{}, registries...)
	if h := proxyHost(t); h != "" {
		hosts = append(hosts, h)
	}
	for _, f := range load(t).files {
		if f.base() == "go.sum" || bytes.IndexByte(f.text, 0) >= 0 {
			continue
		}
		n := 0
		for line := range bytes.Lines(f.text) {
			n++
			if m := machinePath.Find(line); m != nil {
				t.Errorf("%s:%d names a folder of one machine (%s): use a relative path or a temporary folder", f.path, n, m)
			}
			for _, h := range hosts {
				if bytes.Contains(line, []byte(h)) {
					t.Errorf("%s:%d names a registry: leave it to the settings of the machine", f.path, n)
				}
			}
		}
	}
}

// proxyHost is the host modules come from on this machine.
func proxyHost(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(out), "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(strings.TrimSpace(rest), "/")
	host, _, _ = strings.Cut(host, ",")
	host = host[strings.LastIndex(host, "@")+1:]
	return host
}

// What a newcomer looks for is there.
func TestTheDocumentsAreThere(t *testing.T) {
	for _, name := range []string{
		"README.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ".ci/run",
		"docs/laws.md", "docs/design.md", "docs/divergence.md",
	} {
		if info, err := os.Stat(path.Join(top, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing or empty", name)
		}
	}
}

// linkPattern finds the target of a Markdown link, fence a block of code.
var (
	linkPattern = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	fence       = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```")
)

func TestLinksOfTheDocumentsLead(t *testing.T) {
	for _, f := range load(t).files {
		if path.Ext(f.path) != ".md" {
			continue
		}
		for _, m := range linkPattern.FindAllSubmatch(fence.ReplaceAll(f.text, nil), -1) {
			target := string(m[1])
			if strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(path.Join(top, f.dir(), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", f.path, target)
			}
		}
	}
}

// The Go code in the README is what an example runs.
func TestTheReadmeShowsWhatRuns(t *testing.T) {
	readme, err := os.ReadFile(path.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile(path.Join(top, "example_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, m := range fence.FindAllSubmatch(readme, -1) {
		if string(m[1]) != "go" {
			continue
		}
		found = true
		if !strings.Contains(unindented(examples), unindented(m[2])) {
			t.Errorf("README.md shows code that is not in example_test.go, line for line:\n%s", m[2])
		}
	}
	if !found {
		t.Error("README.md shows no Go code")
	}
}

// unindented returns text without the space its lines begin with.
func unindented(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		b.WriteString(strings.TrimLeft(line, " \t"))
	}
	return b.String()
}
