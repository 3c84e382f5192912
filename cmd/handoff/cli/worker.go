package cli

import (
	"context"

	"github.com/handoff-go/handoff/cmd/handoff/internal/demo"
	"github.com/spf13/cobra"
)

// newWorker is one worker of the demo. It is not for people, and hidden.
func newWorker(s Streams) *cobra.Command {
	var w demo.Worker
	cmd := &cobra.Command{
		Use:    demo.WorkerCommand,
		Short:  "One worker process of the demo",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: runs(func(ctx context.Context, _ []string) error {
			// Ctrl-C at a terminal reaches every process in front, the demo too,
			// which ends its workers itself. So only the leash counts here.
			ctx, stop := demo.Leash(context.WithoutCancel(ctx), s.In)
			defer stop()
			err := w.Run(ctx)
			if err != nil {
				// A worker that fails ends the demo, if the demo is not what has
				// ended: nobody needs the home's files any more.
				demo.Sweep(w.Files)
			}
			return err
		}),
	}
	f := cmd.Flags()
	f.StringVar(&w.Home, "home", "", "base URL of the demo's channels")
	f.StringVar(&w.Files, "files", "", "folder of the home's files")
	f.StringVar(&w.Dir, "dir", "", "folder the paths begin at")
	f.IntVar(&w.ID, "id", 0, "number of the worker")
	return cmd
}
