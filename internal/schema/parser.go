package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// parser reads a layout from its front, and writes down what it has read without
// the names of JSON. The first thing that does not fit is its error.
type parser struct {
	rest     string
	plain    strings.Builder
	maxAlign int
	err      error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("not a layout: "+format, args...)
	}
}

// eat takes n bytes.
func (p *parser) eat(n int) string {
	s := p.rest[:n]
	p.rest = p.rest[n:]
	p.plain.WriteString(s)
	return s
}

func (p *parser) skip(s string) bool {
	if p.err != nil || !strings.HasPrefix(p.rest, s) {
		return false
	}
	p.eat(len(s))
	return true
}

func (p *parser) want(s string) {
	if !p.skip(s) {
		p.fail("no %q", s)
	}
}

// span takes the bytes in front of any of the given ones.
func (p *parser) span(until string) string {
	n := strings.IndexAny(p.rest, until)
	if n < 0 {
		n = len(p.rest)
	}
	return p.eat(n)
}

func (p *parser) word() string { return p.span(",}") }

func (p *parser) name() string {
	s := p.span(`"@`)
	if s == "" {
		p.fail("a field without a name")
	}
	return s
}

// number reads digits as they are written, without a zero in front.
func (p *parser) number() int {
	s := p.span(":] ")
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxNumber || strconv.Itoa(n) != s {
		p.fail("%q is no number", s)
		return 0
	}
	return n
}

// quoted reads the name of a field in JSON, if there is one. It is not part of
// the layout.
func (p *parser) quoted() (string, bool) {
	if !strings.HasPrefix(p.rest, `"`) {
		return "", false
	}
	prefix, err := strconv.QuotedPrefix(p.rest)
	if err != nil {
		p.fail("a name that does not end")
		return "", false
	}
	p.rest = p.rest[len(prefix):]
	s, err := strconv.Unquote(prefix)
	if err != nil {
		p.fail("a malformed name")
	}
	return s, true
}
