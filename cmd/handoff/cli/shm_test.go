//go:build linux

package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
)

// TestLookAtSharedMemory: ls, info and the shell see the channels that are in shared memory, and who has them open.
func TestLookAtSharedMemory(t *testing.T) {
	name := fmt.Sprintf("test-%d-look at", os.Getpid())
	at := "shm:" + strings.ReplaceAll(name, " ", "%20")
	ch, err := handoff.Open[string](t.Context(), at+"?slots=3")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	ch.Send(t.Context(), "x")
	_, out, errs := run(t.Context(), "ls", "--json", "shm:")
	all := figuresIn(t, out)
	i := slices.IndexFunc(all, func(f figures) bool { return f.Channel == name })
	if i < 0 || errs != "" {
		t.Fatalf("%q is not in %q, %q", name, out, errs)
	}
	f := all[i]
	if f.Type != "raw:string" || f.Slots != 3 || f.Len != 1 || f.Senders != 1 || len(f.Attached) != 1 || f.Attached[0].Pid != os.Getpid() {
		t.Errorf("%+v", f)
	}
	_, out, _ = run(t.Context(), "info", at)
	for _, line := range []string{"slots        3, of which 1 ready and 0 held\n", fmt.Sprintf("attached     process %d sends and receives, since ", os.Getpid())} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	if got := complete(t, "recv", at[:len(at)-2]); !slices.Equal(got, []string{at}) {
		t.Errorf("completed to %q, want %q", got, at)
	}
	ch.Detach()
	wants(t, codeError, "", "no such channel", "", "info", at)
	if _, out, _ = run(t.Context(), "ls", "shm:"); strings.Contains(out, name) {
		t.Errorf("what is gone is in the list:\n%s", out)
	}
}
