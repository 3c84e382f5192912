package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Signals returns a context that ends when somebody asks this process to end, by
// Ctrl-C, SIGTERM, or a terminal that is gone. A write that nobody reads is an
// error from then on, and not the end of the process, so that what is in hand can
// be given back.
func Signals() (ctx context.Context, stop func()) {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop = signal.NotifyContext(context.Background(), ends...)
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE) // not ignored: children would inherit that
	return ctx, stop
}
