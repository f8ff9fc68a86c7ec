package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/temporal"
)

func upCommand() *cobra.Command {
	var (
		options   lab.Options
		stateFile string
	)
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring up a Temporal cluster under load, and keep it up until interrupted",
		Example: `  lab up
  lab up --rate 50 --second-temporal
  lab up --loki
  lab up --data-dir ./out --server-metrics opentelemetry`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			out := newTerminal(cmd.OutOrStdout())
			out.begin("Bringing up a Temporal cluster on this machine")
			running, err := bringUp(ctx, options, stateFile, out)
			if err != nil {
				return err
			}
			out.summary(running.State())
			out.commands("Look closer", labCommands(running.State())...)
			out.line("")
			out.line(faint.Render("Ctrl-C ends it and leaves nothing behind."))
			err = waitForEnd(ctx, running)
			return errors.Join(err, takeDown(running, stateFile, out))
		},
	}
	addOptions(cmd.Flags(), &options)
	cmd.Flags().BoolVar(&options.SecondTemporal, "second-temporal", false, "also run a Temporal server for the copilot's own workflows")
	cmd.Flags().BoolVar(&options.WithoutLoad, "without-load", false, "run no load generator")
	cmd.Flags().StringVar(&stateFile, "state", "", "write a JSON `file` with all addresses once the lab is up")
	return cmd
}

// addOptions adds the flags that say what a lab is like.
func addOptions(flags *pflag.FlagSet, options *lab.Options) {
	flags.Float64Var(&options.Rate.PerSecond, "rate", 10, "pieces of work a second over all task queues")
	flags.Float64Var(&options.Rate.FailureRatio, "failure-ratio", 0, "part of the work, 0 to 1, that fails for business reasons")
	flags.DurationVar(&options.ScrapeInterval, "scrape-interval", 5*time.Second, "how often Prometheus scrapes")
	flags.StringVar(&options.ServerMetrics, "server-metrics", temporal.Tally, "how the server names its metrics: tally or opentelemetry")
	flags.StringVar(&options.Prometheus, "prometheus", "", "Prometheus binary (default: beside this program, or on PATH)")
	flags.BoolVar(&options.Loki, "loki", false, "also run a Loki and push the logs of servers and workers to it")
	flags.StringVar(&options.LokiBinary, "loki-binary", "", "Loki binary (default: beside this program, or on PATH)")
	flags.StringVar(&options.LogFormat, "log-format", temporal.LogJSON, "how the server logs: json or console")
	flags.StringVar(&options.DataDir, "data-dir", "", "`directory` for logs and metrics that stays (default: a temporary one)")
}

// bringUp starts a lab and tells other programs where it is.
func bringUp(ctx context.Context, options lab.Options, stateFile string, out *terminal) (*lab.Lab, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the path of this program: %w", err)
	}
	options.Program = program
	options.Progress = out.progress
	options.Notice = out.notice

	running, err := lab.Up(ctx, options)
	if err != nil {
		return nil, err
	}
	for _, path := range stateFiles(stateFile) {
		if err := running.State().WriteFile(path); err != nil {
			return nil, errors.Join(err, running.Close())
		}
	}
	return running, nil
}

// waitForEnd returns nil when the user asks for the end, and an error when the
// lab cannot go on.
func waitForEnd(ctx context.Context, running *lab.Lab) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-running.Failed():
		return err
	}
}

// takeDown ends the lab and the word of it.
func takeDown(running *lab.Lab, stateFile string, out *terminal) error {
	out.begin("Stopping")
	watch := time.Now()
	var errs []error
	for _, path := range stateFiles(stateFile) {
		errs = append(errs, control.RemoveFile(path, os.Getpid()))
	}
	errs = append(errs, running.Close())
	err := errors.Join(errs...)
	if err == nil {
		out.stopped(time.Since(watch))
	}
	return err
}

// stateFiles lists the files that say where the lab is: the one that the user
// asked for, and the one where the other commands look. Without a home
// directory there is no such place, and those commands need --control.
func stateFiles(chosen string) []string {
	var files []string
	if chosen != "" {
		files = append(files, chosen)
	}
	if usual, err := control.DefaultFile(); err == nil {
		files = append(files, usual)
	}
	return files
}
