// Command handoff carries Go's channel past the edge of the process.
package main

import (
	"os"

	"github.com/handoff-go/handoff/cmd/handoff/cli"
)

func main() {
	ctx, stop := cli.Signals()
	code := cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
