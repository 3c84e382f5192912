//go:build linux

package torture

import (
	"path/filepath"
	"testing"

	_ "github.com/handoff-go/handoff/shmchan"
)

// TestShm: segments of shared memory, which no process decides for.
func TestShm(t *testing.T) {
	dir := t.TempDir()
	tr := newTorture(t, "shm:"+filepath.Join(dir, "a")+"?slots=3", "shm:"+filepath.Join(dir, "b")+"?slots=0")
	tr.exact = true
	tr.run()
}
