package data

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// Function passes functions: what is sent is what to do, and the receiver, who
// alone has the data, does it.
//
// The article only describes it. Functions pass within a process; a channel that
// leaves it is refused when it is opened.
func Function(w io.Writer) {
	ctx := context.Background()
	jobs := handoff.Make[func(stock map[string]int)](0)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		stock := map[string]int{}
		for job := range jobs.All(ctx) {
			job(stock)
		}
	})
	jobs.Send(ctx, func(stock map[string]int) { stock["tea"] += 3 })
	jobs.Send(ctx, func(stock map[string]int) { stock["tea"]-- })
	jobs.Send(ctx, func(stock map[string]int) { fmt.Fprintln(w, "tea:", stock["tea"]) })
	jobs.Close()
	keeper.Wait()
}

// question is a request that carries the way back for its answer.
type question struct {
	n      int
	answer handoff.Sender[int]
}

// Request sends questions that bring with them the channel for the answer: two
// directions, one value each.
//
// The article only describes it.
func Request(w io.Writer) {
	ctx := context.Background()
	questions := handoff.Make[question](0)
	var squarer sync.WaitGroup
	squarer.Go(func() {
		for q := range questions.All(ctx) {
			q.answer.Send(ctx, q.n*q.n)
		}
	})
	for _, n := range []int{3, 4} {
		answer := handoff.Make[int](1) // a slot, so that an answer nobody waits for holds nobody up
		questions.Send(ctx, question{n, answer.Sender})
		square, _ := answer.Recv(ctx)
		fmt.Fprintln(w, n, "squared is", square)
	}
	questions.Close()
	squarer.Wait()
}
