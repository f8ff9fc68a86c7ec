package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// maxTimeline is the longest range of a timeline, as in the API.
const maxTimeline = 92 * 24 * time.Hour

// ribbonWidth is how many columns a timeline is drawn in.
const ribbonWidth = 96

func newTimelineCommand(clock instant.Clock) *cobra.Command {
	var flags storeFlags
	var cluster, from, to string
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "timeline",
		Short: "Show which states a cluster went through, and when",
		Long: `Show which states a cluster went through in a time range, as the worker stored
them: every change with the verdict that it began with, and the time in each
state. Time in which the copilot was blind, or in which nobody looked, is told as
such and not as health.`,
		Example: `  copilot timeline --database-url postgres://copilot@localhost:5432/copilot --cluster prod
  copilot timeline --cluster prod --from 7d
  copilot timeline --cluster prod --from 2026-11-24T03:00:00Z --to 2026-11-24T05:00:00Z -o json | jq '.intervals[] | select(.health_state == "critical")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, end, err := timelineRange(from, to, clock.Now())
			if err != nil {
				return err
			}
			store, err := flags.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer store.Close()
			cluster, err := onlyCluster(cmd.Context(), store, cluster)
			if err != nil {
				return err
			}
			timeline, err := api.ReadTimeline(cmd.Context(), store, cluster, start, end)
			if err != nil {
				return err
			}
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), timeline)
			}
			renderTimeline(styled(cmd.OutOrStdout()), &timeline)
			return nil
		},
	}
	addStoreFlags(cmd, &flags)
	addOutputFlag(cmd, &format)
	addClusterFlag(cmd, &cluster)
	completeClusters(cmd, &flags)
	cmd.Flags().StringVar(&from, "from", "24h", "begin, RFC 3339, or how long ago, such as 6h or 7d")
	cmd.Flags().StringVar(&to, "to", "now", "end, RFC 3339, or how long ago")
	return cmd
}

// timelineRange reads the range that is asked for. It ends now at the latest.
func timelineRange(from, to string, now instant.Instant) (start, end instant.Instant, err error) {
	now = now.Truncate(time.Second)
	if start, err = timeFlag("from", from, now); err != nil {
		return start, end, err
	}
	if end, err = timeFlag("to", to, now); err != nil {
		return start, end, err
	}
	if now.Before(end) {
		end = now
	}
	switch {
	case !start.Before(end):
		err = usageError(fmt.Sprintf("--from %s: the range is empty, it begins at %s and ends at %s; give a --from before --to, and in the past", from, start, end))
	case end.Sub(start) > maxTimeline:
		err = usageError(fmt.Sprintf("--from %s: the range is longer than %d days; ask for a shorter one", from, int(maxTimeline.Hours()/24)))
	}
	return start, end, err
}

// timeFlag reads a time as the API does, or how long ago it was.
func timeFlag(flag, text string, now instant.Instant) (instant.Instant, error) {
	at, err := api.ParseTime(text, now)
	if err != nil {
		if at, err = api.ParseTime("now-"+text, now); err != nil {
			return at, usageError(fmt.Sprintf("--%s %q: use RFC 3339, such as 2026-11-24T03:04:30Z, or how long ago, such as 6h or 7d", flag, text))
		}
	}
	return at, nil
}

// renderTimeline draws a timeline for a person.
func renderTimeline(out io.Writer, t *api.TimelineAnswer) {
	fmt.Fprintf(out, "%s    %s to %s    %s\n", styleHead.Render(t.Cluster), t.From, t.To, health.Ago(t.To.Sub(t.From)))
	if len(t.Intervals) == 0 {
		fmt.Fprintf(out, "\n  %s had not been observed yet in this time.\n", t.Cluster)
		return
	}
	fmt.Fprintf(out, "\n  %s\n  %s\n", ribbon(t), styleDim.Render(axis(t.From, t.To)))
	rows := make([][]string, 0, len(t.Intervals))
	for i := range t.Intervals {
		interval := &t.Intervals[i]
		length := interval.To.Sub(interval.From)
		row := []string{intervalMark(interval), interval.From.String(), health.Ago(length), reasons(t, interval), styleDim.Render(interval.AssessmentID)}
		rows = append(rows, row)
	}
	section(out, []string{"STATE", "from", "for", "gates", "explain"}, rows, 2, 2)
	fmt.Fprintf(out, "\n  %s\n", strings.Join(shares(t), "    "))
}

// intervalMark names the state of an interval.
func intervalMark(i *api.TimelineInterval) string {
	switch {
	case i.Unobserved:
		return styleDim.Render("· nobody looked")
	case i.Blind:
		return styleDim.Render("? blind, was " + i.State.String())
	}
	return stateStyle(i.State).Render(shape(i.State) + " " + strings.ToUpper(i.State.String()))
}

// reasons are the gates that had fired when an interval began.
func reasons(t *api.TimelineAnswer, interval *api.TimelineInterval) string {
	at := slices.IndexFunc(t.Transitions, func(change health.Transition) bool { return change.At == interval.From })
	if at < 0 {
		return ""
	}
	return listed(t.Transitions[at].Gates, 2)
}

// ribbon draws the timeline in a line. A column shows the worst that happened in
// its time.
func ribbon(t *api.TimelineAnswer) string {
	column := t.To.Sub(t.From) / ribbonWidth
	var line strings.Builder
	next := 0
	for c := range ribbonWidth {
		begins := t.From.Add(time.Duration(c) * column)
		ends := begins.Add(column)
		for next < len(t.Intervals) && !begins.Before(t.Intervals[next].To) {
			next++
		}
		mark, worst := " ", health.Unknown
		for i := next; i < len(t.Intervals) && t.Intervals[i].From.Before(ends); i++ {
			interval := &t.Intervals[i]
			switch {
			case interval.State > worst && !interval.Blind:
				worst = interval.State
				mark = map[health.State]string{health.Happy: "▁", health.Stressed: "▄", health.Critical: "█"}[worst]
			case mark == " " && interval.Blind:
				mark = "?"
			case mark == " ":
				mark = "·"
			}
		}
		line.WriteString(stateStyle(worst).Render(mark))
	}
	return line.String()
}

// axis is the line of times below a ribbon.
func axis(from, to instant.Instant) string {
	form := "15:04"
	if to.Sub(from) > 48*time.Hour {
		form = "01-02"
	}
	const marks = 6
	var line strings.Builder
	for i := range marks {
		at := from.Add(time.Duration(i) * (to.Sub(from) / marks))
		fmt.Fprintf(&line, "%-*s", ribbonWidth/marks, "│"+at.Time().Format(form))
	}
	return strings.TrimRight(line.String(), " ")
}

// shares tell the time in each state.
func shares(t *api.TimelineAnswer) []string {
	var spent [4]time.Duration
	var blind, away, total time.Duration
	for i := range t.Intervals {
		interval := &t.Intervals[i]
		length := interval.To.Sub(interval.From)
		total += length
		switch {
		case interval.Unobserved:
			away += length
		case interval.Blind:
			blind += length
		default:
			spent[interval.State] += length
		}
	}
	var parts []string
	tell := func(mark, name string, length time.Duration) {
		if length > 0 {
			parts = append(parts, fmt.Sprintf("%s %s %s (%.1f %%)", mark, name, health.Ago(length), 100*length.Seconds()/total.Seconds()))
		}
	}
	for _, state := range []health.State{health.Happy, health.Stressed, health.Critical, health.Unknown} {
		tell(stateStyle(state).Render(shape(state)), state.String(), spent[state])
	}
	tell("?", "blind", blind)
	tell("·", "nobody looked", away)
	return parts
}
