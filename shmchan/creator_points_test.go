//go:build linux && handoff_shmpoints

package shmchan

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/shm/seg"
	"github.com/handoff-go/handoff/internal/testproc"
)

// createEnv names the step of creation at which a child says so, and goes on no more.
const createEnv = childEnv + "_CREATE"

func init() {
	armPoints = append(armPoints, func() {
		at := os.Getenv(createEnv)
		seg.OnStep(func(step string) {
			if step == at {
				fmt.Println("there")
				select {} // until it is killed
			}
		})
	})
}

// TestCreatorDies: a process that makes a channel is killed at each step of that, while this one opens it,
// and another. Both have a channel, whoever made it, and nothing is left behind.
func TestCreatorDies(t *testing.T) {
	for _, step := range []string{"folder", "file", "locked", "reserved", "filled", "published"} {
		t.Run(step, func(t *testing.T) {
			for range 10 {
				creatorDies(t, step)
			}
		})
	}
}

func creatorDies(t *testing.T, step string) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	dir := t.TempDir()
	url := "shm:" + filepath.Join(dir, "it") + "?slots=2"
	dies, in, out := testproc.Spawn(t, "idler", url, testproc.Options{Env: []string{createEnv + "=" + step}})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "there\n" {
		t.Fatalf("it does not come to the step: %q, %v", line, err)
	}
	other, otherIn, _ := testproc.Spawn(t, "idler", url, testproc.Options{})
	killed := make(chan struct{})
	go func() { // as it may be that nobody waits for it, or all do
		defer close(killed)
		dies.Process.Kill()
		dies.Wait()
	}()
	ch, err := handoff.Open[int](ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(ctx, 7); err != nil {
		t.Error(err)
	}
	if v, err := ch.Recv(ctx); v != 7 || err != nil {
		t.Errorf("received %d, %v", v, err)
	}
	in.Close()
	otherIn.Close()
	<-killed
	if err := other.Wait(); err != nil {
		t.Errorf("the other one: %v", err)
	}
	for st := ch.Stats(); st.Senders != 1; st = ch.Stats() { // they have ended without a word
		if ctx.Err() != nil {
			t.Fatalf("the dead are still counted: %+v", st)
		}
	}
	if err := ch.Detach(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); len(left) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
