package house

import (
	"flag"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

var update = flag.Bool("update", false, "write the names of the suite's laws into docs/laws.md")

const lawsDoc = "docs/laws.md"

// The names stand between these two, at the end of each law's section.
const (
	namesBegin = "<!-- checked by -->\n"
	namesEnd   = "<!-- end -->"
)

var (
	lawHeading = regexp.MustCompile(`(?m)^## (L\d+) `)
	lawName    = regexp.MustCompile("`(L\\d+)/[^`]+`")
)

// lawSection is the part of the document about one law.
type lawSection struct {
	law        string
	start, end int // where its list of names stands in the text
}

func lawSections(t *testing.T, doc string) (all []lawSection) {
	heads := lawHeading.FindAllStringSubmatchIndex(doc, -1)
	for i, h := range heads {
		end := len(doc)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		s := lawSection{law: doc[h[2]:h[3]]}
		from := strings.Index(doc[h[0]:end], namesBegin)
		to := strings.Index(doc[h[0]:end], namesEnd)
		if from < 0 || to < from {
			t.Fatalf("%s: the section of %s has no list of names", lawsDoc, s.law)
		}
		s.start, s.end = h[0]+from+len(namesBegin), h[0]+to
		all = append(all, s)
	}
	return all
}

// names lists the laws of the suite that belong to law.
func names(law string) string {
	var b strings.Builder
	for _, l := range drivertest.Laws() {
		if strings.HasPrefix(l.Name, law+"/") {
			fmt.Fprintf(&b, "- `%s`: %s\n", l.Name, l.Says)
		}
	}
	if b.Len() == 0 {
		return "- none yet\n"
	}
	return b.String()
}

// The document names every law of the suite under the law it belongs to, and no
// other. After a change of the suite:
//
//	go test ./internal/house -run Laws -update
func TestTheDocumentNamesTheLaws(t *testing.T) {
	where := path.Join(top, lawsDoc)
	text, err := os.ReadFile(where)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	sections := lawSections(t, doc)
	var known []string
	for _, s := range slices.Backward(sections) {
		known = append(known, s.law)
		if want := names(s.law); doc[s.start:s.end] != want {
			if !*update {
				t.Errorf("%s does not list the laws of the suite under %s; run: go test ./internal/house -run Laws -update", lawsDoc, s.law)
			}
			doc = doc[:s.start] + want + doc[s.end:]
		}
	}
	for _, l := range drivertest.Laws() {
		if law, _, _ := strings.Cut(l.Name, "/"); !slices.Contains(known, law) {
			t.Errorf("the suite has %s, and %s has no section for %s", l.Name, lawsDoc, law)
		}
	}
	if *update {
		if err := os.WriteFile(where, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A law named anywhere else in the documents is one the suite has.
func TestLawsNamedInDocumentsExist(t *testing.T) {
	have := map[string]bool{}
	for _, l := range drivertest.Laws() {
		have["`"+l.Name+"`"] = true
	}
	for _, f := range load(t).files {
		if path.Ext(f.path) != ".md" || *update && f.path == lawsDoc {
			continue
		}
		for _, name := range lawName.FindAllString(string(f.text), -1) {
			if !have[name] {
				t.Errorf("%s names %s, which the suite does not have", f.path, name)
			}
		}
	}
}
