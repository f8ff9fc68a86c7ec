package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/recording"
)

func replayCommand() *cobra.Command {
	var (
		port       int
		judgeAgain bool
	)
	cmd := &cobra.Command{
		Use:   "replay DIR",
		Short: "Serve a recording again through the HTTP APIs of a real Prometheus and Loki",
		Long: `replay serves the metrics of a recording, and its logs if it has some, until
interrupted, so that everything that asks a Prometheus or a Loki can be tried on
it.

With --judge it serves nothing and shows instead what the evaluator of this
build says of the recording, as run does after a play.`,
		Example: `  lab replay lab/recordings/all-workers-gone
  lab replay lab/recordings/all-workers-gone --judge`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := newTerminal(cmd.OutOrStdout())
			if judgeAgain {
				return judge(cmd.Context(), args[0], out)
			}
			return replay(cmd.Context(), args[0], port, out)
		},
	}
	cmd.Flags().IntVar(&port, "port", 0, "port to serve on (default: any free one)")
	cmd.Flags().BoolVar(&judgeAgain, "judge", false, "judge the recording and end")
	return cmd
}

func replay(ctx context.Context, dir string, port int, out *terminal) (err error) {
	server, err := recording.Serve(ctx, dir, port)
	var withoutLogs error
	if errors.Is(err, loki.ErrNoBinary) {
		withoutLogs = err
		server, err = recording.ServeMetrics(ctx, dir, port)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	truth := server.Truth
	out.begin("Replaying " + truth.Scenario)
	out.line(fmt.Sprintf("Prometheus   %s", server.URL))
	switch {
	case server.LokiURL != "":
		out.line(fmt.Sprintf("Loki         %s", server.LokiURL))
	case withoutLogs != nil:
		out.line("Loki         " + bad.Render("!") + " the logs are not served: " + withoutLogs.Error())
	}
	out.line(fmt.Sprintf("from         %s", truth.From))
	out.line(fmt.Sprintf("to           %s", truth.To))
	sources := "--prometheus-url " + server.URL
	if server.LokiURL != "" {
		sources += " --loki-url " + server.LokiURL
	}
	out.commands("Judge it", fmt.Sprintf("%s backtest %s --selector '%s' --start %s --end %s --step %s",
		program("copilot"), sources, truth.Selector, truth.From, truth.To, truth.Step()))
	out.line("")
	out.line(faint.Render("Ctrl-C ends it and leaves nothing behind."))
	select {
	case <-ctx.Done():
		return nil
	case <-server.Exited():
		return errors.New("the replay ended by itself")
	}
}
