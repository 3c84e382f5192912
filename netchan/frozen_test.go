//go:build unix

package netchan_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// TestHomeFrozen: a home that does not answer does not keep its callers.
func TestHomeFrozen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	home := child(t, "home", path)
	cfg := slots(1)
	cfg.OpTimeout, cfg.CancelGrace = 50*time.Millisecond, 50*time.Millisecond
	e := open(t, path, "jobs", cfg)
	e.send("a").want(t, nil)
	held := e.take(1).wantGot(t, "a").Got[0]
	// A call that may take an hour does not have the others take as long.
	cfg.OpTimeout = time.Hour
	patient := open(t, path, "jobs", cfg)
	freeze(t, home)
	patient.trySend("x")

	sent, received := e.send("b"), e.recv(1)
	received.giveUp(t).want(t, errGivenUp)
	sent.giveUp(t).want(t, errGivenUp).want(t, driver.ErrInDoubt)
	e.trySend("c").want(t, driver.ErrInDoubt)
	e.tryRecv().want(t, driver.ErrUnreachable)
	e.settle(driver.OpDone, held.Hold).want(t, driver.ErrInDoubt)
	ctx, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	if _, err := openWithin(ctx, path, "more", both); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("opening at a frozen home: %v", err)
	}

	// The late answers are for nobody, and harm nobody: "b" came and left, or
	// stayed, and what comes after is as it should be.
	home.Process.Signal(syscall.SIGCONT)
	e.until(t, "quiet", func(s driver.Stats) bool {
		return s.SendersWaiting == 0 && s.ReceiversWaiting == 0 && s.Held == 0 && time.Since(s.AsOf) < time.Second
	})
	for p := e.tryRecv().wait(t); !p.NotReady; p = e.tryRecv().wait(t) {
		if p.Err != nil {
			t.Fatal(p.Err)
		}
	}
	e.send("d").want(t, nil)
	if got := e.recv(1).wantGot(t, "d").Got[0]; got.Attempt != 1 {
		t.Errorf("attempt %d", got.Attempt)
	}
}

// freeze stops a child and waits until the system says that it is stopped.
func freeze(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the child did not stop: %v, %v", status, err)
	}
}
