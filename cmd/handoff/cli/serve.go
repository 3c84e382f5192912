package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/handoff-go/handoff/hub"
	"github.com/spf13/cobra"
)

// closeWithin is how long clients have to hear that the hub ends.
const closeWithin = 5 * time.Second

func newServe(s Streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --unix PATH",
		Short: "Be the home of named channels",
		Long: `Be the home of named channels, until interrupted.

A program of this machine opens the channel NAME as unix:PATH?chan=NAME. It is
made when it is first opened, and lives, with the values in its slots, as long as
this process. The socket is this user's only.

One line is printed when clients can connect.`,
		Example: `  handoff serve --unix /tmp/shop.sock

  ch, err := handoff.Open[string](ctx, "unix:/tmp/shop.sock?chan=orders&slots=4")`,
		Args: cobra.NoArgs,
		RunE: runs(func(ctx context.Context, _ []string) error {
			if path == "" {
				return usage("--unix PATH is missing")
			}
			return serve(ctx, path, s)
		}),
	}
	cmd.Flags().StringVar(&path, "unix", "", "serve on a Unix socket at `PATH`")
	return cmd
}

func serve(ctx context.Context, path string, s Streams) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(abs)); err != nil {
		return fmt.Errorf("no folder for the socket: %w", err)
	}
	l, err := hub.ListenUnix(abs)
	if err != nil {
		return err
	}
	h := hub.New(hub.Options{Name: "handoff serve"})
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	at := url.URL{Scheme: "unix", Path: filepath.ToSlash(abs), OmitHost: true}
	if _, err := fmt.Fprintf(s.Out, "serving %s?chan=NAME\n", at.String()); err != nil {
		return errors.Join(err, end(h, served))
	}
	select {
	case <-ctx.Done():
		return interrupt(ctx, s, end(h, served))
	case err := <-served:
		return err
	}
}

// end closes h and waits until it serves no more.
func end(h *hub.Hub, served <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := h.Close(ctx)
	if bad := <-served; !errors.Is(bad, hub.ErrClosed) && !errors.Is(bad, net.ErrClosed) {
		err = errors.Join(err, bad)
	}
	return err
}

// interrupt tells what was left in slots, which ends with its home, and returns
// the reason of the end.
func interrupt(ctx context.Context, s Streams, left error) error {
	if left != nil {
		fmt.Fprintf(s.Err, "handoff: %s\n", oneLine(left))
	}
	return context.Cause(ctx)
}
