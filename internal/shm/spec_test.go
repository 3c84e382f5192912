package shm

import (
	"cmp"
	"errors"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// specified are constants whose groups are in the tables of the spec, each with all of its group.
var specified = []string{"hdMagic", "gTail", "reasonless", "mState", "memberJoined", "eState", "inReady", "wState", "waitRecv", "phaseFree",
	"isOffer", "resOK", "buryID", "pTag", "pageFree", "flagAutoClose", "exhaustedReason"}

// group is the constants of one declaration, in order, with their values.
type group struct {
	names  []string
	values map[string]uint64
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("none is needed") }

// constants are the groups of constants of this package.
func constants(t *testing.T) (all []group) {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	cfg := types.Config{Importer: noImports{}, IgnoreFuncBodies: true, Error: func(error) {}} // the layout imports nothing
	pkg, _ := cfg.Check("shm", fset, files, nil)
	for _, f := range files {
		for _, d := range f.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			g := group{values: map[string]uint64{}}
			for _, s := range decl.Specs {
				for _, id := range s.(*ast.ValueSpec).Names {
					c, ok := pkg.Scope().Lookup(id.Name).(*types.Const)
					if !ok || c.Val().Kind() != constant.Int {
						continue // _, and what is no number
					}
					if v, exact := constant.Uint64Val(c.Val()); exact {
						g.names, g.values[id.Name] = append(g.names, id.Name), v
					}
				}
			}
			all = append(all, g)
		}
	}
	return all
}

// TestSpecSaysTheLayout compares the tables of docs/spec/shm.md with the constants: rows of a number, a name
// as it is here, and words.
func TestSpecSaysTheLayout(t *testing.T) {
	text, err := os.ReadFile("../../docs/spec/shm.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]uint64{}
	for _, row := range regexp.MustCompile("(?m)^\\| ([0-9a-fx]+) \\| `(\\w+)` \\| .*\\S.* \\|$").FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseUint(row[1], 0, 64)
		if err != nil {
			t.Errorf("%s: %v", row[2], err)
		}
		if _, ok := said[row[2]]; ok {
			t.Errorf("%s has two rows", row[2])
		}
		said[row[2]] = v
	}
	known := map[string]uint64{}
	for _, g := range constants(t) {
		wanted := false
		for _, name := range specified {
			_, ok := g.values[name]
			wanted = wanted || ok
		}
		for _, name := range g.names {
			known[name] = g.values[name]
			if _, ok := said[name]; wanted && !ok {
				t.Errorf("the spec does not say %s, which is %d", name, g.values[name])
			}
		}
	}
	for name, v := range said {
		if is, ok := known[name]; !ok || is != v {
			t.Errorf("the spec says %s is %d; it is %v", name, v, cmp.Or(strconv.FormatUint(is, 10), "none"))
		}
	}
}
