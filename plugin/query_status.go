package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// answerStatus tells how the cluster is now: one row, made of its newest
// assessment. The time range does not matter. An alert rule or an expression
// gets the state as a number instead.
func answerStatus(ctx context.Context, q *question) (data.Frames, error) {
	a, err := q.store.Latest(ctx, q.cluster)
	if errors.Is(err, dsql.ErrNotFound) {
		return nil, notYet("cluster %q has not been assessed yet; check that \"copilot worker\" runs", q.cluster)
	}
	if err != nil {
		return nil, err
	}
	since := max(q.now.Sub(a.At), 0)
	if since > staleAfter {
		q.warn("The last assessment is %s old; check that \"copilot worker\" runs. What is shown was true at %s.", age(since), a.At)
	}
	if a.Blind {
		q.warn("The copilot is blind since %s (%s): the state is held, not observed.", a.SeenAt, or(a.BlindReason, "no telemetry"))
	}
	if q.numbers {
		return data.Frames{statusNumber(&a, since)}, nil
	}
	return data.Frames{statusRow(&a, since)}, nil
}

// statusRow is an assessment in one row of a table.
func statusRow(a *health.Assessment, since time.Duration) *data.Frame {
	impaired := a.Impaired()
	names := make([]string, len(impaired))
	for i, scope := range impaired {
		names[i] = fmt.Sprintf("%s %s", scopeWords(scope.Scope), scope.State)
	}
	issue := worstIssue(a.Issues)

	frame := data.NewFrame("status",
		field("cluster", "Cluster", "The cluster that was judged.", []string{a.Cluster}),
		withMappings(field("state", "State", "Whether the cluster makes forward progress.", []string{a.State.String()}), stateMappings),
		field("since", "Since", "When the cluster took this state.", []*time.Time{moment(a.Since)}),
		ratio("confidence", "Confidence", "How sure the copilot is of the state.", a.Confidence),
		withMappings(field("bottleneck", "Bottleneck", "The layer that makes work wait.", []string{string(a.Bottleneck)}), bottleneckMappings),
		field("summary", "Summary", "What goes on, in words.", []string{a.Explanation.Summary}),
		field("issue", "Worst issue", "The most severe of the open issues.", []*string{issue}),
		field("impaired", "Impaired", "The parts of the cluster that are not well, the worst first.", []string{strings.Join(names, ", ")}),
		withUnit(field("impaired_count", "Impaired parts", "How many parts of the cluster are not well.", []int64{int64(len(impaired))}), "short"),
		withUnit(field("asked_per_sec", "Asked", "Work that is asked for.", []*float64{a.Progress.Asked}), "cps"),
		withUnit(field("served_per_sec", "Served", "Work that is served.", []*float64{a.Progress.Served}), "cps"),
		withUnit(field("waiting", "Waiting", "Tasks that wait.", []*float64{a.Progress.Waiting}), "short"),
		withUnit(field("oldest_sec", "Oldest waiting", "The age of the oldest waiting task.", []*float64{a.Progress.OldestSec}), "s"),
		withMappings(field("blind", "Telemetry", "Whether the copilot could see the cluster. If not, the state is held.", []bool{a.Blind}), blindMappings),
		ratio("coverage", "Coverage", "How much of the evidence was there and fresh.", a.Coverage),
		field("observed_at", "Last analysis", "When the cluster was last judged.", []*time.Time{moment(a.At)}),
		withUnit(field("age_sec", "Age", "How long ago that was.", []float64{since.Seconds()}), "s"),
	)
	frame.Meta = &data.FrameMeta{
		Type:                   data.FrameTypeTable,
		TypeVersion:            frameVersion,
		PreferredVisualization: data.VisTypeTable,
	}
	return frame
}

// worstIssue returns the title of the most severe open issue, nil if there is none.
func worstIssue(issues []health.Issue) *string {
	var worst *health.Issue
	for i := range issues {
		issue := &issues[i]
		if issue.Status == health.IssueOpen && (worst == nil || issue.Severity > worst.Severity) {
			worst = issue
		}
	}
	if worst == nil {
		return nil
	}
	return &worst.Title
}

// statusNumber is the state as a number that an alert rule compares: 1 happy,
// 2 stressed, 3 critical, 0 not known. A stale assessment says nothing about the
// present: there is then no number, and the rule's "no data" applies, so that a
// copilot that died while all was well is not taken for a happy cluster.
func statusNumber(a *health.Assessment, since time.Duration) *data.Frame {
	frame := data.NewFrame("status")
	frame.Meta = &data.FrameMeta{Type: data.FrameTypeNumericMulti, TypeVersion: frameVersion}
	if since > staleAfter {
		return frame
	}
	state := field("state", "State", "0 unknown, 1 happy, 2 stressed, 3 critical.", []float64{float64(a.State)})
	state.Labels = data.Labels{"cluster": a.Cluster}
	frame.Fields = append(frame.Fields, withMappings(state, stateNumberMappings))
	return frame
}
