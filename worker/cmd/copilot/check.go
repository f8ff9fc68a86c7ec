package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/pkg/verdict"
)

// Exit codes of check, so that scripts can act on the verdict.
const (
	exitHappy    = 0
	exitStressed = 1
	exitCritical = 2
	exitUnknown  = 3
)

// A one-shot check looks back, so that it knows what is usual and says what a
// worker that had been watching would say: over the last hour at its own step,
// and before that at a coarse one.
const (
	checkHistory  = time.Hour
	coarseHistory = 6 * time.Hour
	coarseStep    = 5 * time.Minute
)

func newCheckCommand(clock instant.Clock) *cobra.Command {
	var flags prometheusFlags
	var logs lokiFlags
	var namespace, cluster, at string
	var format outputFormat
	var step time.Duration
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look once, judge, explain: no database, no Temporal",
		Long: `Look at a Temporal cluster through Prometheus, judge its last hour, and say
whether it makes forward progress on workflows. With --loki-url it also tells what
the cluster's logs say about that. Needs neither a database nor a Temporal
connection.

Exit status: 0 happy, 1 stressed, 2 critical, 3 unknown (no usable telemetry),
64 usage.`,
		Example: `  copilot check --prometheus-url http://localhost:9090
  copilot check --prometheus-url http://localhost:9090 --loki-url http://localhost:3100
  copilot check --prometheus-url https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1 --prometheus-sigv4
  copilot check --prometheus-url http://localhost:9090 --at 2026-11-24T03:04:30Z
  copilot check --prometheus-url http://localhost:9090 --selector 'cluster="prod"' -o json | jq .health_state`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			watch := instant.StartStopwatch()
			cfg := flags.config()
			cfg.Namespace = namespace
			cfg.Cluster = firstOf(cluster, prometheus.ClusterName(cfg.Selector, cfg.URL))
			now, err := lookedAt(at, clock.Now())
			if err != nil {
				return err
			}
			feed, err := logs.feed(cfg.Cluster, step)
			if err != nil {
				return err
			}
			status, omitted, err := check(cmd.Context(), cfg, feed, now, step)
			if err != nil {
				return unseen(err)
			}
			if format == outputJSON {
				if err := writeJSON(cmd.OutOrStdout(), status); err != nil {
					return err
				}
			} else {
				seen := footer(&status, watch.Elapsed())
				if omitted > 0 {
					seen += fmt.Sprintf(", %d task queues with the least work left out", omitted)
				}
				out := styled(cmd.OutOrStdout())
				renderStatus(out, &status, fmt.Sprintf("%s    exit %d", seen, verdictCode(status)))
				if choice := feed.choice(); choice != "" {
					renderFooter(out, "logs: "+choice)
				}
			}
			return exitWith(verdictCode(status))
		},
	}
	addPrometheusFlags(cmd, &flags)
	addLokiFlags(cmd, &logs, logsPatience)
	addOutputFlag(cmd, &format)
	cmd.Flags().StringVar(&namespace, "namespace", "", "look only at the task queues of this Temporal namespace")
	cmd.Flags().StringVar(&cluster, "cluster", "", "name to show for the cluster (default: what the selector says, or the host)")
	cmd.Flags().StringVar(&at, "at", "", "look at this instant of the past, RFC 3339, or how long ago, such as 15m (default now)")
	cmd.Flags().DurationVar(&step, "step", 30*time.Second, "time between two evaluations of the history")
	return cmd
}

// lookedAt reads which instant is looked at.
func lookedAt(text string, now instant.Instant) (instant.Instant, error) {
	if text == "" {
		return now, nil
	}
	at, err := readInstant("at", text, now)
	if err == nil && at.After(now) {
		return at, usageError(fmt.Sprintf("--at %s lies in the future", at))
	}
	return at, err
}

// check evaluates the last hour and returns the verdict on its end, and how
// many task queues were left out of what was seen last.
func check(ctx context.Context, cfg prometheus.Config, logs *logFeed, now instant.Instant, step time.Duration) (status api.Status, omitted int, err error) {
	if step < time.Second || step > 5*time.Minute {
		return api.Status{}, 0, usageError(fmt.Sprintf("--step %s: use between 1s and 5m", step))
	}
	observer, err := prometheus.New(cfg)
	if err != nil {
		return api.Status{}, 0, usageError(err.Error())
	}
	to := now.Truncate(time.Second)
	steps := min(int(checkHistory/step), 240)
	from := to.Add(-time.Duration(steps) * step)

	window, err := coarsely(ctx, observer, from)
	if err != nil {
		return api.Status{}, 0, err
	}
	var assessment health.Assessment
	var last health.Observation
	memory := verdict.Memory{Window: window}
	before := memory
	for observation, err := range observer.Stream(ctx, from, to, step) {
		if err != nil {
			return api.Status{}, 0, streamError(err)
		}
		observation.Logs = logs.until(ctx, observation.At, to)
		before, last = memory, observation
		assessment, memory = verdict.Judge(before, last)
	}
	if logs != nil {
		// The same verdict once more, with lines of what is news as examples.
		last.Logs.Samples = logs.samples(ctx, memory.Logs.Wanted())
		assessment, _ = verdict.Judge(before, last)
	}
	return api.NewStatus(assessment, last), last.Omitted, nil
}

// coarsely evaluates the hours before an instant at a coarse step, to learn
// what is usual and what has been going on.
func coarsely(ctx context.Context, observer *prometheus.Observer, until instant.Instant) (health.Window, error) {
	var window health.Window
	for observation, err := range observer.Stream(ctx, until.Add(-coarseHistory), until.Add(-coarseStep), coarseStep) {
		if err != nil {
			return window, streamError(err)
		}
		_, window = health.Evaluate(window, observation)
	}
	return window, nil
}

// unseen gives an error that is not the caller's the exit status for what
// could not be seen: 1 would read as Stressed.
func unseen(err error) error {
	var exit *exitError
	if errors.As(err, &exit) || errors.Is(err, context.Canceled) {
		return err
	}
	return &exitError{code: exitUnknown, err: err}
}

// verdictCode is the exit status that tells a verdict. A verdict that is held
// in the dark is no verdict for a script.
func verdictCode(s api.Status) int {
	if s.Blind {
		return exitUnknown
	}
	switch s.HealthState {
	case health.Happy:
		return exitHappy
	case health.Stressed:
		return exitStressed
	case health.Critical:
		return exitCritical
	}
	return exitUnknown
}
