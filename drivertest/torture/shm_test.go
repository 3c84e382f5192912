//go:build linux

package torture

import (
	"fmt"
	"os"
	"testing"

	_ "github.com/handoff-go/handoff/shmchan"
)

// TestShm: memory that all processes share, and no home.
func TestShm(t *testing.T) {
	name := fmt.Sprintf("shm:torture-%d", os.Getpid())
	newTorture(t, name+"-a?slots=3", name+"-b?slots=0").run()
}
