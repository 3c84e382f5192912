//go:build linux

package torture

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/internal/shm"
	_ "github.com/handoff-go/handoff/shmchan"
)

// TestShm: segments of shared memory, which no process decides for.
func TestShm(t *testing.T) {
	dir := t.TempDir()
	tr := newTorture(t, "shm:"+filepath.Join(dir, "a")+"?slots=3", "shm:"+filepath.Join(dir, "b")+"?slots=0")
	tr.exact, tr.pointed = true, true
	tr.roles = append(slices.Clone(crewRoles), "send-take")
	tr.show = func() string { return dump(dir) }
	tr.run()
}

// dump is what is in the segments below dir.
func dump(dir string) string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
	for _, file := range files {
		bytes, err := os.ReadFile(file)
		if info, bad := os.Stat(file); bad != nil || !info.Mode().IsRegular() || err != nil || len(bytes) < 8 {
			continue
		}
		words := make([]uint64, len(bytes)/8)
		for i := range words {
			words[i] = binary.NativeEndian.Uint64(bytes[8*i:])
		}
		if seg, err := shm.Load(words); err == nil {
			b.WriteString(file + "\n" + seg.Dump())
		}
	}
	return b.String()
}
