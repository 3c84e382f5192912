package house

import (
	"regexp"
	"testing"
)

// TestSecurityNamesTests: each test that SECURITY.md says holds a limit or tries an
// attack is there.
func TestSecurityNamesTests(t *testing.T) {
	have, text := map[string]bool{}, ""
	for _, f := range load(t).files {
		if f.path == "SECURITY.md" {
			text = string(f.text)
		}
	}
	for _, s := range load(t).sources {
		for _, found := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(s.text, -1) {
			have[string(found[1])] = s.test()
		}
	}
	named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(text, -1)
	if len(named) < 50 {
		t.Fatalf("only %d tests are named", len(named))
	}
	for _, name := range named {
		if !have[name] {
			t.Errorf("SECURITY.md names %s, which is nowhere", name)
		}
	}
}
