package main

import (
	"embed"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// sources are the examples themselves, for their comments.
//
//go:embed choose/*.go closing/*.go data/*.go events/*.go leaks/*.go patterns/*.go slots/*.go
var sources embed.FS

// name is what the program is called on the command line.
func (p program) name() string { return strings.ToLower(p.fn) }

// shows is the first sentence of the program's comment, without its name.
func (p program) shows() string {
	first := strings.Join(strings.Fields(p.paragraphs()[0]), " ")
	first = strings.TrimPrefix(first, p.fn+" ")
	if end := strings.Index(first, ". "); end >= 0 {
		first = first[:end+1]
	}
	return strings.TrimSuffix(first, ".")
}

// printed is the paragraph of the comment that compares the program with the
// article's.
func (p program) printed() string {
	all := p.paragraphs()
	if len(all) < 2 {
		return ""
	}
	return strings.Join(strings.Fields(all[1]), " ")
}

func (p program) paragraphs() []string {
	return strings.Split(strings.TrimSpace(comments()[p.theme+"."+p.fn]), "\n\n")
}

// comments holds the comment of every exported function of the themes.
var comments = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	files, err := fs.Glob(sources, "*/*.go")
	if err != nil {
		panic(err)
	}
	for _, name := range files {
		text, err := sources.ReadFile(name)
		if err != nil {
			panic(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.IsExported() && !strings.HasSuffix(name, "_test.go") {
				all[path.Dir(name)+"."+fn.Name.Name] = fn.Doc.Text()
			}
		}
	}
	return all
})

// synopsis is the first sentence of a theme's package comment.
func synopsis(theme string) string {
	text, err := sources.ReadFile(theme + "/doc.go")
	if err != nil {
		panic(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", text, parser.ParseComments)
	if err != nil {
		panic(err)
	}
	return new(doc.Package).Synopsis(f.Doc.Text())
}
