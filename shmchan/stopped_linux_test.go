package shmchan

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// leased is how long a process that is stopped may hold others up: a lease, and what a busy machine needs
// besides.
const leased = 3 * time.Second

// stopped waits until the child has been stopped.
func stopped(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var status unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the child has not stopped: %v, %v", status, err)
	}
}

func signal(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// TestStoppedOffer: a process that is stopped in a select, and is first in line, is passed over when its
// lease is over, and keeps its place.
func TestStoppedOffer(t *testing.T) {
	ctx, ch := opened[int](t, patience, fresh(t)+"?slots=0")
	cmd, said := talker(t, "selector", fresh(t))
	signal(t, cmd, syscall.SIGSTOP)
	stopped(t, cmd)
	begin := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- ch.Send(ctx, 1) }()
	if v, err := ch.Recv(ctx); v != 1 || err != nil {
		t.Fatal(v, err)
	}
	if took := time.Since(begin); took > leased {
		t.Errorf("it took %v to pass a stopped process over", took)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	signal(t, cmd, syscall.SIGCONT)
	if err := ch.Send(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if line, err := said.ReadString('\n'); line != "got 2\n" {
		t.Errorf("it went on to say %q, %v", line, err)
	}
}
