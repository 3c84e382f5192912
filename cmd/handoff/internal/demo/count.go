package demo

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
)

// counts is what is found in one file, or in many. Its layout is fixed, so that
// it travels as its memory.
type counts struct {
	Bytes       int64
	Lines       int64
	Identifiers int64
	Unparsed    int64 // files that are not valid Go
	Unread      int64 // files that could not be read
}

func (c *counts) add(o counts) {
	c.Bytes += o.Bytes
	c.Lines += o.Lines
	c.Identifiers += o.Identifiers
	c.Unparsed += o.Unparsed
	c.Unread += o.Unread
}

// count reads and parses one file. It always has a result: a file that does not
// parse has its lines, and one that cannot be read has nothing.
func count(dir, name string) (c counts) {
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		c.Unread = 1
		return c
	}
	c.Bytes = int64(len(text))
	c.Lines = int64(bytes.Count(text, []byte{'\n'}))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		c.Lines++
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		c.Unparsed = 1
		return c
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if _, ok := n.(*ast.Ident); ok {
			c.Identifiers++
		}
		return true
	})
	return c
}
