package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	// ours is the path of the root module; every other module of the tree has
	// it as a prefix.
	ours = "github.com/handoff-go/handoff"
	// top is the root of the tree, seen from this package.
	top = "../.."
)

// file is one file of the tree.
type file struct {
	path string // from the root of the tree, with slashes
	text []byte
}

func (f *file) dir() string  { return path.Dir(f.path) }
func (f *file) base() string { return path.Base(f.path) }

// source is a Go file that is built or tested, so none under testdata.
type source struct {
	*file
	ast *ast.File
}

func (s *source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s *source) generated() bool { return ast.IsGenerated(s.ast) }

// lines is how long the file is.
func (s *source) lines() int { return bytes.Count(s.text, []byte("\n")) }

// imports returns the import paths of the file.
func (s *source) imports() []string {
	var paths []string
	for _, i := range s.ast.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// tree is everything in the repository, read once.
type tree struct {
	fset    *token.FileSet
	files   []*file
	sources []*source
}

var readTree = sync.OnceValues(func() (*tree, error) {
	t := &tree{fset: token.NewFileSet()}
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(p, d)
		case !d.Type().IsRegular() || d.Name() == ".git": // which is a file in a worktree
			return nil
		}
		return t.add(p)
	})
	return t, err
})

// enter keeps version control and other tools' folders out.
func enter(p string, d fs.DirEntry) error {
	if p != top && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci" {
		return filepath.SkipDir
	}
	return nil
}

// bigFile is where a file stops being text somebody wrote.
const bigFile = 4 << 20

func (t *tree) add(p string) error {
	if info, err := os.Stat(p); err != nil || info.Size() > bigFile {
		return err
	}
	text, err := os.ReadFile(p)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(top, p)
	if err != nil {
		return err
	}
	f := &file{filepath.ToSlash(rel), text}
	t.files = append(t.files, f)
	if path.Ext(f.path) != ".go" || strings.Contains(f.path, "testdata/") {
		return nil
	}
	parsed, err := parser.ParseFile(t.fset, f.path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.sources = append(t.sources, &source{f, parsed})
	return nil
}

// load returns the tree.
func load(t *testing.T) *tree {
	t.Helper()
	tr, err := readTree()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
