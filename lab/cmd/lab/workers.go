package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/workload"
)

const controlUsage = "address of the lab's control API (default: the lab that was started last)"

func workersCommand() *cobra.Command {
	workers := &cobra.Command{
		Use:   "workers",
		Short: "Stop and start the workers of a running lab",
	}
	workers.AddCommand(
		workersChange("stop", "Stop the workers of a queue, or of all", func(client *control.Client, kill bool) change {
			return func(ctx context.Context, queue string) (control.State, error) {
				return client.StopWorkers(ctx, queue, kill)
			}
		}),
		workersChange("start", "Start the workers of a queue, or of all", func(client *control.Client, _ bool) change {
			return client.StartWorkers
		}),
	)
	return workers
}

// change stops or starts the worker of one queue.
type change func(ctx context.Context, queue string) (control.State, error)

func workersChange(verb, short string, newChange func(client *control.Client, kill bool) change) *cobra.Command {
	var (
		address, queue string
		all, kill      bool
	)
	cmd := &cobra.Command{
		Use:     verb,
		Short:   short,
		Example: fmt.Sprintf("  lab workers %s --queue billing\n  lab workers %s --all", verb, verb),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			queues := []string{queue}
			if all {
				queues = workload.Queues()
			}
			client, err := control.NewClient(address)
			if err != nil {
				return err
			}
			apply := newChange(client, kill)
			var (
				state control.State
				errs  []error
			)
			for _, queue := range queues {
				after, err := apply(cmd.Context(), queue)
				if errors.Is(err, control.ErrNoLab) {
					return err
				}
				if err != nil {
					errs = append(errs, err)
					continue
				}
				state = after
			}
			printWorkers(cmd.OutOrStdout(), state.Workers)
			return errors.Join(errs...)
		},
	}
	cmd.Flags().StringVar(&address, "control", "", controlUsage)
	cmd.Flags().StringVar(&queue, "queue", "", "task queue")
	cmd.Flags().BoolVar(&all, "all", false, "all task queues")
	if verb == "stop" {
		cmd.Flags().BoolVar(&kill, "kill", false, "kill the processes (SIGKILL) instead of letting them finish what they do")
	}
	cmd.MarkFlagsOneRequired("queue", "all")
	cmd.MarkFlagsMutuallyExclusive("queue", "all")
	return cmd
}

func printWorkers(out io.Writer, workers []control.Worker) {
	for _, worker := range workers {
		if worker.Running {
			fmt.Fprintf(out, "%-10s running  process %d\n", worker.Queue, worker.PID)
		} else {
			fmt.Fprintf(out, "%-10s stopped\n", worker.Queue)
		}
	}
}

func loadCommand() *cobra.Command {
	var (
		address   string
		perSecond float64
	)
	cmd := &cobra.Command{
		Use:     "load",
		Short:   "Change the load of a running lab",
		Example: "  lab load --rate 50\n  lab load --rate 0",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := control.NewClient(address)
			if err != nil {
				return err
			}
			state, err := client.SetRate(cmd.Context(), perSecond)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "load is %v pieces of work a second\n", state.Load.PerSecond)
			return nil
		},
	}
	cmd.Flags().StringVar(&address, "control", "", controlUsage)
	cmd.Flags().Float64Var(&perSecond, "rate", 0, "pieces of work a second over all queues; 0 is silence")
	// There is no error to tell of: the flag was defined one line above.
	_ = cmd.MarkFlagRequired("rate")
	return cmd
}
