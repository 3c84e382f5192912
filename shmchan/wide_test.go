package shmchan

import (
	"context"
	"testing"

	"github.com/handoff-go/handoff"
)

// TestDefaultBehindATake: a select with a default over several homes takes it, where the first who
// waits is a select that takes to hold, and another receiver waits behind.
func TestDefaultBehindATake(t *testing.T) {
	ctx, ch := opened[int](t, patience, fresh(t)+"?slots=0")
	here := handoff.Make[int](0)
	ended := make(chan error, 2)
	waiting := func(n int) {
		for ch.Stats().ReceiversWaiting < n && ctx.Err() == nil {
		}
	}
	brief, end := context.WithCancel(ctx)
	go func() {
		_, err := handoff.Select(brief, ch.OnTake(nil), here.OnRecv(nil))
		ended <- err
	}()
	waiting(1)
	go func() {
		_, err := ch.Recv(brief)
		ended <- err
	}()
	waiting(2)
	if i, err := handoff.Select(ctx, ch.OnSend(1, nil), here.OnRecv(nil), handoff.Default(nil)); i != 2 || err != nil {
		t.Errorf("the select chose %d, %v", i, err)
	}
	end()
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("a value came from nowhere")
		}
	}
}
