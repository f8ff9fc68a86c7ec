package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/pkg/verdict"
)

// backtestWarmUp is how much of the time before the start is evaluated
// without being shown, so that the first verdict knows what is usual.
const backtestWarmUp = time.Hour

// maxBacktest bounds the evaluations of one run: a month at the default step.
const maxBacktest = 100_000

// backtestFormat is how a backtest writes its verdicts.
type backtestFormat string

const (
	backtestTable backtestFormat = "table"
	backtestJSONL backtestFormat = "jsonl"
)

// String, Set and Type make a backtestFormat a flag.
func (f *backtestFormat) String() string { return string(*f) }

// Set reads the format that the user asks for.
func (f *backtestFormat) Set(s string) error {
	switch format := backtestFormat(strings.ToLower(s)); format {
	case backtestTable, backtestJSONL:
		*f = format
		return nil
	}
	return errors.New("use table or jsonl")
}

// Type is shown in the help.
func (f *backtestFormat) Type() string { return "table|jsonl" }

func newBacktestCommand(clock instant.Clock) *cobra.Command {
	var flags prometheusFlags
	var logs lokiFlags
	var from, to, namespace, cluster string
	var step time.Duration
	format := backtestTable
	cmd := &cobra.Command{
		Use:   "backtest",
		Short: "Judge recorded history: what would the copilot have said?",
		Long: `Run the same rules over the history that Prometheus has kept, as if the copilot
had been watching then: one evaluation a step. On a terminal a timeline with
every change of state and the time in each; with -o jsonl a line for each
evaluation, written as it is judged.

The hours before the start are evaluated too, unshown, so that the first verdict
knows what is usual for the cluster. Exit status: 0, or 3 when nothing could be
seen in the whole range.`,
		Example: `  copilot backtest --prometheus-url http://localhost:9090 --start 2026-11-24T03:00:00Z --end 2026-11-24T05:00:00Z
  copilot backtest --prometheus-url http://localhost:9090 --start 6h -o jsonl | jq -r 'select(.health_state == "critical") | .time'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := flags.config()
			cfg.Namespace = namespace
			cfg.Cluster = firstOf(cluster, prometheus.ClusterName(cfg.Selector, cfg.URL))
			span, err := readSpan(from, to, step, clock.Now())
			if err != nil {
				return err
			}
			observer, err := prometheus.New(cfg)
			if err != nil {
				return usageError(err.Error())
			}
			feed, err := logs.feed(cfg.Cluster, step)
			if err != nil {
				return err
			}
			if format == backtestJSONL {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetEscapeHTML(false)
				return backtest(cmd.Context(), observer, feed, span, func(a *health.Assessment) error {
					return encoder.Encode(api.NewVerdict(a))
				})
			}
			out := styled(cmd.OutOrStdout())
			timeline := &timelineWriter{out: out, step: step}
			fmt.Fprintf(out, "%s    %s to %s, every %s\n\n", styleHead.Render(cfg.Cluster), span.from, span.to, step)
			if err := backtest(cmd.Context(), observer, feed, span, timeline.add); err != nil {
				return err
			}
			timeline.finish()
			return nil
		},
	}
	addPrometheusFlags(cmd, &flags)
	addLokiFlags(cmd, &logs, logsPatience)
	f := cmd.Flags()
	f.StringVar(&from, "start", "", "first instant, RFC 3339, or how long ago, such as 6h")
	f.StringVar(&to, "end", "", "last instant, RFC 3339, or how long ago (default now)")
	f.DurationVar(&step, "step", 30*time.Second, "time between two evaluations")
	f.StringVar(&namespace, "namespace", "", "look only at the task queues of this Temporal namespace")
	f.StringVar(&cluster, "cluster", "", "name to show for the cluster (default: what the selector says, or the host)")
	f.VarP(&format, "output", "o", "form of the answer")
	return cmd
}

// span is the range and pace of a backtest.
type span struct {
	from, to instant.Instant
	step     time.Duration
}

// readSpan reads the range that the user asks for.
func readSpan(from, to string, step time.Duration, now instant.Instant) (span, error) {
	s := span{to: now.Truncate(time.Second), step: step}
	if step < time.Second || step > time.Hour {
		return span{}, usageError(fmt.Sprintf("--step %s: use between 1s and 1h", step))
	}
	var err error
	if from == "" {
		return span{}, usageError("--start is missing: give the first instant, such as 2026-11-24T03:00:00Z, or how long ago, such as 6h")
	}
	if s.from, err = readInstant("start", from, now); err != nil {
		return span{}, err
	}
	if to != "" {
		if s.to, err = readInstant("end", to, now); err != nil {
			return span{}, err
		}
	}
	if !s.from.Before(s.to) {
		return span{}, usageError(fmt.Sprintf("--start %s is not before --end %s", s.from, s.to))
	}
	if n := int64(s.to.Sub(s.from) / step); n > maxBacktest {
		return span{}, usageError(fmt.Sprintf("%d evaluations are too many for one run (at most %d): use a longer --step or a shorter range", n, maxBacktest))
	}
	return s, nil
}

// readInstant reads a flag that holds an instant, or how long ago it was.
func readInstant(flag, text string, now instant.Instant) (instant.Instant, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago).Truncate(time.Second), nil
	}
	at, err := instant.Parse(text)
	if err != nil {
		return at, usageError(fmt.Sprintf("--%s %q: use RFC 3339, such as 2026-11-24T03:04:30Z, or how long ago, such as 6h", flag, text))
	}
	return at, nil
}

// backtest judges every step of the span and gives each assessment to use.
func backtest(ctx context.Context, observer *prometheus.Observer, logs *logFeed, s span, use func(*health.Assessment) error) error {
	warmUp := time.Duration(int(backtestWarmUp/s.step)) * s.step
	window, err := coarsely(ctx, observer, s.from.Add(-warmUp))
	if err != nil {
		return err
	}
	memory := verdict.Memory{Window: window}
	var seen bool
	var blind string
	for observation, err := range observer.Stream(ctx, s.from.Add(-warmUp), s.to, s.step) {
		if err != nil {
			return streamError(err)
		}
		var a health.Assessment
		observation.Logs = logs.until(ctx, observation.At, s.to)
		a, memory = verdict.Judge(memory, observation)
		if observation.At.Before(s.from) {
			continue
		}
		seen, blind = seen || !a.Blind, a.BlindReason
		if err := use(&a); err != nil {
			return fmt.Errorf("write the verdicts: %w", err)
		}
	}
	if !seen {
		return &exitError{code: exitUnknown, err: fmt.Errorf("nothing could be seen from %s to %s: %s", s.from, s.to, blind)}
	}
	return nil
}

// timelineWriter tells a backtest to a person: a line for each change, and a
// ribbon with the time in each state at the end.
type timelineWriter struct {
	out  io.Writer
	step time.Duration
	// last is the newest assessment.
	last   *health.Assessment
	told   []api.Verdict
	spent  [4]time.Duration
	inDark time.Duration
}

// add takes the next assessment.
func (t *timelineWriter) add(a *health.Assessment) error {
	if t.last == nil || a.State != t.last.State || a.Blind != t.last.Blind {
		t.tell(a)
	}
	if a.Blind {
		t.inDark += t.step
	}
	t.spent[a.State] += t.step
	t.told = append(t.told, api.Verdict{Time: a.At, HealthState: a.State, Blind: a.Blind})
	t.last = a
	return nil
}

// tell writes the line of a change of state.
func (t *timelineWriter) tell(a *health.Assessment) {
	mark := stateStyle(a.State).Render(fmt.Sprintf("%s %-8s", shape(a.State), strings.ToUpper(a.State.String())))
	if a.Blind {
		mark = styleDim.Render("? blind   ")
	}
	fmt.Fprintf(t.out, "  %s  %s  %s\n", a.At, mark, a.Explanation.Summary)
	for _, remark := range a.Explanation.Logs[:min(1, len(a.Explanation.Logs))] {
		fmt.Fprintf(t.out, "  %s\n", styleDim.Render("logs: "+remark))
	}
}

// finish writes the ribbon and the time in each state.
func (t *timelineWriter) finish() {
	if len(t.told) == 0 {
		return
	}
	const columns = 96
	var ribbon strings.Builder
	per := max(1, (len(t.told)+columns-1)/columns)
	for start := 0; start < len(t.told); start += per {
		worst, blind := health.Unknown, true
		for _, line := range t.told[start:min(start+per, len(t.told))] {
			worst = max(worst, line.HealthState)
			blind = blind && line.Blind
		}
		mark := map[health.State]string{health.Unknown: "·", health.Happy: "▁", health.Stressed: "▄", health.Critical: "█"}[worst]
		if blind {
			mark = "?"
		}
		ribbon.WriteString(stateStyle(worst).Render(mark))
	}
	fmt.Fprintf(t.out, "\n  %s\n", ribbon.String())
	total := time.Duration(len(t.told)) * t.step
	var parts []string
	for _, s := range []health.State{health.Happy, health.Stressed, health.Critical, health.Unknown} {
		if t.spent[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s %s (%.1f %%)", shape(s), s, health.Ago(t.spent[s]), 100*t.spent[s].Seconds()/total.Seconds()))
		}
	}
	if t.inDark > 0 {
		parts = append(parts, fmt.Sprintf("blind for %s of it", health.Ago(t.inDark)))
	}
	fmt.Fprintf(t.out, "  %s\n  %d evaluations\n", strings.Join(parts, "    "), len(t.told))
	if logs := t.last.Logs; logs != nil && logs.Reason != "" {
		fmt.Fprintf(t.out, "  The logs could not be read up to the end: %s\n", logs.Reason)
	}
}
