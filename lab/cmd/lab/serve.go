package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/fleet"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
)

// serveCommands are the child processes of a lab. They take their
// configuration from standard input, log to standard output, and end with
// their parent.
func serveCommands() []*cobra.Command {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	return []*cobra.Command{
		{
			Use: lab.ServeTemporal, Hidden: true, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				var config temporal.Config
				child, err := supervise.NewChild(cmd.InOrStdin(), &config)
				if err != nil {
					return err
				}
				ctx, stop, settings := listen[temporal.Settings](cmd.Context(), child, log)
				defer stop()
				return temporal.Serve(ctx, config, settings)
			},
		},
		{
			// The argument is for people who look at the list of processes.
			Use: lab.ServeWorkers + " QUEUE", Hidden: true, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				var config fleet.Config
				child, err := supervise.NewChild(cmd.InOrStdin(), &config)
				if err != nil {
					return err
				}
				if config.Queue != args[0] {
					return fmt.Errorf("configured for queue %q, started for %q", config.Queue, args[0])
				}
				log := config.Logger(os.Stdout)
				ctx, stop, paces := listen[workload.Pace](cmd.Context(), child, log)
				defer stop()
				return fleet.Serve(ctx, config, paces, log)
			},
		},
		{
			Use: lab.ServeLoad, Hidden: true, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				var config workload.GeneratorConfig
				child, err := supervise.NewChild(cmd.InOrStdin(), &config)
				if err != nil {
					return err
				}
				ctx, stop, rates := listen[workload.Rate](cmd.Context(), child, log)
				defer stop()
				return workload.Generate(ctx, config, rates, log)
			},
		},
	}
}

// listen returns the child's context and its parent's messages, which are all
// of one kind. A message waits until it is taken or the child ends.
func listen[T any](ctx context.Context, child *supervise.Child, log *slog.Logger) (context.Context, context.CancelFunc, <-chan T) {
	messages := make(chan T)
	done := make(chan struct{})
	ctx, stop := child.Context(ctx, func(raw json.RawMessage) {
		var message T
		if err := json.Unmarshal(raw, &message); err != nil {
			log.Warn("message not understood", "message", string(raw), "error", err)
			return
		}
		select {
		case messages <- message:
		case <-done:
		}
	})
	return ctx, func() { close(done); stop() }, messages
}
