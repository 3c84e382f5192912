package toy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestStranger builds the toy as somebody else's module, out of this tree: a
// medium needs nothing that only we can import. It keeps some laws there, too.
func TestStranger(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module anew")
	}
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"go.mod": []byte("module example.org/toy\n\ngo 1.26.0\n\n" +
		"require github.com/handoff-go/handoff v0.0.0\n\nreplace github.com/handoff-go/handoff => " + filepath.ToSlash(root) + "\n")}
	for _, name := range []string{"toy.go", "channel.go", "ops.go", "toy_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = bytes.ReplaceAll(text, []byte("github.com/handoff-go/handoff/drivertest/toy"), []byte("example.org/toy"))
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"vet", "."}, {"test", "-run", "^(TestRefusals|TestStop|TestLaws/(L2|L5)/.*)$", "."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
	}
}
