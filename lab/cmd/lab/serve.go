package main

import (
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
				ctx, stop := child.Context(cmd.Context(), nil)
				defer stop()
				return temporal.Serve(ctx, config)
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
				ctx, stop := child.Context(cmd.Context(), nil)
				defer stop()
				return fleet.Serve(ctx, config, log)
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
				rates := make(chan workload.Rate)
				ctx, stop := child.Context(cmd.Context(), func(message json.RawMessage) {
					var rate workload.Rate
					if err := json.Unmarshal(message, &rate); err != nil {
						log.Warn("message not understood", "message", string(message), "error", err)
						return
					}
					rates <- rate
				})
				defer stop()
				return workload.Generate(ctx, config, rates, log)
			},
		},
	}
}
