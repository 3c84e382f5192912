// Command handoff carries Go's channel past the edge of the process.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/handoff-go/handoff/cmd/handoff/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
