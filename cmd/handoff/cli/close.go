package cli

import (
	"context"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/codec"
	"github.com/spf13/cobra"
)

func newClose(Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "close URL",
		Short: "Close a channel, for everyone",
		Long: `Close a channel, for everyone.

What is in its slots stays receivable; then every receiver is told that it is
closed. Senders that wait keep their values. A channel that is not there is not
made.

Exit codes: 5 if it is closed already.`,
		Example: `  handoff close 'unix:/tmp/shop.sock?chan=orders'`,
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeURL(1),
		RunE: looking(func(ctx context.Context, t target) error {
			end, err := handoff.OpenSender[[]byte](ctx, t.url, handoff.Create("no"), handoff.Codec(string(codec.Encoded)))
			if err != nil {
				return err
			}
			err = end.Close()
			if bad := end.Detach(); err == nil {
				err = bad
			}
			return err
		}),
	}
}
